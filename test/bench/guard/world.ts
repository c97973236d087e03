import { aGeneration, aPlatform, aPoolSpec } from '../../builders/objects.ts';
import { aKubeletsNode } from '../kit/nodes.ts';

/**
 * What both webhooks look things up in, and what they are asked: a live generation of 600 machines of which as many are cordoned as may
 * be, beside one that never was live.
 */

const MACHINES = 600;
/** 5 %: one more is refused. */
const CORDONED = 30;
const STAGED = 60;

interface Described {
  name: string;
  labels: Record<string, string>;
  ready: boolean;
  unschedulable: boolean;
}

const pools = (machines: number) => [aPoolSpec({ machines })];
/** The objects, as the operator's caches have them. */
export const platform = aPlatform({ live: 'blue' });
export const generations = [
  aGeneration({ name: 'blue', live: true, spec: { pools: pools(MACHINES) } }),
  aGeneration({ name: 'green', spec: { pools: pools(STAGED) } }),
];

const memberOf = (generation: string, index: number, unschedulable: boolean): Described => ({
  name: `${generation}-${index}`,
  labels: {
    'generations.dev/platform': platform.metadata.name,
    'generations.dev/generation': generation,
    'generations.dev/generation-uid': `uid-${generation}`,
    'generations.dev/pool': 'web',
    'generations.dev/role': 'web',
  },
  ready: true,
  unschedulable,
});

export const members: Described[] = [
  ...Array.from({ length: MACHINES }, (_, index) => memberOf('blue', index, index < CORDONED)),
  ...Array.from({ length: STAGED }, (_, index) => memberOf('green', index, false)),
];

/** The same for the program in Go. */
export const worldForGo = () => ({
  platforms: [
    {
      name: platform.metadata.name,
      live: platform.status.live,
      protected: platform.status.protected,
      percent: Number.parseInt(platform.spec.blastRadius.machines, 10),
      window: platform.spec.blastRadius.window,
    },
  ],
  generations: generations.map(({ metadata, spec, status }) => ({
    name: metadata.name,
    uid: metadata.uid,
    platform: spec.platform,
    machines: spec.pools.reduce((sum, { machines }) => sum + machines, 0),
    liveTime: status.liveTime ?? '',
    retired: status.retiredTime !== undefined,
  })),
  nodes: members,
});

/** Each with the answer that it must get: a label is changed; one more is cordoned; one that never was live is cordoned. */
export function reviews(count: number): { allowed: boolean; review: object }[] {
  return Array.from({ length: count }, (_, index) => {
    const live = memberOf('blue', CORDONED + index, false);
    switch (index % 3) {
      case 0:
        return { allowed: true, review: review(index, live, { labels: { example: 'changed' } }) };
      case 1:
        return { allowed: false, review: review(index, live, { unschedulable: true }) };
      default:
        return {
          allowed: true,
          review: review(index, memberOf('green', index % STAGED, false), { unschedulable: true }),
        };
    }
  });
}

function review(index: number, { name, labels }: Described, change: { labels?: object; unschedulable?: boolean }) {
  const kubelets = aKubeletsNode(index);
  const node = {
    ...kubelets,
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { ...kubelets.metadata, name, uid: `uid-${name}`, labels: { ...kubelets.metadata.labels, ...labels } },
  };
  const resource = { group: '', version: 'v1', resource: 'nodes' };
  const kind = { group: '', version: 'v1', kind: 'Node' };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      name,
      operation: 'UPDATE',
      userInfo: { username: 'alice@example.com', groups: ['system:authenticated'] },
      object: {
        ...node,
        metadata: { ...node.metadata, labels: { ...node.metadata.labels, ...change.labels } },
        spec: { ...node.spec, ...(change.unschedulable && { unschedulable: true }) },
      },
      oldObject: node,
      dryRun: false,
      options: { apiVersion: 'meta.k8s.io/v1', kind: 'UpdateOptions' },
    },
  };
}
