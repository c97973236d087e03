import type { ManualClock } from '../../../src/runtime/clock.ts';
import type { ApiServer, Cloud } from '../../builders/index.ts';

/** What every part of the world plays on: one clock, one API server, one cloud, and the log. */
export interface Stage {
  clock: ManualClock;
  server: ApiServer;
  cloud: Cloud;
  say(text: string): void;
}

/** Now, as Kubernetes writes it. */
export const nowOf = ({ clock }: Stage): string => new Date(clock.now()).toISOString();
