import { describe, expect, it } from '@jest/globals';
import { aGeneration, aPlatform, aPool, at, EPOCH } from '../../../test/builders/index.ts';
import { type ClusterGeneration, LABEL, type Platform } from '../../api/v1alpha1/index.ts';
import { type Member, outages } from '../../domain/blast-radius.ts';
import type { Node } from '../../kube/resources.ts';
import { decide, type Facts } from './decide.ts';
import type { Act, Decision, Review } from './review.ts';
import type { View } from './view.ts';

const moment = { now: EPOCH + 3_600_000, scaled: (ms: number) => ms };
const person = { username: 'alice@example.com', extra: {} };
const impostor = { username: 'system:serviceaccount:generations-system:generations-operator', extra: {} };
const operator = { ...impostor, extra: { 'authentication.kubernetes.io/credential-id': ['JTI=1'] } };

const labels = (generation = 'green') => ({
  [LABEL.generation]: generation,
  [LABEL.generationUID]: `uid-${generation}`,
});

const aMember = (name: string, changes: Partial<Member> = {}): Member => ({
  name,
  ready: true,
  unschedulable: false,
  maintenance: undefined,
  labels: labels(),
  ...changes,
});

/** The same as the API server sends it. */
const nodeOf = ({ name, ready, unschedulable, maintenance, labels }: Member): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name,
    uid: `uid-${name}`,
    resourceVersion: '1',
    creationTimestamp: at(0),
    labels,
    ...(maintenance !== undefined && { annotations: { 'generations.dev/maintenance': maintenance } }),
  },
  spec: { unschedulable },
  status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});

/** Green is live on us, with three machines n1 to n3; blue never was. `out`: Nodes that are out by now. */
function aWorld(
  changes: {
    platform?: Platform | null;
    generations?: ClusterGeneration[];
    members?: Member[];
    draining?: string[];
  } = {},
) {
  const platform = changes.platform === null ? undefined : (changes.platform ?? aPlatform({ live: 'green' }));
  const generations = changes.generations ?? [aGeneration({ live: true }), aGeneration({ name: 'blue' })];
  const members = changes.members ?? ['n1', 'n2', 'n3'].map((name) => aMember(name));
  const log = outages();
  for (const member of members) log.observe(undefined, member, EPOCH);
  const view: View = {
    platform: (name) => (platform?.metadata.name === name ? platform : undefined),
    generation: (name) => generations.find(({ metadata }) => metadata.name === name),
    generationsOf: (name) => generations.filter(({ spec }) => spec.platform === name),
    node: (name) => members.find((member) => member.name === name),
    tally: log.of,
    draining: (name) => changes.draining?.includes(name) ?? false,
  };
  return (act: Act, user: Review['user'] = person, facts: Facts = {}) =>
    decide({ uid: '1', dryRun: false, user, act }, facts, view, moment);
}

const messageOf = (decision: Decision) => (decision.allowed ? undefined : decision.message);
const update = (before: Member, change: Partial<Member>): Act => ({
  kind: 'update-node',
  before: nodeOf(before),
  after: nodeOf({ ...before, ...change }),
});
const cordon = (member: Member) => update(member, { unschedulable: true });
const maintain = (member: Member, value = member.name) => update(member, { maintenance: value });

