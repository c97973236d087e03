import type { ClusterGeneration, Platform } from '../api/v1alpha1/index.ts';

/**
 * Fields of the API that ask for something this version cannot do. A spec that sets one is not carried out with that
 * part left away: it is refused by name.
 */

type Asks<T> = [field: string, asks: (spec: T) => boolean][];

const PLATFORM: Asks<Platform['spec']> = [['spec.recovery', (spec) => spec.recovery !== 'Refill']];

const GENERATION: Asks<ClusterGeneration['spec']> = [['spec.adopt', (spec) => spec.adopt]];

const asked = <T>(asks: Asks<T>, kind: string, object: { metadata: { name: string }; spec: T }): string | undefined => {
  const fields = asks.filter(([, asks]) => asks(object.spec)).map(([field]) => field);
  if (fields.length === 0) return undefined;
  return `${kind} ${object.metadata.name} asks for what this version does not do yet: ${fields.join(', ')}. Nothing is done until these are left out`;
};

/** Why a spec cannot be carried out as it stands, naming the fields; undefined when it can. */
export const notImplemented = {
  platform: (platform: Platform) => asked(PLATFORM, 'Platform', platform),
  generation: (generation: ClusterGeneration) => asked(GENERATION, 'ClusterGeneration', generation),
};
