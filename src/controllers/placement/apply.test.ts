import { beforeEach, describe, expect, it } from '@jest/globals';
import { type ApiServer, anApiServer, type Fate } from '../../../test/builders/api-server.ts';
import { aPlatform } from '../../../test/builders/index.ts';
import { AMPLE } from '../../../test/builders/pods.ts';
import { PLACEMENT, type Platform } from '../../api/v1alpha1/index.ts';
import { platforms } from '../../kinds.ts';
import { ApiError } from '../../kube/errors.ts';
import type { EventInput } from '../../kube/events.ts';
import { type Pod, pods } from '../../kube/resources.ts';
import { store } from '../../kube/store.ts';
import { manualClock } from '../../runtime/clock.ts';
import { silent } from '../../runtime/logger.ts';
import type { Context } from '../context.ts';
import { viewOfPod } from '../pods.ts';
import { apply } from './apply.ts';
import { decide } from './decide.ts';
import { located } from './gather.ts';
import { type PlacementInput, placedRolesOf } from './input.ts';
import { memory } from './memory.ts';

const GENERATION = 'generations.dev/generation';
const clock = manualClock();
const roles: Platform['spec']['roles'] = [{ name: 'always-on', handover: 'Singleton' }];

let server: ApiServer;
let leaseAge: number;
let told: string[];

const platform = (live = 'blue'): Platform => ({
  ...aPlatform({ live, spec: { roles } }),
  status: aPlatform({ live }).status,
});

/** Seeds a pod of the StatefulSet `name`; gated unless it is on a generation. */
function seed(
  name: string,
  { on, ...changes }: { on?: string; finalizers?: string[]; task?: string; status?: Pod['status'] } = {},
) {
  const labels = {
    'generations.dev/platform': 'us',
    'generations.dev/role': 'always-on',
    ...(changes.task && { 'generations.dev/task': changes.task }),
  };
  server.seed(pods, {
    metadata: {
      namespace: 'tasks',
      name,
      uid: `uid-${name}`,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ownerReferences: [{ kind: 'StatefulSet', name: 'set', controller: true }],
      labels,
      finalizers: changes.finalizers ?? [PLACEMENT],
    },
    spec: {
      containers: [{ name: 'main' }],
      ...(on
        ? { nodeSelector: { [GENERATION]: on }, nodeName: 'n1' }
        : { schedulingGates: [{ name: PLACEMENT }, { name: 'other' }] }),
    },
    status: changes.status ?? {},
  });
}

function process(fate: Fate = {}) {
  const client = server.client(fate);
  const nodes = store<never>({ log: silent });
  const placement: Context['placement'] = {
    placed: (_, role) => void told.push(`placed ${role}`),
    ended: (_, role, because) => void told.push(`ended ${role}: ${because}`),
    lost: (_, count) => void (count > 0 && told.push(`lost ${count}`)),
  };
  const context = {
    client,
    clock,
    log: silent,
    caches: { nodes },
    leaseAge: () => leaseAge,
    placement,
    events: {
      record: ({ regarding, reason, note }: EventInput) =>
        told.push(`${regarding.kind} ${'name' in regarding && regarding.name} ${reason}: ${note}`),
    },
  } as unknown as Context;
  const known = memory(clock);
  /** What this process sees now. */
  const look = (changes: Partial<NonNullable<PlacementInput['platform']>> = {}, off: string[] = []): PlacementInput => {
    const now = server.read(platforms, 'us')!;
    return {
      platform: {
        name: 'us',
        uid: now.metadata.uid,
        roles: placedRolesOf(now),
        live: now.status.live?.name,
        stop: now.status.quiesced?.stop,
        open: false,
        frozen: undefined,
        ...changes,
      },
      pods: server.all(pods).map((pod) => {
        const view = located(context, known.seen(viewOfPod(pod)));
        return { ...view, lost: false, off: off.includes(view.name) };
      }),
      pace: new Map(roles.map(({ name }) => [name, AMPLE])),
    };
  };
  const act = (input: PlacementInput) => apply(context, input, decide(input), known, new AbortController().signal);
  return { look, act };
}