describe('taking a Node out', () => {
  const out = aMember('n2', { unschedulable: true });

  it.each<[string, (member: Member) => Act, string]>([
    ['cordoned', cordon, 'cordoned'],
    ['taken into maintenance', maintain, 'taken into maintenance'],
    ['deleted', (member) => ({ kind: 'delete-node', before: nodeOf(member) }), 'deleted'],
  ])('is %s while there is room, and refused when there is none', (_, act, what) => {
    expect(aWorld()(act(aMember('n1')))).toMatchObject({
      allowed: true,
      takesOut: { generationUID: 'uid-green', node: 'n1' },
    });
    const world = aWorld({ members: [aMember('n1'), out, aMember('n3')] });
    expect(messageOf(world(act(aMember('n1'))))).toBe(
      `Node n1 cannot be ${what}: the blast radius of green is used up (green is the live generation of Platform us since ${at(0)}). ` +
        '1 of its 3 machines may be out within 1h (5%), and 1 counts now: n2. Wait until fewer are out, or raise spec.blastRadius of Platform us',
    );
  });

  it('costs nothing for one that is out already', () => {
    const sick = aMember('n1', { ready: false });
    const world = aWorld({ members: [sick, out, aMember('n3')] });
    expect(world(cordon(sick)).allowed).toBe(true);
    expect(world(maintain(sick)).allowed).toBe(true);
    expect(world({ kind: 'delete-node', before: nodeOf(sick) }).allowed).toBe(true);
    expect(world(maintain(out)).allowed).toBe(true);
    // The object is fresher than the cache.
    expect(aWorld({ members: [aMember('n1'), out] })(cordon(sick)).allowed).toBe(true);
  });

  it('goes on in maintenance that was let begin, and only then', () => {
    const members = [aMember('n1', { maintenance: 'n1' }), aMember('n2', { maintenance: 'n2' }), aMember('n3')];
    expect(aWorld({ members })(cordon(members[0]!)).allowed).toBe(false);
    expect(aWorld({ members, draining: ['n1'] })(cordon(members[0]!)).allowed).toBe(true);
    expect(aWorld({ members: [members[0]!, aMember('n2'), aMember('n3')] })(cordon(members[0]!)).allowed).toBe(true);
  });

  it('is nobody’s business where nothing is held', () => {
    const blue = aMember('b1', { labels: labels('blue') });
    const members = [blue, aMember('b2', { labels: labels('blue'), ready: false })];
    expect(aWorld({ members })(cordon(blue)).allowed).toBe(true);
    expect(aWorld()(cordon(aMember('x', { labels: {} }))).allowed).toBe(true);
    expect(
      aWorld({ members: [out] })(cordon(aMember('n1', { labels: { ...labels(), [LABEL.generationUID]: 'former' } })))
        .allowed,
    ).toBe(true);
  });

  it('is held by the generation’s own status when its Platform is missing, with the usual allowance', () => {
    const world = aWorld({ platform: null, members: [aMember('n1'), out, aMember('n3')] });
    expect(messageOf(world(cordon(aMember('n1'))))).toContain('1 of its 3 machines may be out within 1h (5%)');
  });

  it('counts machines of a restored generation by their former UID', () => {
    const restored = aGeneration({ live: true, status: { formerUIDs: ['former'] } });
    const former = { labels: { ...labels(), [LABEL.generationUID]: 'former' } };
    const members = ['n1', 'n2', 'n3'].map((name) => aMember(name, former));
    const cordoned = aMember('n3', { ...former, unschedulable: true });
    const world = (all: Member[]) => aWorld({ generations: [restored], members: all });
    expect(world(members)(cordon(members[0]!)).allowed).toBe(true);
    expect(world([...members.slice(0, 2), cordoned])(cordon(members[0]!)).allowed).toBe(false);
  });

  it('is the operator’s where the generation is not live, with its own token', () => {
    const platform = aPlatform({ live: 'blue', status: { protected: ['blue', 'green'] } });
    const world = aWorld({ platform, members: [aMember('n1'), out] });
    expect(world(cordon(aMember('n1')), operator).allowed).toBe(true);
    expect(world(cordon(aMember('n1')), impostor).allowed).toBe(false);
    expect(aWorld({ members: [aMember('n1'), out] })(cordon(aMember('n1')), operator).allowed).toBe(false);
  });

  it('is not what other changes do', () => {
    const full = aWorld({ members: [aMember('n1'), out] });
    expect(full(update(aMember('n1'), {}))).toEqual({ allowed: true, warnings: [] });
    expect(full(update(aMember('n1', { unschedulable: true }), { unschedulable: false })).allowed).toBe(true);
    expect(full(update(aMember('n1', { maintenance: 'n1' }), { maintenance: undefined })).allowed).toBe(true);
    expect(full(update(aMember('n1', { maintenance: 'n1' }), { labels: { ...labels(), disk: 'fast' } })).allowed).toBe(
      true,
    );
  });

  it('is not meant by an annotation that names another Node: said, not refused', () => {
    expect(aWorld({ members: [aMember('n1'), out] })(maintain(aMember('n1'), 'n9'))).toEqual({
      allowed: true,
      warnings: ['generations.dev/maintenance of Node n1 is "n9": it permits nothing until it is n1'],
    });
  });
});

