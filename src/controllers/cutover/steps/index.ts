import type { Step } from '../input.ts';
import { point } from './point.ts';
import { preflight } from './preflight.ts';
import { reserve } from './reserve.ts';
import { retain } from './retain.ts';
import { switchTraffic } from './switch.ts';

/** The steps that a cutover takes, in the order of API.md. A new one is a file here and a line in this list. */
export const steps: Step[] = [preflight, reserve, switchTraffic, point, retain];