const makeGreenLive = (now: Platform) => {
  now.status.live!.name = 'green';
};
const pod = (name: string) => server.read(pods, `tasks/${name}`);
const isPlaced = (name: string) => pod(name)?.spec?.nodeSelector?.[GENERATION];
const writes = () => server.requests.filter((line) => !line.startsWith('GET'));

beforeEach(() => {
  server = anApiServer(clock.now);
  server.seed(platforms, platform());
  leaseAge = 0;
  told = [];
});

it('names each machine whose tasks may still run, once, on the Platform', async () => {
  seed('a', { on: 'blue' });
  seed('b', { on: 'blue' });
  const { look, act } = process();
  const input = look();
  await act({ ...input, pods: input.pods.map((one) => ({ ...one, lost: true, machine: 'aws:///a/i-1' })) });
  expect(told).toEqual([
    'lost 2',
    'Platform us TasksUnreachable: Tasks on Node n1 may still run, so no other copies are started: it does not answer, and aws:///a/i-1 is not known to be off. Stop or terminate that machine at the cloud',
  ]);
});

describe('placing a pod', () => {
  it('lifts its gate alone, and says where it belongs and what it is', async () => {
    seed('a');
    const { look, act } = process();
    await act(look());
    expect(pod('a')).toMatchObject({
      metadata: { labels: { [GENERATION]: 'blue', 'generations.dev/task': expect.stringMatching(/^a-/) } },
      spec: { schedulingGates: [{ name: 'other' }], nodeSelector: { [GENERATION]: 'blue' } },
    });
    expect(told).toEqual(['placed always-on']);
  });

  it('does not happen without the lease, and is tried again', async () => {
    seed('a');
    seed('b', { on: 'green' });
    seed('c', {
      on: 'blue',
      status: {
        phase: 'Failed',
        containerStatuses: [{ name: 'main', ready: false, restartCount: 0, state: { terminated: { exitCode: 0 } } }],
      },
    });
    leaseAge = 9_000;
    const { look, act } = process();
    await expect(act(look())).rejects.toThrow('may no longer lead');
    expect(writes()).toEqual([]);
    leaseAge = 7_000;
    await act(look());
    expect(writes().length).toBeGreaterThan(0);
  });

  it.each<[what: string, change: (now: Platform) => void]>([
    ['another generation is live', makeGreenLive],
    [
      'a cutover holds pods back',
      (now) => {
        now.status.quiesced = { cutover: { name: 'c', uid: 'u' }, stop: [], time: '' };
      },
    ],
    [
      'it is another Platform of that name',
      (now) => {
        now.metadata.uid = 'another';
      },
    ],
    [
      'what is live is not certain',
      (now) =>
        void now.status.conditions?.push({
          type: 'Consistent',
          status: 'False',
          reason: 'R',
          message: 'm',
          lastTransitionTime: '',
        }),
    ],
  ])('does not happen when a live read says that %s', async (_, change) => {
    seed('a');
    const { look, act } = process();
    const input = look();
    server.edit(platforms, 'us', (now) => {
      now.status.conditions ??= [];
      change(now);
    });
    await act(input);
    expect(writes()).toEqual([]);
  });

  it('does not happen beside a copy that the watch has not shown', async () => {
    seed('a');
    const { look, act } = process();
    const input = look();
    const task = input.pods[0]!.task;
    seed('copy', { on: 'blue', task });
    await act(input);
    expect(isPlaced('a')).toBeUndefined();
    await act(look({}, ['copy']));
    // Of that copy's machine the cloud says that it is off, and the pod has not been ended yet.
    expect(isPlaced('a')).toBeUndefined();
  });

  it('that has changed since is left for the next look', async () => {
    seed('a');
    const { look, act } = process();
    const input = look();
    server.edit(pods, 'tasks/a', (now) => {
      now.metadata.annotations = { changed: 'true' };
    });
    await act(input);
    expect(isPlaced('a')).toBeUndefined();
    await act(look());
    expect(isPlaced('a')).toBe('blue');
  });

  it.each<[how: string, error: Error]>([
    ['lost', new ApiError({ status: 0, reason: 'Unreachable', message: 'no answer' })],
    ['late', new DOMException('no answer', 'TimeoutError')],
    ['an error inside', new ApiError({ status: 500, reason: 'InternalError', message: 'no answer' })],
  ])('whose answer is %s counts as placed for a while, and is asked for again later', async (_, error) => {
    seed('a');
    let lose = true;
    const { look, act } = process({
      before: ({ method }) => {
        if (lose && method === 'PATCH') throw error;
      },
    });
    await expect(act(look())).rejects.toThrow('no answer');
    expect(look().pods).toMatchObject([{ gated: false, selected: 'blue' }]);
    lose = false;
    await clock.advance(31_000);
    await act(look());
    expect(isPlaced('a')).toBe('blue');
  });
});

