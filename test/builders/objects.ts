import {
  API_VERSION,
  type ClusterGeneration,
  type Cutover,
  FINALIZER,
  FLUX_SSA,
  type GenerationClass,
  type GenerationPool,
  LABEL,
  type MachineTemplate,
  type Metadata,
  type Platform,
  type PoolSpec,
} from '../../src/api/v1alpha1/index.ts';
import { labelsOfMember, poolObjectName } from '../../src/domain/identity.ts';

/**
 * Builders of the five kinds, complete and valid, with names that speak: what a test does not say is as it would be
 * on a quiet platform. Every time is after EPOCH, where tests' clocks start.
 */

export const EPOCH = Date.UTC(2026, 0, 1);

/** `at(90)`: a moment 90 s after EPOCH, as the API writes it. */
export const at = (seconds: number): string => new Date(EPOCH + seconds * 1000).toISOString();

export const metadataOf = (name: string, changes: Partial<Metadata> = {}): Metadata => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: '1',
  generation: 1,
  creationTimestamp: at(-3600),
  ...changes,
});

export const aTemplate = (changes: Partial<MachineTemplate> = {}): MachineTemplate => ({
  ec2: { launchTemplate: { id: 'lt-0abc', version: '7' }, instanceType: 'm6i.xlarge' },
  ...changes,
});

export const aPoolSpec = (changes: Partial<PoolSpec> = {}): PoolSpec => ({
  name: 'web',
  role: 'web',
  machines: 3,
  template: aTemplate(),
  ...changes,
});

type Changes<T extends { spec: object; status: object }> = {
  name?: string;
  metadata?: Partial<Metadata>;
  spec?: Partial<T['spec']>;
  status?: Partial<T['status']>;
};

export const aClass = (changes: Changes<GenerationClass> = {}): GenerationClass => ({
  apiVersion: API_VERSION,
  kind: 'GenerationClass',
  metadata: metadataOf(changes.name ?? 'aws', changes.metadata),
  spec: {
    provider: 'ec2',
    ec2: { region: 'us-east-1' },
    subnets: [
      { id: 'subnet-a', zone: 'us-east-1a' },
      { id: 'subnet-b', zone: 'us-east-1b' },
    ],
    recoveryReserve: '20%',
    ...changes.spec,
  },
  status: { observedGeneration: 1, ...changes.status },
});

/** A platform with one role per name, nothing live, no traffic targets, and a guard that works. `live`: the name of its live generation. */
export const aPlatform = (changes: Changes<Platform> & { live?: string; roles?: string[] } = {}): Platform => ({
  apiVersion: API_VERSION,
  kind: 'Platform',
  metadata: metadataOf(changes.name ?? 'us', changes.metadata),
  spec: {
    className: 'aws',
    roles: (changes.roles ?? ['web']).map((name) => ({ name, handover: 'Beside' })),
    singletonAdmission: 'Gated',
    traffic: [],
    approvals: { required: 0 },
    retention: { standby: 'Running', for: '48h' },
    recovery: 'Refill',
    destructiveBudget: { machinesPerMinute: 30 },
    blastRadius: { machines: '5%', window: '1h' },
    ...changes.spec,
  },
  status: {
    observedGeneration: 1,
    protected: changes.live === undefined ? [] : [changes.live],
    guard: { effective: true, lastProbeTime: at(0), probes: [] },
    ...(changes.live !== undefined && { live: { name: changes.live, uid: `uid-${changes.live}`, time: at(0) } }),
    ...changes.status,
  },
});

/** A generation that was never live, with one pool of three machines. */
export const aGeneration = (
  changes: Changes<ClusterGeneration> & {
    /** It has been live, and no cutover has retired it. */
    live?: boolean;
    /** It was live and a cutover has retired it. */
    retired?: boolean;
    /** Name of the cutover that holds it. */
    reservedBy?: string;
    /** All its machines are there. */
    ready?: boolean;
    deleting?: boolean;
  } = {},
): ClusterGeneration => {
  const { live, retired, reservedBy, ready, deleting } = changes;
  return {
    apiVersion: API_VERSION,
    kind: 'ClusterGeneration',
    metadata: metadataOf(changes.name ?? 'green', {
      finalizers: [FINALIZER],
      ...(deleting && { deletionTimestamp: at(0) }),
      ...changes.metadata,
    }),
    spec: { platform: 'us', release: '2026-01-01', pools: [aPoolSpec()], adopt: false, ...changes.spec },
    status: {
      observedGeneration: 1,
      ...((live || retired) && { liveTime: at(0) }),
      ...(retired && { retiredTime: at(60), retiredBy: { name: 'to-next', uid: 'uid-to-next' } }),
      ...(reservedBy !== undefined && { reservedBy: { name: reservedBy, uid: `uid-${reservedBy}` } }),
      ...(ready && { conditions: [aCondition({ type: 'Ready', status: 'True', reason: 'AllReady' })] }),
      ...changes.status,
    },
  };
};

