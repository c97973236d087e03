import { describe, expect, it } from '@jest/globals';
import { aClass, aCutover, aGeneration, aPlatform, aPool, metadataOf } from '../../../test/builders/index.ts';
import { FINALIZER, LABEL, PLACEMENT, type Platform } from '../../api/v1alpha1/index.ts';
import { deployments, type Pod } from '../../kube/resources.ts';
import { waitsForPlacement } from './pods.ts';
import { FAMILIES, type Family, type Probe, type Subject } from './probe.ts';
import { probesOf } from './probes.ts';

const object = (kind: string, name: string, changes: object = {}) => ({
  apiVersion: 'v1',
  kind,
  metadata: { ...metadataOf(name), ...changes },
});
const SINGLETON = { name: 'always-on', handover: 'Singleton' as const };
const FOLLOW = { name: 'cron', handover: 'Follow' as const };
const withRoles = (...roles: Platform['spec']['roles']) => aPlatform({ live: 'green', spec: { roles } });
const aPod = (name: string, labels = {}): Pod => ({
  ...object('Pod', name, { namespace: 'generations-system', labels }),
  spec: { containers: [], schedulingGates: [{ name: PLACEMENT }] },
});
const aWorkload = (name: string, changes: object = {}) => ({
  resource: deployments,
  object: { ...object('Deployment', name, { namespace: 'edge', ...changes }), spec: { replicas: 2 } },
});
const full = (changes: Partial<Subject> = {}): Subject => ({
  platform: withRoles(FOLLOW, SINGLETON),
  overridden: false,
  generationClass: aClass(),
  live: aGeneration({ live: true }),
  pool: aPool(),
  node: object('Node', 'node-1'),
  cutover: aCutover(),
  crd: object('CustomResourceDefinition', 'clustergenerations.generations.dev'),
  namespace: object('Namespace', 'edge'),
  service: object('Service', 'www', { namespace: 'edge' }),
  workload: aWorkload('web'),
  listed: aWorkload('web'),
  marked: aWorkload('db', { labels: { [LABEL.protected]: 'true' } }),
  home: 'generations-system',
  stranger: aPod('operator-1'),
  gated: aPod('task-1'),
  ...changes,
});
const probe = (family: Family, changes: Partial<Subject> = {}): Probe | undefined =>
  probesOf(full(changes)).find((one) => one.family === family);
const skipped = (changes: Partial<Subject>) =>
  Object.fromEntries(
    probesOf(full(changes)).flatMap(({ family, skip }) => (skip === undefined ? [] : [[family, skip]])),
  );

describe('the probes of a live platform', () => {
  it('are one of each family, each on an exact object', () => {
    const probes = probesOf(full());
    expect(probes.map(({ family }) => family)).toEqual([...FAMILIES]);
    for (const { act } of probes) {
      if (act?.do === 'create') continue;
      const target = act?.do === 'update' ? act.object.metadata : act?.object;
      expect(target).toMatchObject({ uid: expect.stringContaining('uid-'), resourceVersion: '1' });
    }
    expect(probes.map(({ verb, target }) => `${verb} ${target}`)).toContain('unlabel Service edge/www');
  });

  it('change one thing each', () => {
    const { act: stripped } = probe('strip-finalizer', {
      live: aGeneration({ live: true, metadata: { finalizers: ['keep', FINALIZER] } }),
    })!;
    expect(stripped).toMatchObject({ do: 'update', object: { metadata: { finalizers: ['keep'] } } });
    expect(probe('relabel-pool')?.act).toMatchObject({
      object: { metadata: { labels: { [LABEL.generation]: 'green', [LABEL.role]: 'No_Name' } }, spec: aPool().spec },
    });
    expect(probe('cordon-node')?.act).toMatchObject({ do: 'patch', body: { spec: { unschedulable: true } } });
    expect(probe('unmark-workload')?.act).toMatchObject({
      body: { metadata: { labels: { [LABEL.protected]: null } } },
    });
    expect(probe('unlabel-namespace')?.act).toMatchObject({
      body: { metadata: { labels: { [LABEL.protected]: null } } },
    });
  });

  it('empty a workload as kubectl scale does', () =>
    expect(probe('empty-workload')).toMatchObject({
      target: 'Deployment edge/web',
      act: { do: 'patch', subresource: 'scale', body: { spec: { replicas: 0 } } },
    }));

  it('take the live pointer away and nothing else', () => {
    const platform = aPlatform({ live: 'green' });
    const { live: _, ...status } = platform.status;
    expect(probe('take-down-platform', { platform })?.act).toEqual({
      do: 'update',
      subresource: 'status',
      resource: expect.objectContaining({ kind: 'Platform' }),
      object: { ...platform, status },
    });
  });

  it('forge an approval that nobody has given', () => {
    const cutover = aCutover({ spec: { approvals: [{ user: 'alice@example.com', planHash: 'p1' }] } });
    expect(probe('forge-approval', { cutover })?.act).toEqual({
      do: 'update',
      resource: expect.objectContaining({ kind: 'Cutover' }),
      object: { ...cutover, spec: { ...cutover.spec, approvals: [{ user: 'canary', planHash: 'canary' }] } },
    });
  });

  it('forge a retirement that only a policy can refuse: the schema would take it', () => {
    const live = aGeneration({ live: true, reservedBy: 'to-next' });
    expect(probe('retire-generation', { live })?.act).toMatchObject({
      do: 'update',
      subresource: 'status',
      object: { status: { retiredTime: live.status.liveTime, retiredBy: { uid: 'uid-green' } } },
    });
    expect(JSON.stringify(probe('retire-generation', { live }))).not.toContain('reservedBy');
  });
});

