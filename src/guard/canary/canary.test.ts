import { describe, expect, it } from '@jest/globals';
import {
  aClass,
  aCutover,
  aGeneration,
  anApiServer,
  aPlatform,
  aPool,
  EPOCH,
  metadataOf,
  refusal,
} from '../../../test/builders/index.ts';
import { CUTOVER_FINALIZER } from '../../api/v1alpha1/index.ts';
import { clusterGenerations, generationClasses, generationPools, platforms } from '../../kinds.ts';
import { clientOver, type KubeClient } from '../../kube/client.ts';
import { type Pod, pods } from '../../kube/resources.ts';
import type { ApiRequest } from '../../kube/transport.ts';
import { manualClock } from '../../runtime/clock.ts';
import { silent } from '../../runtime/logger.ts';
import { canary } from './canary.ts';
import { crds, GUARDED_CRD } from './probes.ts';
import type { Known } from './subject.ts';

type Answer = (request: ApiRequest) => 'deny' | 'accept' | Error | object;

const denial = (request: ApiRequest) =>
  refusal(403, 'Forbidden', `${request.method}: ValidatingAdmissionPolicy 'generations-guard-tested' denied request`);
const isDry = ({ body, query }: ApiRequest): boolean =>
  query?.dryRun === 'All' || JSON.stringify((body as { dryRun?: unknown })?.dryRun) === '["All"]';

/** A site in memory, and API servers in front of it that answer writes as they are told. */
function world(
  options: {
    answers?: Record<string, Answer>;
    all?: boolean;
    listed?: string[];
    sampleCloud?: (known: Known) => Promise<void>;
  } = {},
) {
  const clock = manualClock({ now: EPOCH });
  const server = anApiServer(() => clock.now());
  server.seed(platforms, aPlatform({ live: 'green' }));
  server.seed(clusterGenerations, aGeneration({ live: true }));
  server.seed(generationPools, aPool());
  server.seed(generationClasses, aClass());
  server.seed(crds, { metadata: metadataOf(GUARDED_CRD) });
  const inner = server.client();
  const answers: Record<string, Answer> = { main: () => 'deny', ...options.answers };
  const tried: string[] = [];
  const wet: ApiRequest[] = [];
  const clientOf = (address: string): KubeClient => {
    const send = async (request: ApiRequest): Promise<unknown> => {
      if (request.method === 'GET') return inner.transport.send(request);
      if (!isDry(request)) wet.push(request);
      tried.push(`${address}: ${request.method} ${request.resource.plural}`);
      const answer = answers[address]?.(request) ?? 'deny';
      if (answer instanceof Error) throw answer;
      if (answer === 'deny') throw denial(request);
      return answer === 'accept' ? {} : answer;
    };
    return clientOver({ send, stream: inner.transport.stream, close: async () => {} }, 'test', 'default');
  };
  const main = clientOf('main');
  const listed = (options.listed ?? ['main']).map((address) => ({
    address,
    client: address === 'main' ? main : clientOf(address),
  }));
  const counted: string[] = [];
  const watcher = canary({
    client: main,
    namespace: 'generations-system',
    servers: { list: async () => ({ servers: listed, all: options.all ?? true }) },
    clock,
    log: silent,
    ...(options.sampleCloud && { sampleCloud: options.sampleCloud }),
    observer: { probed: (family, outcome) => counted.push(`${family} ${outcome}`) },
  });
  const known = (): Known => ({
    platform: server.read(platforms, 'us')!,
    generationClass: server.read(generationClasses, 'aws'),
    generations: [],
    live: server.read(clusterGenerations, 'green'),
    pools: server.all(generationPools),
    nodes: [],
    cutovers: [],
    gated: [],
    workloads: [],
    marked: [],
  });
  const probe = async (changes: Partial<Known> = {}) => watcher.probe({ ...known(), ...changes });
  return { clock, server, watcher, probe, known, tried, wet, counted, answers };
}

const holes = (round: Awaited<ReturnType<ReturnType<typeof world>['probe']>>) =>
  round?.results.filter(({ outcome }) => outcome === 'Hole').map(({ target, verb }) => `${verb} ${target}`);
const down = () => refusal(0, 'Unreachable', 'no answer');

