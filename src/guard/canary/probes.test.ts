import { describe, expect, it } from '@jest/globals';
import { aClass, aCutover, aGeneration, aPlatform, aPool, metadataOf } from '../../../test/builders/index.ts';
import { FINALIZER, LABEL } from '../../api/v1alpha1/index.ts';
import { FAMILIES, type Family, type Probe, probesOf, type Subject } from './probes.ts';

const object = (kind: string, name: string, changes: object = {}) => ({
  apiVersion: 'v1',
  kind,
  metadata: { ...metadataOf(name), ...changes },
});
const full = (changes: Partial<Subject> = {}): Subject => ({
  platform: aPlatform({ live: 'green' }),
  overridden: false,
  generationClass: aClass(),
  live: aGeneration({ live: true }),
  pool: aPool(),
  node: object('Node', 'node-1'),
  cutover: aCutover(),
  crd: object('CustomResourceDefinition', 'clustergenerations.generations.dev'),
  namespace: object('Namespace', 'edge'),
  service: object('Service', 'www', { namespace: 'edge' }),
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
      object: { metadata: { labels: { [LABEL.generation]: 'green', [LABEL.role]: 'canary' } }, spec: aPool().spec },
    });
    expect(probe('cordon-node')?.act).toMatchObject({ do: 'patch', body: { spec: { unschedulable: true } } });
    expect(probe('unlabel-namespace')?.act).toMatchObject({
      body: { metadata: { labels: { [LABEL.protected]: null } } },
    });
  });

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
    }));

  it('leaves alone what two people have lifted the protection of, and tries the rest', () => {
    const found = skipped({ overridden: true });
    expect(new Set(Object.values(found))).toEqual(new Set(['an override by two people is in force']));
    expect(Object.keys(found)).not.toContain('delete-crd');
    expect(Object.keys(found)).toHaveLength(9);
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
