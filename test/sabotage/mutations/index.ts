import type { Target } from '../sabotage.ts';
import { absence } from './absence.ts';
import { canary } from './canary.ts';
import { interlock } from './interlock.ts';
import { rules } from './rules.ts';
import { standby } from './standby.ts';
import { webhook } from './webhook.ts';

/** Every check of the code of the guard. The rules of the policies are found by themselves. */
export const targets: readonly Target[] = [...interlock, ...rules, ...canary, ...webhook, ...standby, ...absence];
