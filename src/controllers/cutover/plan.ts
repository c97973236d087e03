import { type CutoverPlan, LABEL, STEPS } from '../../api/v1alpha1/index.ts';
import { formatDuration, parseDuration } from '../../domain/duration.ts';
import { differences, digest, hashOf } from '../../domain/plan-hash.ts';
import { startEstimate } from '../../domain/standby.ts';
import type { CutoverInput } from './input.ts';
import { hasBegun, irreversibleIn } from './journal.ts';
import { isToStopped, objectionsTo } from './objections.ts';

/**
 * The plan: all that a cutover will do, for those who approve it. What they approve is its hash: a digest for each part that
 * matters, in a fixed order, so that a hash that no longer fits says by itself which part has changed.
 */

/** Hold begins by writing its targets down; of all others the beginning is enough. */
const AFTER_HOLD = STEPS.slice(STEPS.indexOf('Hold') + 1);

/** Something of the plan is being done. From here on what was approved is what is done. */
export const isUnderWay = ({ cutover }: Pick<CutoverInput, 'cutover'>): boolean =>
  cutover.status.switches !== undefined || AFTER_HOLD.some((step) => hasBegun(cutover, step));

export function planOf(input: CutoverInput): CutoverPlan {
  const { cutover, platform, from, to, tasks } = input;
  const { spec } = cutover;
  const machines = machinesOf(input);
  const switches = switchesOf(input);
  const migrations = (spec.migrations ?? []).map((migration) => ({
    name: migration.name,
    hash: digest(migration),
    reversible: migration.reversible,
  }));
  const checks = (spec.verify ?? []).map((check) => ({ name: check.name, hash: digest(check) }));
  const retention = platform?.spec.retention;
  // What is lost is not planned with: approved before it is needed, it must hold for whatever is left then.
  const beforehand = spec.mode === 'Recovery';
  const hash = hashOf({
    generations: [
      spec.platform,
      spec.mode,
      beforehand ? spec.from : (from?.metadata.uid ?? spec.from),
      to?.metadata.uid ?? spec.to,
    ],
    machines: beforehand ? undefined : machines,
    switches: beforehand ? undefined : switches,
    migrations,
    checks: [checks, spec.soak],
    retention: [retention?.standby, retention?.for],
  });
  const singletons = singletonsOf(tasks);
  return {
    hash,
    changed: changedSince(
      hash,
      (spec.approvals ?? []).map(({ planHash }) => planHash),
    ),
    machines,
    switches,
    migrations,
    checks,
    ...(singletons && { singletons }),
    ...(spec.from !== '' && { retires: spec.from }),
    ...(retention && { retention }),
    rollback: rollbackOf(input),
    ...standbyStart(input),
    blockers: objectionsTo(input).slice(0, 32),
  };
}

/** Parts of the plan that differ from what was approved; none when somebody has approved the plan as it is, or nobody any. */
function changedSince(hash: string, approved: string[]): string[] {
  const last = approved.at(-1);
  return last === undefined || approved.includes(hash) ? [] : differences(last, hash);
}

function machinesOf({ to, machines }: CutoverInput): CutoverPlan['machines'] {
  return (to?.spec.pools ?? []).map(({ name, role, machines: count }) => ({
    pool: name,
    role,
    machines: count,
    instances: machines
      .filter(({ tags }) => tags[LABEL.pool] === name)
      .map(({ id }) => id)
      .toSorted(),
  }));
}

/** None where no generation becomes live: traffic stays where it is. */
const switchesOf = ({ cutover, targets }: CutoverInput): CutoverPlan['switches'] =>
  (cutover.spec.to === undefined ? [] : targets).map(({ target, role, now, wanted, hold }) => ({
    target,
    role,
    from: now,
    to: wanted,
    ...(hold && { hold: hold.wanted }),
  }));

function singletonsOf(tasks: CutoverInput['tasks']): CutoverPlan['singletons'] {
  const moving = tasks.filter(({ handover }) => handover === 'Singleton');
  if (moving.length === 0) return undefined;
  const total = moving.reduce((sum, census) => sum + census.total, 0);
  const startsPerSecond = moving.reduce((sum, census) => sum + census.startsPerSecond, 0);
  // Roles move beside each other, each at its own pace.
  const seconds = Math.max(...moving.map((census) => census.total / Math.max(census.startsPerSecond, 0.01)));
  return { total, startsPerSecond, estimatedDuration: formatDuration(Math.ceil(seconds) * 1000) };
}

/** Going back to what is kept stopped starts it first. */
function standbyStart(input: CutoverInput): Pick<CutoverPlan, 'estimatedStartDuration'> {
  const { machines, members } = input;
  if (!isToStopped(input)) return {};
  const ready = Array.isArray(members) ? members.filter((member) => member.ready).length : 0;
  return { estimatedStartDuration: formatDuration(startEstimate(Math.max(0, machines.length - ready))) };
}

/** What going back would take once this has succeeded. */
function rollbackOf({ cutover, platform, from, superseded }: CutoverInput): string {
  const { spec } = cutover;
  if (spec.from === '') return 'none: no generation is live, so there is none to go back to';
  if (spec.to === undefined) return 'none: after it no generation is live';
  const irreversible =
    (superseded && irreversibleIn(superseded)) ?? (spec.migrations ?? []).find(({ reversible }) => !reversible);
  if (irreversible) return `none: migration ${irreversible.name} is not reversible`;
  const retention = platform?.spec.retention;
  if (retention?.standby === 'None') return `none: spec.retention.standby of Platform ${spec.platform} is None`;
  const machines = (from?.spec.pools ?? []).reduce((sum, pool) => sum + pool.machines, 0);
  const stopped =
    retention?.standby === 'Stopped'
      ? `${machines} stopped machines to start (about ${formatDuration(startEstimate(machines))}), then `
      : '';
  const until = retention ? ` within ${formatDuration(parseDuration(retention.for))} after it has succeeded` : '';
  return `a Cutover of mode Rollback to ${spec.from}${until}: ${stopped}${(platform?.spec.traffic ?? []).length} traffic switches`;
}
