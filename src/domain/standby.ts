import type { ClusterGeneration, Platform } from '../api/v1alpha1/index.ts';
import { uidsOf } from './identity.ts';

/**
 * What becomes of the machines of a generation that a cutover has left: kept running, or stopped until a rollback
 * wants them. The pool controller asks by its caches what to do; the interlock asks again, by live reads, before it
 * stops any.
 */

/** Reasons in the condition Ready of a pool, and of its generation, whose machines are, or were, stopped for a rollback. */
export const STANDBY = {
  stopped: 'StandbyStopped',
  stopping: 'StandbyStopping',
  starting: 'StandbyStarting',
} as const;

export type Power = 'Running' | 'Stopped';

/**
 * Why the machines of this generation may not be stopped; undefined for a standby that is to be stopped. This is the
 * one exception to the rule that nothing happens to the machines of a generation before it is retired.
 */
export function objectionToStopping(generation: ClusterGeneration, platform: Platform | undefined): string | undefined {
  const { name } = generation.metadata;
  const { retention, reservedBy, retiredTime } = generation.status;
  if (!platform) return `Platform ${generation.spec.platform} does not exist, so whether ${name} is live is not known`;
  const { live } = platform.status;
  if (live && (live.name === name || uidsOf(generation).includes(live.uid)))
    return `${name} is the live generation of Platform ${platform.metadata.name} since ${live.time}`;
  if (reservedBy) return `${name} is reserved by Cutover ${reservedBy.name}`;
  if (retiredTime) return `${name} is retired: its machines are removed, not stopped`;
  if (retention?.standby !== 'Stopped') return `${name} is not kept as a stopped standby`;
  return undefined;
}

/** Whether the machines of a generation should run. One of which nothing else is said runs. */
export const powerWanted = (generation: ClusterGeneration, platform: Platform | undefined): Power =>
  objectionToStopping(generation, platform) === undefined ? 'Stopped' : 'Running';

/** A machine that is started again takes this long to its Ready Node: an assumption, for estimates only. Declared ms. */
const FROM_START_TO_READY = 3 * 60_000;

/**
 * What EC2 lets through of StartInstances: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html.
 * Machines at once, and declared ms for each one more.
 */
const AT_ONCE = 1_000;
const EACH_MORE = 500;

/** How long it takes until so many stopped machines are Ready again, if the cloud has room for them. Declared ms. */
export const startEstimate = (machines: number): number =>
  machines === 0 ? 0 : FROM_START_TO_READY + Math.max(0, machines - AT_ONCE) * EACH_MORE;