describe('an eviction', () => {
  const evict: Act = { kind: 'evict', namespace: 'edge', pod: 'www-1' };
  const on = (node: string): Facts => ({ pod: { state: 'placed', node } });

  it('is refused by a Node that serves, whoever asks but the operator', () => {
    expect(messageOf(aWorld()(evict, person, on('n1')))).toContain(
      'kubectl annotate node n1 generations.dev/maintenance=n1, then drain it again',
    );
    expect(aWorld()(evict, impostor, on('n1')).allowed).toBe(false);
    expect(aWorld()(evict, operator, on('n1')).allowed).toBe(true);
  });

  it.each<[string, Partial<Member>, boolean]>([
    ['serves', {}, false],
    ['is cordoned and nothing else', { unschedulable: true }, false],
    ['is in maintenance', { maintenance: 'n1' }, true],
    ['carries the annotation of another Node', { maintenance: 'n2' }, false],
    ['is not Ready', { ready: false }, true],
    ['is of a generation that never was live', { labels: labels('blue') }, true],
    ['belongs to no generation', { labels: {} }, true],
  ])('from a Node that %s', (_, changes, allowed) => {
    const members = [aMember('n1', changes), aMember('n2'), aMember('n3')];
    expect(aWorld({ members })(evict, person, on('n1')).allowed).toBe(allowed);
  });

  it('from a Node in maintenance is refused when others have used up the blast radius, unless it was let begin', () => {
    const members = [aMember('n1', { maintenance: 'n1' }), aMember('n2', { ready: false }), aMember('n3')];
    expect(messageOf(aWorld({ members })(evict, person, on('n1')))).toContain('and 2 count now: n1, n2');
    expect(aWorld({ members, draining: ['n1'] })(evict, person, on('n1')).allowed).toBe(true);
  });

  it('of a pod that takes nothing away is allowed; of one that nobody can find, tried again', () => {
    expect(aWorld()(evict, person, { pod: { state: 'idle' } }).allowed).toBe(true);
    expect(aWorld()(evict, person, on('unknown')).allowed).toBe(true);
    expect(aWorld()(evict, person, { pod: { state: 'unknown', why: 'no answer' } })).toMatchObject({
      allowed: false,
      code: 429,
    });
    expect(aWorld()(evict, person)).toMatchObject({ allowed: false, code: 429 });
  });

  it('is refused of a reserved and of a retained generation as well, and allowed of a retired one', () => {
    const members = [aMember('n1')];
    const world = (generation: ClusterGeneration, names: string[]) =>
      aWorld({ members, generations: [generation], platform: aPlatform({ status: { protected: names } }) });
    expect(world(aGeneration({ reservedBy: 'to-green' }), ['green'])(evict, person, on('n1')).allowed).toBe(false);
    expect(world(aGeneration({ live: true }), ['green'])(evict, person, on('n1')).allowed).toBe(false);
    expect(world(aGeneration({ retired: true }), [])(evict, person, on('n1')).allowed).toBe(true);
  });
});

