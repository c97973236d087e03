import type { Cutover } from '../../../api/v1alpha1/index.ts';
import { timestamp } from '../../../domain/conditions.ts';
import { parseDuration } from '../../../domain/duration.ts';
import type { Effect, Step } from '../input.ts';
import { barredBy, irreversibleIn } from '../journal.ts';
import { nothing } from './nothing.ts';

/**
 * Retain writes on the old generation how long it is kept and as what, then gives back the new one and the platform. From
 * then on nothing needs this cutover: controllers/retirement goes by the generation's own word.
 */
export const retain: Step = {
  name: 'Retain',
  done: ({ cutover, platform, from, to }) =>
    (cutover.spec.from === '' || cutover.status.retainUntil !== undefined) &&
    (!from || from.status.retiredTime !== undefined || from.status.retention?.cutover.uid === cutover.metadata.uid) &&
    to?.status.reservedBy?.uid !== cutover.metadata.uid &&
    platform?.status.cutover?.uid !== cutover.metadata.uid,
  act: ({ cutover, platform, from, to, now, scaled }) => {
    if (!platform) return { waitFor: 'the platform' };
    const { name, uid } = cutover.metadata;
    const left = cutover.spec.from;
    const { standby, for: retention } = platform.spec.retention;
    const keep = standby === 'None' ? 0 : scaled(parseDuration(retention));
    const until = cutover.status.retainUntil ?? timestamp(now + keep);
    const effects: Effect[] = [];
    if (from && !from.status.retiredTime && from.status.retention?.cutover.uid !== uid)
      effects.push({
        do: 'writeGeneration',
        object: from,
        status: { ...from.status, retention: { until, standby, cutover: { name, uid }, ...barred(cutover) } },
        what: `keep ${left} until ${until}`,
      });
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
      message: left ? `${left} is kept until ${until}` : 'nothing to keep: this was the first cutover',
    };
  },
  // It is a step from which there is no way back but a Rollback.
  undo: nothing,
};

/** What was migrated for good, the old generation has never known. */
function barred(cutover: Cutover): { noRollback?: string } {
  const irreversible = irreversibleIn(cutover);
  return irreversible ? { noRollback: barredBy(irreversible).message } : {};
}
