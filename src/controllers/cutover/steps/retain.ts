import type { ClusterGeneration, Cutover } from '../../../api/v1alpha1/index.ts';
import { timestamp } from '../../../domain/conditions.ts';
import { parseDuration } from '../../../domain/duration.ts';
import type { CutoverInput, Effect, Step } from '../input.ts';
import { jobName } from '../job-manifest.ts';
import { barredBy, irreversibleIn } from '../journal.ts';
import { nothing } from './nothing.ts';

/**
 * Retain writes on the old generation how long it is kept and as what, then gives back the new one and the platform. From
 * then on nothing needs this cutover: controllers/retirement goes by the generation's own word. So every other one that is
 * kept learns here what it cannot live with, and one that was left by a superseded cutover how long it is kept.
 */
export const retain: Step = {
  name: 'Retain',
  done: ({ cutover, platform, from, to, kept }) =>
    (cutover.spec.from === '' || cutover.status.retainUntil !== undefined) &&
    (!isLeft(cutover, from) || from.status.retention?.cutover.uid === cutover.metadata.uid) &&
    owed(cutover, kept).length === 0 &&
    to?.status.reservedBy?.uid !== cutover.metadata.uid &&
    platform?.status.cutover?.uid !== cutover.metadata.uid,
  act: ({ cutover, platform, from, to, kept, now, scaled }) => {
    if (!platform) return { waitFor: 'the platform' };
    const { name, uid } = cutover.metadata;
    const left = cutover.spec.from;
    // As it was approved: what the Platform says since is for the next cutover.
    const { standby, for: retention } = cutover.status.plan?.retention ?? platform.spec.retention;
    const keep = standby === 'None' ? 0 : scaled(parseDuration(retention));
    const until = cutover.status.retainUntil ?? timestamp(now + keep);
    const effects: Effect[] = [];
    if (isLeft(cutover, from) && from.status.retention?.cutover.uid !== uid)
      effects.push({
        do: 'writeGeneration',
        object: from,
        status: { ...from.status, retention: { until, standby, cutover: { name, uid }, ...barred(cutover) } },
        what: `keep ${left} until ${until}`,
      });
    for (const generation of owed(cutover, kept)) {
      const retention = generation.status.retention ?? { until, standby, cutover: { name, uid } };
      effects.push({
        do: 'writeGeneration',
        object: generation,
        status: { ...generation.status, retention: { ...retention, ...barred(cutover) } },
        what: `keep ${generation.metadata.name} until ${retention.until}`,
      });
    }
    if (to?.status.reservedBy?.uid === uid) {
      const { reservedBy: _reserved, retention: _kept, ...status } = to.status;
      const what = `give back the reservation of ${to.metadata.name}`;
      effects.push({ do: 'writeGeneration', object: to, status, what });
    }
    if (platform.status.cutover?.uid === uid) {
      const { cutover: _, quiesced: _quiesced, ...status } = platform.status;
      effects.push({
        do: 'writePlatform',
        object: platform,
        status,
        what: `let go of Platform ${platform.metadata.name}`,
      });
    }
    return {
      ...(left !== '' && { journal: { retainUntil: until } }),
      effects,
      message: left ? `${left} is kept until ${until}` : 'nothing to keep: no generation was live before',
    };
  },
  // It is a step from which there is no way back but a Rollback.
  undo: nothing,
};

/** The generation that this cutover has left, as long as it is there to be kept: not a namesake made later. */
const isLeft = ({ status }: Cutover, from: ClusterGeneration | undefined): from is ClusterGeneration =>
  from !== undefined && from.metadata.uid === status.generations?.from?.uid && !from.status.retiredTime;

/** Of those kept, the ones that have no clock since their cutover was superseded, and that could be gone back to by mistake. */
const owed = (cutover: Cutover, kept: CutoverInput['kept']): CutoverInput['kept'] =>
  kept.filter(({ status: { retention } }) =>
    retention
      ? retention.noRollback === undefined && barred(cutover).noRollback !== undefined
      : cutover.spec.supersedes !== undefined,
  );

/** What was migrated for good, the old generation has never known. */
function barred(cutover: Cutover): { noRollback?: string } {
  const irreversible = irreversibleIn(cutover);
  return irreversible
    ? { noRollback: `${barredBy(irreversible).message} (Cutover ${migratorOf(cutover, irreversible)})` }
    : {};
}

/** Whose Job it was: this cutover's, or that of the one that it has taken over from. */
function migratorOf(cutover: Cutover, { name, job }: NonNullable<ReturnType<typeof irreversibleIn>>): string {
  const inherited = job !== undefined && !job.endsWith(`/${jobName(cutover, 'migrate', name)}`);
  return (inherited ? cutover.spec.supersedes : cutover.metadata)?.name ?? cutover.metadata.name;
}