/** One that gave way to blue, and whose machines are to be stopped until a rollback wants them. */
export const aStandby = (changes: Parameters<typeof aGeneration>[0] = {}): ClusterGeneration =>
  aGeneration({
    live: true,
    ...changes,
    status: {
      retention: { until: at(9000), standby: 'Stopped', cutover: { name: 'to-blue', uid: 'uid-to-blue' } },
      ...changes?.status,
    },
  });

/** A pool of generation `green` in subnet-a, with nothing launched. `instances`: ids of machines that it counts. */
export const aPool = (
  changes: Changes<GenerationPool> & { generation?: string; instances?: string[]; deleting?: boolean } = {},
): GenerationPool => {
  const generation = changes.generation ?? 'green';
  const spec: GenerationPool['spec'] = {
    platform: 'us',
    className: 'aws',
    generation,
    generationUID: `uid-${generation}`,
    role: 'web',
    machines: 3,
    template: aTemplate(),
    placement: [{ subnet: 'subnet-a', machines: changes.spec?.machines ?? 3 }],
    ...changes.spec,
  };
  const pool: GenerationPool = {
    apiVersion: API_VERSION,
    kind: 'GenerationPool',
    metadata: metadataOf(changes.name ?? poolObjectName(generation, 'web'), {
      finalizers: [FINALIZER],
      ...(changes.deleting && { deletionTimestamp: at(0) }),
      ...changes.metadata,
    }),
    spec,
    status: {
      observedGeneration: 1,
      ...(changes.instances && {
        instances: changes.instances.map((id) => ({
          id,
          subnet: spec.placement[0]?.subnet ?? 'subnet-a',
          time: at(0),
        })),
      }),
      ...changes.status,
    },
  };
  return { ...pool, metadata: { ...pool.metadata, labels: labelsOfMember(pool) } };
};

/** The first cutover of platform `us`, to green; `from: 'blue'` makes it a later one. */
export const aCutover = (changes: Changes<Cutover> & { from?: string; to?: string } = {}): Cutover => ({
  apiVersion: API_VERSION,
  kind: 'Cutover',
  metadata: metadataOf(changes.name ?? `to-${changes.to ?? 'green'}`, {
    annotations: { [FLUX_SSA]: 'Merge' },
    ...changes.metadata,
  }),
  spec: { platform: 'us', from: changes.from ?? '', to: changes.to ?? 'green', mode: 'Planned', ...changes.spec },
  status: { observedGeneration: -1, ...changes.status },
});

export const aCondition = (
  changes: Partial<NonNullable<Cutover['status']['conditions']>[number]> = {},
): NonNullable<Cutover['status']['conditions']>[number] => ({
  type: 'Ready',
  status: 'True',
  reason: 'AllReady',
  message: '',
  lastTransitionTime: at(0),
  observedGeneration: 1,
  ...changes,
});

/** A Service target of role web, and a set of two addresses of role load-balancer. */
export const aServiceTarget = (changes: Partial<Platform['spec']['traffic'][number]> = {}) => ({
  name: 'www',
  role: 'web',
  service: { namespace: 'edge', name: 'www' },
  ...changes,
});
export const anAddressTarget = (changes: Partial<Platform['spec']['traffic'][number]> = {}) => ({
  name: 'public-ips',
  role: 'web',
  elasticIPs: { allocationIDs: ['eipalloc-1', 'eipalloc-2'] },
  ...changes,
});

/** What a Service target's selector has to be for a generation. */
export const selectorFor = (generation: string, role = 'web'): Record<string, string> => ({
  [LABEL.platform]: 'us',
  [LABEL.role]: role,
  [LABEL.generation]: generation,
});