describe('a round', () => {
  it.each([
    ['by its journal', { status: { generations: { to: { name: 'green', uid: 'uid-green' } } } }],
    ['by its finalizer', { metadata: { finalizers: [CUTOVER_FINALIZER] } }],
  ])('tries a Cutover that is under way %s, and none that waits or has ended', async (_sign, signs) => {
    const { probe } = world();
    const ended = aCutover({ name: 'ended', status: { outcome: 'Succeeded', generations: {} } });
    const cutovers = [aCutover({ name: 'waiting' }), ended, aCutover({ name: 'under-way', ...signs })];
    const round = await probe({ cutovers });
    expect(round?.results.filter(({ target }) => target.startsWith('Cutover'))).toEqual([
      expect.objectContaining({ family: 'delete-cutover', target: 'Cutover under-way', outcome: 'Denied' }),
      expect.objectContaining({ family: 'forge-approval', target: 'Cutover under-way', outcome: 'Denied' }),
    ]);
  });

  it('sees what is refused, and sends nothing but dry runs', async () => {
    const { probe, wet, counted, tried } = world();
    const round = await probe();
    expect(round?.results.filter(({ outcome }) => outcome === 'Denied').map(({ family }) => family)).toEqual([
      'delete-generation',
      'delete-pool',
      'delete-platform',
      'delete-class',
      'delete-crd',
      'strip-finalizer',
      'retire-generation',
      'take-down-platform',
      'relabel-pool',
      'create-pod',
    ]);
    expect(round).toMatchObject({ time: EPOCH, live: true, overridden: false });
    expect(wet).toEqual([]);
    expect(tried).toHaveLength(10);
    expect(counted).toContain('delete-pool Denied');
  });

  it('believes a hole only after a second try on what is there now', async () => {
    const { probe, server } = world({
      answers: {
        main: ({ method, resource }) => (method === 'DELETE' && resource.plural === 'platforms' ? 'accept' : 'deny'),
      },
    });
    expect(holes(await probe())).toEqual(['delete Platform us']);
    // Retired and given up a moment ago, which the caches do not know yet: it may be deleted.
    const before = server.read(platforms, 'us')!;
    server.edit(platforms, 'us', (platform) => {
      platform.status.protected = [];
    });
    expect(holes(await probe({ platform: before, live: undefined }))).toEqual([]);
  });

  describe('with a role whose pods have a gate', () => {
    const roles = [{ name: 'always-on', handover: 'Singleton' as const }];
    const platform = aPlatform({ live: 'green', spec: { roles } });
    const gates = [{ name: 'generations.dev/placement' }];
    const gated = { metadata: { finalizers: ['generations.dev/placement'] }, spec: { schedulingGates: gates } };
    /** Whether the request is for a pod that has no gate and is on no Node. */
    const isUngated = ({ method, resource, body }: ApiRequest) => {
      const { metadata, spec } = body as { metadata?: { labels?: object }; spec?: object };
      const isPlaced = JSON.stringify(metadata?.labels ?? {}).includes('always-on') && !('nodeName' in (spec ?? {}));
      return method === 'POST' && resource.plural === 'pods' && isPlaced;
    };
    const put =
      (made: object): Answer =>
      (request) =>
        isUngated(request) ? made : 'deny';
    const outcomeOf = async (answer: Answer) => {
      const { probe, server } = world({ answers: { main: answer } });
      server.edit(platforms, 'us', ({ spec }) => {
        spec.roles = roles;
      });
      return (await probe({ platform }))?.results.find(({ family }) => family === 'ungate-pod');
    };

    it('takes a pod that is given one for what it wants', async () => {
      expect(await outcomeOf(put(gated))).toEqual({
        family: 'ungate-pod',
        verb: 'leave the gate off',
        target: 'Pod generations-system/generations-canary',
        outcome: 'Denied',
        policy: 'generations-placement',
      });
    });

    it.each([
      ['is created without it', put({ ...gated, spec: {} })],
      ['lacks the finalizer', put({ metadata: {}, spec: { schedulingGates: gates } })],
      ['is refused for having none', put(denial({ method: 'POST' } as ApiRequest))],
    ])('takes it for a hole that one %s', async (_, answer) => {
      expect(await outcomeOf(answer)).toMatchObject({ outcome: 'Hole' });
    });

    it('stops for ever when one was created', async () => {
      const { probe, server, answers } = world();
      answers.main = (request) => {
        if (!isUngated(request)) return 'deny';
        server.seed(pods, {
          metadata: { ...metadataOf('generations-canary'), namespace: 'generations-system' },
        } as Pod);
        return gated;
      };
      expect(await probe({ platform })).toBeUndefined();
      expect(await probe({ platform })).toBeUndefined();
    });
  });

  it('tries again what came too late', async () => {
    let first = true;
    const { probe, tried } = world({
      answers: {
        main({ resource }) {
          if (resource.plural !== 'clustergenerations' || !first) return 'deny';
          first = false;
          return refusal(409, 'Conflict', 'modified');
        },
      },
    });
    const round = await probe();
    expect(round?.results[0]).toMatchObject({ family: 'delete-generation', outcome: 'Denied' });
    expect(tried.slice(0, 2)).toEqual(['main: DELETE clustergenerations', 'main: DELETE clustergenerations']);
  });

  it('that nobody answers is no result', async () => {
    const { probe, counted } = world({
      answers: { main: ({ resource }) => (resource.plural === 'platforms' ? down() : 'deny') },
    });
    expect(await probe()).toBeUndefined();
    expect(counted).toEqual([]);
  });

  it('does not skip what two people have lifted: it says so', async () => {
    const { probe } = world();
    const until = new Date(EPOCH + 600_000).toISOString();
    const platform = aPlatform({
      live: 'green',
      status: { override: { generation: 'green', uid: 'uid-green', until } },
    });
    const round = await probe({ platform });
    expect(round?.overridden).toBe(true);
    expect(round?.results.find(({ family }) => family === 'delete-pool')).toMatchObject({ outcome: 'Skipped' });
    expect(round?.results.find(({ family }) => family === 'delete-crd')).toMatchObject({ outcome: 'Denied' });
  });

  it('has the machines looked at as well, without waiting for the cloud', async () => {
    const looked: Known[] = [];
    const { probe, clock } = world({
      sampleCloud: (known) => {
        looked.push(known);
        return looked.length === 1 ? new Promise(() => {}) : Promise.resolve();
      },
    });
    expect(await probe()).toBeDefined();
    await clock.advance(5_000);
    expect(await probe()).toBeDefined();
    // The first look is still under way.
    expect(looked.map(({ platform }) => platform.metadata.name)).toEqual(['us']);
  });

  it('is not lost when the cloud is in trouble', async () => {
    const { probe } = world({ sampleCloud: () => Promise.reject(refusal(500, 'InternalError', 'no')) });
    expect(await probe()).toBeDefined();
  });

  it('stops for ever when a dry run had an effect', async () => {
    const { probe, server, tried, answers } = world();
    answers.main = ({ method, resource }) => {
      if (method !== 'DELETE' || resource.plural !== 'generationpools') return 'deny';
      server.edit(generationPools, 'green.web', ({ metadata }) => {
        metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
      });
      return 'accept';
    };
    expect(await probe()).toBeUndefined();
    const sent = tried.length;
    expect(await probe()).toBeUndefined();
    expect(tried).toHaveLength(sent);
  });

  it('whose report could not be written is not run again at once', async () => {
    const { probe, tried, clock } = world();
    const first = await probe();
    expect(await probe()).toBe(first);
    expect(tried).toHaveLength(10);
    await clock.advance(5_000);
    expect(await probe()).not.toBe(first);
  });
});

