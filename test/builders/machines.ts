import type { GenerationPool } from '../../src/api/v1alpha1/index.ts';
import type { NodeView } from '../../src/controllers/nodes.ts';
import { labelsOfMember, tagsOfMachine } from '../../src/domain/identity.ts';
import type { Capacity, Machine } from '../../src/providers/provider.ts';
import { ProviderError } from '../../src/providers/provider.ts';
import { aPool, at, EPOCH } from './objects.ts';

/** Builders of what a cloud and its Nodes show. */

export const CLUSTER = 'uid-kube-system';

/** A running machine of `pool`, as the cloud shows it. */
export const aMachine = (changes: Partial<Machine> & { pool?: GenerationPool } = {}): Machine => {
  const { pool = aPool(), ...rest } = changes;
  const id = rest.id ?? 'i-1';
  return {
    id,
    state: 'running',
    type: 'm6i.xlarge',
    subnet: 'subnet-a',
    zone: 'us-east-1a',
    providerID: `aws:///us-east-1a/${id}`,
    launchTime: EPOCH,
    tags: tagsOfMachine(pool, CLUSTER),
    ...rest,
  };
};

/** The Ready Node of a machine, labelled as its pool's. */
export const aNode = (changes: Partial<NodeView> & { machine?: string; pool?: GenerationPool } = {}): NodeView => {
  const { machine = 'i-1', pool = aPool(), ...rest } = changes;
  return {
    name: `node-${machine}`,
    providerID: `aws:///us-east-1a/${machine}`,
    ready: true,
    labels: labelsOfMember(pool),
    taints: [],
    uid: `uid-node-${machine}`,
    unschedulable: false,
    podLimit: 110,
    maintenance: undefined,
    stale: undefined,
    created: at(0),
    ...rest,
  };
};

/** Two subnets with 100 free addresses each and vCPUs for 250 machines of 4. */
export const aCapacity = (
  changes: Partial<Pick<Capacity, 'vcpus' | 'held' | 'network'>> & { free?: Record<string, number> } = {},
): Capacity => ({
  subnets: Object.entries(changes.free ?? { 'subnet-a': 100, 'subnet-b': 100 }).map(([id, free]) => ({
    id,
    zone: `us-east-1${id.slice(-1)}`,
    cidr: '10.0.0.0/24',
    total: 251,
    free,
  })),
  types: { 'm6i.xlarge': 4 },
  network: changes.network ?? { 'm6i.xlarge': { interfaces: 4, addresses: 15 } },
  held: changes.held ?? {},
  vcpus: changes.vcpus ?? { quota: 1000, used: 0 },
});

export const aRefusal = (
  reason: ProviderError['reason'] = 'CapacityUnavailable',
  changes: { code?: string; refused?: boolean; retryAfter?: number; message?: string } = {},
) =>
  new ProviderError(changes.message ?? `the cloud says ${reason}`, {
    reason,
    code: changes.code ?? reason,
    refused: changes.refused ?? true,
    ...(changes.retryAfter !== undefined && { retryAfter: changes.retryAfter }),
  });
