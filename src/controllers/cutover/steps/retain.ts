import { timestamp } from '../../../domain/conditions.ts';
import { parseDuration } from '../../../domain/duration.ts';
import type { Effect, Step } from '../input.ts';

/** Retain sets the clock at whose end the old generation is retired, and gives the reservation back. */
export const retain: Step = {
  name: 'Retain',
  done: ({ cutover, to }) =>
    to?.status.reservedBy?.uid !== cutover.metadata.uid &&
    (cutover.spec.from === '' || cutover.status.retainUntil !== undefined),
  act: ({ cutover, platform, to, now, scaled }) => {
    if (!platform || !to) return { waitFor: 'the platform and both generations' };
    const left = cutover.spec.from;
    const { standby, for: retention } = platform.spec.retention;
    const keep = standby === 'None' ? 0 : scaled(parseDuration(retention));
    const retainUntil = cutover.status.retainUntil ?? timestamp(now + keep);
    const { reservedBy, ...status } = to.status;
    const effects: Effect[] =
      reservedBy?.uid === cutover.metadata.uid
        ? [{ do: 'writeGeneration', object: to, status, what: `give back the reservation of ${to.metadata.name}` }]
        : [];
    return {
      ...(left !== '' && { journal: { retainUntil } }),
      effects,
      message: left ? `${left} is kept until ${retainUntil}` : 'nothing to keep: this was the first cutover',
    };
  },
};