describe('an override', () => {
  const override = (until: string) => ({ generation: 'green', uid: 'uid-green', until });
  const world = (there: string | undefined, here: string | undefined) =>
    aWorld({
      platform: aPlatform({
        live: 'green',
        status: { ...aPlatform({ live: 'green' }).status, ...(there && { override: override(there) }) },
      }),
      generations: [generation(here)],
    });
  const generation = (until: string | undefined) =>
    aGeneration({ live: true, status: { liveTime: at(0), ...(until && { override: { until } }) } });
  const inForce = new Date(moment.now + 60_000).toISOString();
  const over = new Date(moment.now - 1).toISOString();
  const acts = (until: string | undefined): Act[] => [
    { kind: 'delete-generation', before: generation(until) },
    { kind: 'delete-pool', before: aPool() },
    { kind: 'delete-node', before: nodeOf(aMember('n1')) },
  ];

  it('in force lets its generation, pools and Nodes go, loudly', () => {
    for (const act of acts(inForce)) expect(world(inForce, inForce)(act).allowed).toBe(true);
    const loud = aGeneration({
      live: true,
      status: {
        liveTime: at(0),
        override: { until: inForce },
        machines: { desired: 3, launched: 3, registered: 3, ready: 3, failed: 0 },
      },
    });
    expect(world(inForce, inForce)({ kind: 'delete-generation', before: loud }).warnings).toEqual([
      'break-glass: this terminates the 3 machines of green, which was live',
    ]);
  });

  it('that is over lets none go, whichever object still carries it', () => {
    for (const [there, here] of [
      [over, over],
      [undefined, over],
      [over, undefined],
    ] as const)
      for (const act of acts(here))
        expect(messageOf(world(there, here)(act))).toMatch(
          new RegExp(`cannot be deleted: the override of green ended at ${over}, and green is the live generation`),
        );
  });

  it('that only one object carries, or that ends too late, is not in force', () => {
    const late = new Date(moment.now + 3 * 3_600_000).toISOString();
    for (const [there, here] of [
      [inForce, undefined],
      [undefined, inForce],
      [late, late],
    ] as const)
      expect(messageOf(world(there, here)(acts(here)[0]!))).toContain('the override of green is not in force');
  });

  it('says nothing about what it does not concern', () => {
    expect(world(undefined, undefined)(acts(undefined)[0]!)).toEqual({ allowed: true, warnings: [] });
    const other = { kind: 'delete-pool', before: aPool({ spec: { generationUID: 'another' } }) } as const;
    expect(world(over, over)(other).allowed).toBe(true);
  });
});

describe('deleting a generation', () => {
  const machines = (launched: number) => ({ desired: 60, launched, registered: launched, ready: launched, failed: 0 });
  const warnings = (generation: ClusterGeneration, platform: Platform | null = aPlatform({ live: 'green' })) =>
    aWorld({ platform, generations: [aGeneration({ live: true }), generation] })({
      kind: 'delete-generation',
      before: generation,
    }).warnings;

  it('that never was live says what it holds, and what is live', () => {
    const blue = (launched: number) => aGeneration({ name: 'blue', status: { machines: machines(launched) } });
    expect(warnings(blue(60))).toEqual(['this deletes 60 never-live machines of blue; live is green']);
    expect(warnings(blue(1), null)).toEqual(['this deletes 1 never-live machine of blue; nothing is live on us']);
    expect(warnings(blue(0))).toEqual([]);
    expect(warnings({ ...blue(60), metadata: { ...blue(60).metadata, deletionTimestamp: at(0) } })).toEqual([]);
  });

  it('that is retired says that the record goes, or that machines are left', () => {
    const retired = (launched: number) =>
      aGeneration({
        name: 'old',
        retired: true,
        status: {
          liveTime: at(0),
          retiredTime: at(60),
          retiredBy: { name: 'c', uid: 'c' },
          machines: machines(launched),
        },
      });
    expect(warnings(retired(0))).toEqual([
      `this deletes the record of old, live from ${at(0)} and retired at ${at(60)}`,
    ]);
    expect(warnings(retired(7))[0]).toContain('7 machines of it are still being removed');
  });
});

describe('a generation that shrinks', () => {
  const pools = (web: number) => ({ pools: [{ ...aGeneration().spec.pools[0]!, machines: web }] });
  const act = (before: ClusterGeneration, after: object): Act => ({
    kind: 'update-generation',
    before,
    after: { ...before, spec: { ...before.spec, ...after } },
  });

  it('is told what goes, and only if it never was live', () => {
    const before = aGeneration({ spec: pools(60) });
    expect(aWorld()(act(before, pools(10))).warnings).toEqual([
      'this shrinks pool web of green from 60 to 10: 50 machines too many are terminated',
    ]);
    expect(aWorld()(act(before, { pools: [] })).warnings[0]).toContain('from 60 to 0');
    expect(aWorld()(act(before, pools(61))).warnings).toEqual([]);
    expect(aWorld()(act(aGeneration({ live: true, spec: pools(60) }), pools(10))).warnings).toEqual([]);
  });
});