describe('ending a pod', () => {
  it('names exactly the one that was looked at, and without waiting for a kubelet when its machine is off', async () => {
    seed('moved', { on: 'green', finalizers: ['example.com/kept', PLACEMENT] });
    seed('off', { on: 'blue', finalizers: ['example.com/kept', PLACEMENT] });
    const bodies: unknown[] = [];
    const { look, act } = process({ before: ({ method, body }) => void (method === 'DELETE' && bodies.push(body)) });
    await act(look({}, ['off']));
    const preconditions = (name: string) => ({ uid: `uid-${name}`, resourceVersion: expect.any(String) });
    // What had to be noted of them first has changed them: they are ended at the next look.
    expect(told).toEqual([]);
    await act(look({}, ['off']));
    expect(bodies.slice(-2)).toEqual([
      expect.objectContaining({ preconditions: preconditions('off'), gracePeriodSeconds: 0 }),
      expect.objectContaining({ preconditions: preconditions('moved') }),
    ]);
    expect(bodies.at(-1)).not.toHaveProperty('gracePeriodSeconds');
    expect(told).toEqual(['ended always-on: machine off', 'ended always-on: moved']);
    expect(pod('moved')?.metadata.deletionTimestamp).toBeDefined();
  });

  it('does not happen when a live read says that its generation is live again', async () => {
    seed('a', { on: 'green', task: 'a-1' });
    const { look, act } = process();
    const input = look();
    server.edit(platforms, 'us', makeGreenLive);
    await act(input);
    expect(pod('a')?.metadata.deletionTimestamp).toBeUndefined();
  });
});

it('a finalizer that has done its work goes, and others stay', async () => {
  const ended = {
    phase: 'Succeeded' as const,
    containerStatuses: [{ name: 'main', ready: false, restartCount: 0, state: { terminated: { exitCode: 0 } } }],
  };
  seed('a', { on: 'blue', finalizers: ['example.com/kept', PLACEMENT], status: ended });
  const { look, act } = process();
  await act(look());
  expect(pod('a')?.metadata.finalizers).toEqual(['example.com/kept']);
  expect(writes()).toHaveLength(1);
  await act(look());
  expect(writes()).toHaveLength(1);
});

describe('a pod whose change is refused, by somebody’s policy for example,', () => {
  const ended = {
    phase: 'Succeeded' as const,
    containerStatuses: [{ name: 'main', ready: false, restartCount: 0, state: { terminated: { exitCode: 0 } } }],
  };
  const refusing = (status: number) =>
    process({
      before: ({ method, target }) => {
        if (method === 'PATCH' && target?.name === 'refused')
          throw new ApiError({ status, reason: 'Forbidden', message: 'not so' });
      },
    });

  it.each<[what: string, seeded: Parameters<typeof seed>[1]]>([
    ['its finalizer’s end', { on: 'blue', status: ended }],
    ['a note', { on: 'blue' }],
    ['its start', {}],
  ])('keeps no other from its place: %s', async (_, seeded) => {
    seed('refused', seeded);
    // One more than are written upon one live read.
    const names = Array.from({ length: 51 }, (_, n) => `z${n}`);
    for (const name of names) seed(name);
    const { look, act } = refusing(403);
    await expect(act(look())).rejects.toThrow('not so');
    expect(names.filter((name) => !isPlaced(name))).toEqual([]);
  });

  it('is not followed by others when the API server asks for patience', async () => {
    seed('refused', { on: 'blue', status: ended });
    seed('a');
    const { look, act } = refusing(429);
    await expect(act(look())).rejects.toThrow('not so');
    expect(isPlaced('a')).toBeUndefined();
  });
});
