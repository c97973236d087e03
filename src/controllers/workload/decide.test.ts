import { describe, expect, it } from '@jest/globals';
import { aGeneration, aPlatform, at } from '../../../test/builders/index.ts';
import { type ClusterGeneration, LABEL, type Platform } from '../../api/v1alpha1/index.ts';
import { daemonSets, deployments, replicaSets, type Workload } from '../../kube/resources.ts';
import { unguardedOf, viewOfWorkload, type WorkloadView } from '../workloads.ts';
import { decide } from './decide.ts';

const moment = { now: Date.parse(at(0)), scaled: (ms: number) => ms };
const us = aPlatform({ live: 'blue', status: { protected: ['blue', 'green'] } });
const named = [
  aGeneration({ name: 'blue', live: true }),
  aGeneration({ name: 'green', reservedBy: 'to-green' }),
  aGeneration({ name: 'half' }),
];

interface Made {
  name?: string;
  resource?: typeof deployments;
  of?: string | null;
  label?: string;
  role?: string;
  metadata?: object;
}

const aWorkload = ({ name = 'web', resource = deployments, of = 'blue', label, role, metadata }: Made = {}) =>
  viewOfWorkload(resource, {
    metadata: { name, namespace: 'edge', uid: `uid-${name}`, resourceVersion: '1', ...metadata },
    spec: {
      template: {
        metadata: {
          labels: {
            ...(label && { [LABEL.generation]: label }),
            ...(role && { [LABEL.platform]: 'us', [LABEL.role]: role }),
          },
        },
        spec: { nodeSelector: of === null ? {} : { [LABEL.generation]: of } },
      },
    },
  } as Workload);

const place = (workloads?: string) => ({ name: 'edge', uid: 'u', version: '1', leaving: false, workloads });
const decided = (workloads: WorkloadView[], says?: string, platforms: Platform[] = [us], generations = named) =>
  decide({
    namespace: place(says),
    workloads,
    generations: (name) => generations.find(({ metadata }) => metadata.name === name),
    platforms,
    moment,
  });
const listOf = (made: Made, platforms?: Platform[], generations?: ClusterGeneration[]) =>
  decided([aWorkload(made)], undefined, platforms, generations).list;
const singletons = (name: string): Platform =>
  aPlatform({ live: 'blue', spec: { roles: [{ name, handover: 'Singleton' }] }, status: { protected: ['blue'] } });

describe('the list of guarded workloads', () => {
  it.each([
    ['of the live generation', {}, 'deployments/web:blue:us:live'],
    ['of a reserved one', { of: 'green' }, 'deployments/web:green:us:protected'],
    ['that only a label ties to it', { of: null, label: 'blue' }, 'deployments/web:blue:us:live'],
    ['that is a DaemonSet', { resource: daemonSets }, 'daemonsets/web:blue:us:live'],
    [
      'that people have labelled',
      { of: null, metadata: { labels: { [LABEL.protected]: 'true' } } },
      'deployments/web:::',
    ],
  ] as const)('has one %s', (_, made, item) => {
    expect(listOf(made)).toBe(item);
    expect(decided([aWorkload(made)], item).list).toBeUndefined();
  });

  it.each([
    ['of one that never was live', { of: 'half' }],
    ['of none', { of: null }],
    ['of one that nobody knows', { of: 'nobody' }],
    ['that is unprotected by its own name', { metadata: { annotations: { 'generations.dev/unprotect': 'web' } } }],
    [
      'that is the ReplicaSet of a Deployment',
      { resource: replicaSets, metadata: { ownerReferences: [{ kind: 'Deployment', name: 'web', controller: true }] } },
    ],
  ] as const)('has none %s', (_, made) => {
    expect(listOf(made as Made)).toBeUndefined();
    expect(decided([aWorkload(made as Made)], 'deployments/web:blue:us:live').list).toBeNull();
  });

  it('has one that is unprotected by another name', () => {
    const annotations = { 'generations.dev/unprotect': 'another' };
    expect(listOf({ metadata: { annotations } })).toBe('deployments/web:blue:us:live');
  });

  it('leaves those of Singleton roles alone, unless people have labelled them', () => {
    expect(listOf({ role: 'always-on' }, [singletons('always-on')])).toBeUndefined();
    expect(listOf({ role: 'always-on' }, [singletons('another')])).toBe('deployments/web:blue:us:live');
    const labels = { [LABEL.protected]: 'true' };
    expect(listOf({ role: 'always-on', metadata: { labels } }, [singletons('always-on')])).toBe('deployments/web:::');
  });

  it('keeps those of a Platform that is missing or has lost its status', () => {
    expect(listOf({}, [])).toBe('deployments/web:blue:us:protected');
    const { protected: _, live: __, ...status } = us.status;
    expect(listOf({}, [{ ...us, status }])).toBe('deployments/web:blue:us:protected');
    // Its ClusterGeneration is gone, and the Platform still names it.
    const lost = aPlatform({ live: 'blue', status: { protected: ['blue', 'lost'] } });
    expect(listOf({ of: 'lost' }, [lost])).toBe('deployments/web:lost:us:protected');
  });

  it('lets those of a generation go once two people have lifted its protection', () => {
    const until = at(300);
    const platform = { ...us, status: { ...us.status, override: { generation: 'blue', uid: 'uid-blue', until } } };
    const lifted = aGeneration({ name: 'blue', live: true, status: { override: { until } } });
    expect(listOf({}, [platform], [lifted])).toBeUndefined();
  });

  it('is sorted, and names first what is live where there is not room for all', () => {
    const many = Array.from({ length: 2000 }, (_, n) => aWorkload({ name: `${'x'.repeat(100)}${n}`, of: 'green' }));
    const { list, left } = decided([...many, aWorkload({ name: 'b' }), aWorkload({ name: 'a' })]);
    expect(list?.startsWith('deployments/a:blue:us:live deployments/b:blue:us:live deployments/x')).toBe(true);
    expect(list?.length).toBeLessThanOrEqual(200_000);
    expect(left).toBeGreaterThan(0);
  });
});

describe('the label of a workload', () => {
  const labelsOf = (made: Made) => decided([aWorkload(made)]).labels.map(({ generation }) => generation);

  it('is what its template says, whatever the generation', () => {
    expect(labelsOf({ of: 'half' })).toEqual(['half']);
    expect(labelsOf({ of: 'blue', label: 'green' })).toEqual(['blue']);
    expect(labelsOf({ of: 'blue', metadata: { labels: { [LABEL.generation]: 'green' } } })).toEqual(['blue']);
    expect(labelsOf({ of: 'blue', metadata: { labels: { [LABEL.generation]: 'blue' } } })).toEqual([]);
    expect(labelsOf({ of: null })).toEqual([]);
  });
});

describe('a workload of what is about to be live', () => {
  it('is unguarded until it is labelled and listed', () => {
    const labelled = aWorkload({ metadata: { labels: { [LABEL.generation]: 'blue' } } });
    const found = (one: WorkloadView, list?: string) => unguardedOf([one], () => place(list), us);
    expect(found(labelled)).toEqual(['Deployment edge/web']);
    expect(found(aWorkload(), 'deployments/web:blue:us:live')).toEqual(['Deployment edge/web']);
    expect(found(labelled, 'deployments/web-2:blue:us:live')).toEqual(['Deployment edge/web']);
    expect(found(labelled, 'deployments/web:blue:us:protected')).toEqual([]);
  });
});