describe('several API servers', () => {
  const open: Answer = ({ method, resource }) =>
    method === 'DELETE' && resource.plural === 'platforms' ? 'accept' : 'deny';

  it('are asked one by one, and a hole says where it is', async () => {
    const { probe, tried } = world({ listed: ['a', 'b'], answers: { b: open } });
    expect(holes(await probe())).toEqual(['delete Platform us at b']);
    expect(new Set(tried.map((line) => line.slice(0, 2)))).toEqual(new Set(['a:', 'b:']));
  });

  it('count without one that does not answer, but for its holes', async () => {
    const silentAfter: Answer = (request) => (request.resource.plural === 'generationclasses' ? down() : open(request));
    expect(holes(await world({ listed: ['a', 'b'], answers: { b: () => down() } }).probe())).toEqual([]);
    expect(holes(await world({ listed: ['a', 'b'], answers: { b: silentAfter } }).probe())).toEqual([
      'delete Platform us at b',
    ]);
  });

  it('of which none can be reached are asked through what balances between them', async () => {
    const { probe, tried } = world({ listed: ['a'], answers: { a: () => down() } });
    expect((await probe())?.results.some(({ outcome }) => outcome === 'Denied')).toBe(true);
    expect(tried).toContain('main: DELETE platforms');
  });
});

describe('new protection', () => {
  it('is seen when every API server refuses', async () => {
    const { watcher, known } = world({ listed: ['a', 'b'] });
    expect(await watcher.sees(known().pools[0]!, 'uid-to-green')).toEqual({ seen: true });
  });

  it('is waited for at one that does not refuse yet, and overdue after half a minute', async () => {
    const { watcher, known, clock, answers } = world({ listed: ['a', 'b'], answers: { b: () => 'accept' } });
    const [pool] = known().pools;
    expect(await watcher.sees(pool!, 'uid-to-green')).toMatchObject({
      seen: false,
      overdue: false,
      waitingFor: 'the API server at b does not refuse the deletion of GenerationPool green.web yet',
    });
    await clock.advance(30_001);
    expect(await watcher.sees(pool!, 'uid-to-green')).toMatchObject({ seen: false, overdue: true });
    answers.b = () => 'deny';
    expect(await watcher.sees(pool!, 'uid-to-green')).toEqual({ seen: true });
  });

  it.each<[string, Parameters<typeof world>[0]]>([
    ['that does not answer', { listed: ['a', 'b'], answers: { b: () => down() } }],
    ['that may be there, unknown', { all: false }],
  ])('at one %s is taken to be in force 10 s after it was written', async (_, options) => {
    const { watcher, known, clock } = world(options);
    const [pool] = known().pools;
    expect(await watcher.sees(pool!, 'uid-to-green')).toMatchObject({
      seen: false,
      waitingFor: expect.stringContaining('10 s'),
    });
    await clock.advance(9_999);
    expect(await watcher.sees(pool!, 'uid-to-green')).toMatchObject({ seen: false });
    await clock.advance(1);
    expect(await watcher.sees(pool!, 'uid-to-green')).toEqual({ seen: true });
  });

  it('is never taken to be in force when no API server at all refuses', async () => {
    const { watcher, known, clock } = world({ answers: { main: () => down() } });
    const [pool] = known().pools;
    await watcher.sees(pool!, 'uid-to-green');
    await clock.advance(60_000);
    expect(await watcher.sees(pool!, 'uid-to-green')).toMatchObject({ seen: false, overdue: true });
  });
});
