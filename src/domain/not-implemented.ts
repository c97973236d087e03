import type { ClusterGeneration, Cutover, Platform } from '../api/v1alpha1/index.ts';

/**
 * Fields of the API that ask for something this version cannot do. A spec that sets one is not carried out with that
 * part left away: it is refused by name.
 */

type Asks<T> = [field: string, asks: (spec: T) => boolean][];

const PLATFORM: Asks<Platform['spec']> = [
  ['spec.roles[].handover', (spec) => spec.roles.some((role) => role.handover !== 'Beside')],
  ['spec.singletonAdmission', (spec) => spec.singletonAdmission !== 'Gated'],
  ['spec.traffic[].preview', (spec) => spec.traffic.some((target) => target.preview !== undefined)],
  ['spec.traffic[].maintenance', (spec) => spec.traffic.some((target) => target.maintenance !== undefined)],
  ['spec.jobs', (spec) => spec.jobs !== undefined],
  ['spec.approvals.required', (spec) => spec.approvals.required > 0],
  ['spec.retention.standby: Stopped', (spec) => spec.retention.standby === 'Stopped'],
  ['spec.recovery', (spec) => spec.recovery !== 'Refill'],
];

const GENERATION: Asks<ClusterGeneration['spec']> = [['spec.adopt', (spec) => spec.adopt]];

const CUTOVER: Asks<Cutover['spec']> = [
  ['spec.mode', (spec) => spec.mode !== 'Planned'],
  ['spec.supersedes', (spec) => spec.supersedes !== undefined],
  ['spec.notBefore', (spec) => spec.notBefore !== undefined],
  ['spec.notAfter', (spec) => spec.notAfter !== undefined],
  ['spec.migrations', (spec) => (spec.migrations ?? []).length > 0],
  ['spec.verify', (spec) => (spec.verify ?? []).length > 0],
  ['spec.soak', (spec) => spec.soak !== undefined],
  ['spec.approvals', (spec) => (spec.approvals ?? []).length > 0],
  ['spec.paused', (spec) => spec.paused === true],
  ['spec.abort', (spec) => spec.abort === true],
];

const asked = <T>(asks: Asks<T>, kind: string, object: { metadata: { name: string }; spec: T }): string | undefined => {
  const fields = asks.filter(([, asks]) => asks(object.spec)).map(([field]) => field);
  if (fields.length === 0) return undefined;
  return `${kind} ${object.metadata.name} asks for what this version does not do yet: ${fields.join(', ')}. Nothing is done until these are left out`;
};

/** Why a spec cannot be carried out as it stands, naming the fields; undefined when it can. */
export const notImplemented = {
  platform: (platform: Platform) => asked(PLATFORM, 'Platform', platform),
  generation: (generation: ClusterGeneration) => asked(GENERATION, 'ClusterGeneration', generation),
  cutover: (cutover: Cutover) => asked(CUTOVER, 'Cutover', cutover),
};