describe('the probes about pods', () => {
  const created = (family: Family, platform?: Platform) => {
    const act = probe(family, platform && { platform })?.act;
    if (act?.do !== 'create') throw new Error(`${family} creates nothing`);
    return act;
  };

  it('create them in the namespace of the operator, for a role that no Platform can have or, on a Node, for one that it has', () => {
    const { object: stray } = created('create-pod');
    expect(stray.metadata).toEqual({
      name: 'generations-canary',
      namespace: 'generations-system',
      labels: { [LABEL.platform]: 'us', [LABEL.role]: 'No_Name' },
    });
    expect(stray.spec).not.toHaveProperty('nodeName');
    expect(created('bind-pod').object).toMatchObject({
      metadata: { labels: { [LABEL.role]: 'always-on' } },
      spec: { nodeName: 'canary' },
    });
  });

  it.each([
    [SINGLETON, [PLACEMENT]],
    [FOLLOW, []],
  ])('want a gate for a pod of role %j, and the finalizers %j', (role, finalizers) => {
    const { object: pod, amendment } = created('ungate-pod', withRoles({ name: 'web', handover: 'Beside' }, role));
    expect(pod.metadata.labels).toMatchObject({ [LABEL.role]: role.name });
    expect(amendment).toEqual({ policy: 'generations-placement', gates: [PLACEMENT], finalizers });
  });

  it('pin one to a generation in a way that no policy takes out of it', () =>
    expect(created('pin-pod')).toMatchObject({
      object: {
        metadata: { labels: { [LABEL.role]: 'always-on' } },
        spec: {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchExpressions: [{ key: LABEL.generation }] }],
              },
            },
          },
        },
      },
    }));

  it('lift a gate onto a generation that cannot be', () =>
    expect(probe('start-pod')).toMatchObject({
      target: 'Pod generations-system/task-1',
      act: { do: 'patch', body: { spec: { schedulingGates: null, nodeSelector: { [LABEL.generation]: 'No_Name' } } } },
    }));

  it('lift no gate but of a role that is placed', () => {
    const platform = withRoles({ name: 'web', handover: 'Beside' }, FOLLOW);
    const waits = (role: string) => waitsForPlacement(platform, aPod('task', { [LABEL.role]: role }));
    expect(['cron', 'web', 'gone'].map(waits)).toEqual([true, false, false]);
    const { spec: _, ...ungated } = aPod('task', { [LABEL.role]: 'cron' });
    expect(waitsForPlacement(platform, ungated)).toBe(false);
  });
});

describe('a family without something to try it on', () => {
  it('says that no live generation is there', () =>
    expect(
      skipped({
        platform: aPlatform(),
        live: undefined,
        pool: undefined,
        node: undefined,
        cutover: undefined,
        namespace: undefined,
        service: undefined,
        workload: undefined,
        listed: undefined,
        marked: undefined,
        stranger: undefined,
        gated: undefined,
      }),
    ).toEqual({
      'delete-generation': 'no live generation is there',
      'delete-pool': 'no live generation is there',
      'delete-platform': 'it protects nothing',
      'delete-cutover': 'none is under way',
      'delete-node': 'no live generation is there',
      'strip-finalizer': 'no live generation is there',
      'retire-generation': 'no live generation is there',
      'take-down-platform': 'it points at no live generation',
      'forge-approval': 'none is under way',
      'relabel-pool': 'no live generation is there',
      'relabel-node': 'no live generation is there',
      'cordon-node': 'no live generation is there',
      'unlabel-namespace': 'none is labelled generations.dev/protected',
      'unlabel-service': 'no traffic target has a Service labelled generations.dev/traffic',
      'delete-workload': 'no live generation is there',
      'empty-workload': 'no live generation is there',
      'unmark-workload': 'none is labelled generations.dev/protected',
      'bind-pod': 'no role is Follow or Singleton',
      'ungate-pod': 'no role is Follow or Singleton',
      'pin-pod': 'no role is Follow or Singleton',
      'start-pod': 'none waits at its gate',
      'delete-pod': 'none is in generations-system',
    }));

  it('leaves the gate alone while pods start without one', () => {
    const platform = withRoles(SINGLETON);
    platform.spec.singletonAdmission = 'Open';
    expect(skipped({ platform })).toEqual({ 'ungate-pod': 'spec.singletonAdmission is Open' });
  });

  it('leaves alone what two people have lifted the protection of, and tries the rest', () => {
    const found = skipped({ overridden: true });
    expect(new Set(Object.values(found))).toEqual(new Set(['an override by two people is in force']));
    expect(Object.keys(found)).not.toContain('delete-crd');
    expect(Object.keys(found)).toHaveLength(11);
  });

  it('leaves alone what somebody is about to unprotect', () => {
    const annotations = { 'generations.dev/unprotect': 'edge' };
    expect(skipped({ namespace: object('Namespace', 'edge', { annotations }) })).toEqual({
      'unlabel-namespace': 'it carries the annotation generations.dev/unprotect',
    });
  });

  it('tries to delete a Platform whose status is lost: everything is protected then', () => {
    const platform = aPlatform();
    delete platform.status.protected;
    expect(probe('delete-platform', { platform })?.act).toMatchObject({ do: 'delete' });
  });
});
