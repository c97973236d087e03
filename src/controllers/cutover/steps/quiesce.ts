import type { Cutover, Platform } from '../../../api/v1alpha1/index.ts';
import { timestamp } from '../../../domain/conditions.ts';
import { realLimit } from '../../../domain/moment.ts';
import type { Problem } from '../../../traffic/target.ts';
import type { Action, CutoverInput, Effect, Step } from '../input.ts';

/**
 * Quiesce stops the pods that move with the live pointer: none of a Follow or Singleton role is started any more, and those
 * of roles with quiesce AllFirst are ended and seen gone before anything is migrated. controllers/placement does it; this
 * says so on the platform, and looks.
 */

/** A pod that does not end, on a machine that does not answer, would hold traffic for as long. Declared ms. */
const DEADLINE = 600_000;
/** Pods end in real time, however fast a drill runs. Real ms. */
const LEAST_DEADLINE = 90_000;

export const quiesce: Step = {
  name: 'Quiesce',
  skip: ({ platform, cutover }) =>
    cutover.spec.to !== undefined && moving(platform).length === 0 ? 'no role is Follow or Singleton' : undefined,
  done: (input) => isQuiesced(input) && (running(input).length === 0 || isPressing(input)),
  act: (input) => {
    const written = quiesceNow(input);
    if (written) return written;
    const problem = overdue(input);
    return problem ? { failed: problem } : { waitFor: stopping(input) };
  },
  undo: letStart,
};

/**
 * Users wait, and no data is touched: a copy on a machine of which nothing is known must not keep traffic from what is left. Its
 * task starts elsewhere only when it is known to have ended, as ever.
 */
export const isPressing = ({ cutover }: Pick<CutoverInput, 'cutover'>): boolean =>
  cutover.spec.mode === 'Recovery' && (cutover.spec.migrations ?? []).length === 0;

/** Roles whose pods follow the live pointer. */
const moving = (platform: Platform | undefined): Platform['spec']['roles'] =>
  (platform?.spec.roles ?? []).filter(({ handover }) => handover !== 'Beside');

/** Roles whose pods are ended, all of them, before anything is migrated. */
export const endedFirst = ({ spec }: Pick<Cutover, 'spec'>, { spec: { roles } }: Pick<Platform, 'spec'>): string[] =>
  roles
    .filter(({ handover, quiesce }) => handover === 'Singleton' && (spec.to === undefined || quiesce === 'AllFirst'))
    .map(({ name }) => name);

const isQuiesced = ({ cutover, platform }: CutoverInput): boolean =>
  platform?.status.quiesced?.cutover.uid === cutover.metadata.uid;

/** Stops starts, and what runs of the roles that stop as a whole; undefined when that is written. */
export function quiesceNow(input: CutoverInput): Action | undefined {
  const { cutover, platform, now } = input;
  if (!platform) return { waitFor: `Platform ${cutover.spec.platform}` };
  if (isQuiesced(input)) return undefined;
  const { name, uid } = cutover.metadata;
  const stop = endedFirst(cutover, platform);
  const quiesced = { cutover: { name, uid }, stop, time: timestamp(now) };
  const effect: Effect = {
    do: 'writePlatform',
    object: platform,
    status: { ...platform.status, quiesced },
    what: `start no scheduled or always-on task${stop.length > 0 ? `, and end those of ${stop.join(', ')}` : ''}`,
  };
  return { effects: [effect], message: effect.what };
}

/** Lets them start again, where the platform's pointer is; undefined when nothing keeps them. */
export function letStart({ cutover, platform, superseded }: CutoverInput): Action | undefined {
  const by = platform?.status.quiesced?.cutover.uid;
  if (!platform || by === undefined) return undefined;
  if (by !== cutover.metadata.uid && by !== superseded?.metadata.uid) return undefined;
  const { quiesced: _, ...status } = platform.status;
  const what = `let scheduled and always-on tasks start on ${status.live?.name ?? 'no generation'}`;
  return { effects: [{ do: 'writePlatform', object: platform, status, what }], message: what };
}

/** Roles that stop as a whole, and of which something still runs. */
export function running({ platform, tasks }: CutoverInput): CutoverInput['tasks'] {
  const stop = platform?.status.quiesced?.stop ?? [];
  return tasks.filter((census) => stop.includes(census.role) && census.starting + census.running > 0);
}

/** What has not ended though it was told to long ago; undefined while it may still do. */
export function overdue(input: CutoverInput): Problem | undefined {
  const told = Date.parse(input.platform?.status.quiesced?.time ?? '');
  return input.now - told > realLimit(input, DEADLINE, LEAST_DEADLINE)
    ? { reason: 'SingletonsDoNotEnd', message: `after 10 minutes still ${stopping(input)}` }
    : undefined;
}

/** What still runs of them, for people. */
export const stopping = (input: CutoverInput): string =>
  running(input)
    .map(
      ({ role, starting, running, trouble }) =>
        `waiting for ${starting + running} pods of ${role} to end${trouble ? ` (${trouble})` : ''}`,
    )
    .join('; ');