describe('a Platform', () => {
  const before = aPlatform({ live: 'green' });
  const act = (spec: Partial<Platform['spec']>, status: Partial<Platform['status']> = {}): Act => ({
    kind: 'update-platform',
    before,
    after: { ...before, spec: { ...before.spec, ...spec }, status: { ...before.status, ...status } },
  });
  const override = (generation: string) => ({
    override: { generation, reason: 'fire', release: false, requestedBy: 'a' },
  });
  const going = aGeneration({
    name: 'old',
    retired: true,
    status: {
      liveTime: at(0),
      retiredTime: at(1),
      machines: { desired: 9, launched: 9, registered: 9, ready: 9, failed: 0 },
    },
  });

  it.each<[string, Partial<Platform['spec']>, string[]]>([
    ['nothing new', {}, []],
    [
      'an override of nobody',
      override('typo'),
      ['spec.override names typo, and there is no ClusterGeneration of that name'],
    ],
    [
      'an override of another platform’s',
      override('foreign'),
      ['spec.override names foreign, which belongs to Platform eu: it has no effect here'],
    ],
    [
      'an override that is not needed',
      override('blue'),
      ['spec.override names blue, which nothing protects: it can be deleted without'],
    ],
    ['an override that is', override('green'), []],
    [
      'a faster removal while one runs',
      { destructiveBudget: { machinesPerMinute: 60 } },
      ['old is being removed, 9 machines are left: from now on 60 a minute go instead of 30'],
    ],
    ['a slower one', { destructiveBudget: { machinesPerMinute: 10 } }, []],
    [
      'a large blast radius',
      { blastRadius: { machines: '50%', window: '1h' } },
      ['spec.blastRadius lets 50% of the live generation be out at once: 1 of the 3 machines of green'],
    ],
    ['a usual one', { blastRadius: { machines: '20%', window: '1h' } }, []],
    [
      'nothing kept',
      { retention: { standby: 'None', for: '48h' } },
      ['spec.retention.standby None: the next cutover leaves nothing to roll back to'],
    ],
    [
      'less kept',
      { retention: { standby: 'Running', for: '90m' } },
      ['spec.retention.for 90m instead of 48h: rollback ends that soon after the next cutover'],
    ],
    ['more kept', { retention: { standby: 'Running', for: '3d' } }, []],
  ])('with %s', (_, spec, warnings) => {
    const generations = [
      aGeneration({ live: true }),
      aGeneration({ name: 'blue' }),
      aGeneration({ name: 'foreign', spec: { platform: 'eu' } }),
      going,
    ];
    expect(aWorld({ generations })(act(spec))).toEqual({ allowed: true, warnings });
  });

  it('goes live with what exists and is its own only', () => {
    const live = { live: { name: 'blue', uid: 'uid-blue', time: at(9) } };
    const to = (candidate: Facts['candidate']) => aWorld()(act({}, live), operator, { candidate });
    expect(to(aGeneration({ name: 'blue' })).allowed).toBe(true);
    expect(messageOf(to(undefined))).toContain('there is no ClusterGeneration blue with uid uid-blue');
    expect(to(aGeneration({ name: 'blue', metadata: { uid: 'another' } })).allowed).toBe(false);
    expect(messageOf(to(aGeneration({ name: 'blue', spec: { platform: 'eu' } })))).toContain(
      'it belongs to Platform eu',
    );
    // What cannot be read is not taken for what is not there.
    expect(to('unknown').allowed).toBe(true);
    expect(aWorld()(act({}, {}), operator).allowed).toBe(true);
  });
});

describe('anything else', () => {
  it('is allowed', () => expect(aWorld()({ kind: 'other' })).toEqual({ allowed: true, warnings: [] }));
});
