import type { Step } from '../input.ts';
import { approve } from './approve.ts';
import { hold } from './hold.ts';
import { migrate } from './migrate.ts';
import { point } from './point.ts';
import { preflight } from './preflight.ts';
import { quiesce } from './quiesce.ts';
import { release } from './release.ts';
import { reserve } from './reserve.ts';
import { restore } from './restore.ts';
import { retain } from './retain.ts';
import { soak } from './soak.ts';
import { switchTraffic } from './switch.ts';
import { verify } from './verify.ts';

/** The steps that a cutover takes, in the order of API.md. A new one is a file here and a line in this list. */
export const steps: Step[] = [
  preflight,
  approve,
  reserve,
  hold,
  quiesce,
  migrate,
  verify,
  switchTraffic,
  point,
  release,
  restore,
  soak,
  retain,
];
