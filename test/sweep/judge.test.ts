import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Judge, judge, movesSince } from './judge.ts';
import type { Observed, Plural } from './observer.ts';

/** A site in which A is live and serves; each test changes one thing and asks what the judge says. */

const LABEL = 'generations.dev/';
let subject: Judge;
let revision = 0;

function show(plural: Plural, name: string, object: object | undefined, namespace?: string): string[] {
  revision += 1;
  const metadata = { name, ...(namespace && { namespace }), uid: `uid-${name}`, resourceVersion: String(revision) };
  const { metadata: more, ...rest } = (object ?? {}) as { metadata?: object };
  const full = object && ({ ...rest, metadata: { ...metadata, ...more } } as Observed);
  const key = namespace ? `${namespace}/${name}` : name;
  return subject.take({ number: revision, plural, key, object: full });
}

const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
const platform = (live: string | undefined, names = ['a', 'b']) =>
  show('platforms', 'site', {
    spec: {
      roles: [{ name: 'web' }, { name: 'always-on', handover: 'Singleton' }],
      traffic: [{ name: 'www', role: 'web', service: { namespace: 'edge', name: 'www' } }],
    },
    status: { protected: names, ...(live && { live: { name: live, uid: `uid-${live}` } }) },
  });
const generation = (name: string, status: object, more: object = {}) =>
  show('clustergenerations', name, { metadata: more, spec: { platform: 'site' }, status });
const node = (name: string, of: string, spec: object = {}, more: object = {}) =>
  show('nodes', name, { metadata: { labels: { [`${LABEL}generation`]: of }, ...more }, spec, status: ready });
const pod = (of: string, status: object = ready) =>
  show('pods', `web-${of}`, { metadata: { labels: { [`${LABEL}generation`]: of } }, status }, 'edge');
const service = (of: string) => show('services', 'www', { spec: { selector: { [`${LABEL}generation`]: of } } }, 'edge');
const slice = (...nodes: string[]) =>
  show(
    'endpointslices',
    'www-1',
    {
      metadata: { labels: { 'kubernetes.io/service-name': 'www' } },
      endpoints: nodes.map((nodeName) => ({ addresses: [], conditions: { ready: true }, nodeName })),
    },
    'edge',
  );
const task = (name: string, gated: boolean) =>
  show(
    'pods',
    name,
    {
      metadata: { labels: { app: 'mailer', [`${LABEL}platform`]: 'site', [`${LABEL}role`]: 'always-on' } },
      spec: { schedulingGates: gated ? [{ name: 'gate' }] : [] },
      status: { phase: 'Running' },
    },
    'edge',
  );

beforeEach(() => {
  subject = judge();
  const all = [
    ...generation('a', { liveTime: 't1' }),
    ...generation('b', {}),
    ...node('node-a', 'a'),
    ...node('node-b', 'b'),
    ...pod('a'),
    ...pod('b'),
    ...platform('a'),
    ...service('a'),
    ...slice('node-a'),
  ];
  expect(all).toEqual([]);
});

const says = (problems: string[]) => problems.map((problem) => problem.replace(/ \(revision.*/, ''));

describe('the judge', () => {
  it('has nothing against a cutover as it should be', () => {
    const before = subject.moves();
    const all = [
      ...generation('b', { reservedBy: { name: 'c', uid: 'u' } }),
      ...service('b'),
      ...slice('node-b'),
      ...generation('b', { reservedBy: { name: 'c', uid: 'u' }, liveTime: 't2' }),
      ...platform('b'),
      ...generation('b', { liveTime: 't2' }),
    ];
    expect(all).toEqual([]);
    expect(movesSince(before, subject.moves())).toEqual({
      live: { site: ['b'] },
      selectors: { 'edge/www': ['b'] },
      liveTimes: { b: ['t2'] },
      jobs: {},
    });
  });

  it('sees traffic without anything behind it (S1)', () => {
    expect(says(slice())).toEqual(['S1: Service edge/www has no ready endpoint']);
    expect(says(slice('node-c'))).toEqual(['S1: Service edge/www leads to node-c, which is not there']);
    pod('b', {});
    expect(says(service('b'))).toContain('S1: Service edge/www was pointed at nothing that is Ready');
    generation('b', {}, { deletionTimestamp: 'now' });
    expect(says(service('a'))).not.toContain('S1: Service edge/www was pointed at b, which is being removed');
    expect(says(service('b'))).toContain('S1: Service edge/www was pointed at b, which is being removed');
  });

  it('sees a machine taken from a generation that is held (S2)', () => {
    expect(says(node('node-a', 'a', { unschedulable: true }))).toContain(
      'S2: Node node-a of a, reserved or live and not retired, was cordoned',
    );
    expect(says(show('nodes', 'node-a', undefined))).toContain(
      'S2: Node node-a of a, reserved or live and not retired, was deleted',
    );
    expect(says(show('nodes', 'node-b', undefined))).not.toContain(
      'S2: Node node-b of b, reserved or live and not retired, was deleted',
    );
    expect(says(platform('a', ['b']))).toContain('S2: a was live, is not retired and not protected');
  });

  it('sees a pointer that is lost or points at nothing (S3)', () => {
    expect(says(platform(undefined))).toEqual(['S3: Platform site has no live generation any more']);
    expect(says(platform('b'))).toContain('S3: the live generation b has no liveTime');
    expect(says(platform('c', ['a', 'c']))).toContain('S3: site points at c by UID uid-c, which is not there');
    platform('a');
    expect(says(generation('a', { liveTime: 't1', retiredTime: 't2' }))).toEqual([
      'S3: the live generation a is retired',
    ]);
  });

  it('sees a singleton twice (S9)', () => {
    expect(task('one', false)).toEqual([]);
    expect(task('two', true)).toEqual([]);
    expect(says(task('two', false))).toEqual(['S9: 2 pods of task mailer at once: one, two']);
  });
});
