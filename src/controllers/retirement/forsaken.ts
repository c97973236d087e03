import type { ClusterGeneration, Cutover, Platform, Reference } from '../../api/v1alpha1/index.ts';
import type { Effect, RetirementInput } from './input.ts';
import { isLive } from './live.ts';

/**
 * What a cutover held that cannot give it back any more: it is gone (deleted past its finalizer, or lost in a restore), or
 * it ended and its last write was lost. One that is being superseded has an heir, which takes it over.
 */

/** True when nobody will give back what this cutover holds. */
function isForsaken({ cutovers, unfinished }: RetirementInput, { uid }: Reference): boolean {
  const holder = cutovers.get(uid);
  if (holder && !holder.status.outcome) return false;
  return !unfinished.some(({ spec }) => spec.supersedes?.uid === uid);
}

/**
 * First the platform, then the generation, whose own word protects it until the end: a crash between the two is made up
 * for by the same decision again.
 */
export function forsaken(input: RetirementInput, platform: Platform): Effect[] {
  const { name, generation } = input;
  const { cutover, quiesced, protected: listed, ...rest } = platform.status;
  const holder = generation?.status.reservedBy;
  const reservation = holder && isForsaken(input, holder) ? holder : undefined;
  const released = cutover !== undefined && isForsaken(input, cutover);
  const resumed = quiesced !== undefined && isForsaken(input, quiesced.cutover);
  const leaves =
    reservation &&
    generation &&
    listed?.includes(name) &&
    wasNeverLive(generation, platform) &&
    !isWanted(input, reservation);
  const effects: Effect[] = [];
  if (released || resumed || leaves)
    effects.push({
      do: 'writePlatform',
      object: platform,
      status: {
        ...rest,
        ...(listed && { protected: leaves ? listed.filter((one) => one !== name) : listed }),
        ...(cutover && !released && { cutover }),
        ...(quiesced && !resumed && { quiesced }),
      },
      reason: 'CutoverForsaken',
      what: [
        ...(released
          ? [`Platform ${platform.metadata.name} is no longer held by Cutover ${ended(input, cutover)}`]
          : []),
        ...(resumed ? [`its tasks are no longer held back by Cutover ${ended(input, quiesced.cutover)}`] : []),
        ...(leaves ? [`${name} is no longer protected: it never was live`] : []),
      ].join('; '),
    });
  if (reservation && generation) {
    const { reservedBy: _, ...status } = generation.status;
    effects.push({
      do: 'writeGeneration',
      object: generation,
      status,
      reason: 'ReservationCleared',
      what: `${name} is no longer reserved by Cutover ${ended(input, reservation)}`,
    });
  }
  return effects;
}

const ended = ({ cutovers }: RetirementInput, { name, uid }: Reference): string => {
  const outcome = cutovers.get(uid)?.status.outcome;
  return outcome ? `${name}, which has ended: ${outcome}` : `${name}, which does not exist any more`;
};

/** Nothing says that it ever served; what was rebound after a restore may have, whatever its status says. */
const wasNeverLive = (generation: ClusterGeneration, platform: Platform): boolean => {
  const { metadata, spec, status } = generation;
  return (
    !status.liveTime &&
    !status.retiredTime &&
    !status.retention &&
    !status.formerUIDs?.length &&
    !spec.adopt &&
    !isLive(platform, { name: metadata.name, generation }) &&
    !platform.status.rebound?.some((entry) => entry.generation === metadata.name)
  );
};

/** Another cutover has begun with it and counts on its protection. One that has not begun lists it anew when it does. */
const isWanted = ({ name, unfinished }: RetirementInput, { uid }: Reference): boolean =>
  unfinished.some(
    ({ metadata, spec, status }: Cutover) =>
      metadata.uid !== uid && status.generations !== undefined && (spec.to === name || spec.from === name),
  );

/** The platform no longer protects this name; nothing to do when it does not. */
export function unlisted(platform: Platform, name: string, why: string): Effect[] {
  const listed = platform.status.protected ?? [];
  if (!listed.includes(name)) return [];
  return [
    {
      do: 'writePlatform',
      object: platform,
      status: { ...platform.status, protected: listed.filter((one) => one !== name) },
      reason: 'NoLongerProtected',
      what: `Platform ${platform.metadata.name} no longer protects ${name}: ${why}`,
    },
  ];
}
