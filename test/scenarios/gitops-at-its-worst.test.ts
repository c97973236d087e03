import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '../../local/wait.ts';
import type { StateView } from '../../src/simulator/control/state.ts';
import { actsOn, type Hostile } from './hostile-acts.ts';
import { aClass, aCutover, aPlatform, aScenario, aWorkload, edgeNamespace, TRAFFIC, wwwService } from './objects.ts';
import { cutOver, staged } from './people.ts';
import { has, startWorld, type World } from './world.ts';

/**
 * A GitOps tool does its worst to a live platform for two minutes: it prunes, forces, replaces, scales to zero and takes fields over,
 * again and again. A client that asks every target all the while never finds one without somebody behind it, and what people are
 * meant to do goes on as ever.
 */

const SCALE = 12;
/** Real ms. */
const LASTS = 120_000;
/** Real ms between two looks of the client at all targets. */
const EVERY = 100;

const POOLS = { lb: { role: 'load-balancer', machines: 2 }, web: { machines: 3 } };
const REPLICAS = 2;

let world: World;
let live = 'blue';

beforeAll(async () => {
  world = await startWorld({ scenario: aScenario(), timeScale: SCALE });
  const labels = { 'generations.dev/protected': 'true' };
  await world.apply('admin', { ...edgeNamespace, metadata: { ...edgeNamespace.metadata, labels } }, wwwService);
  const retention = { standby: 'Running', for: '4h' };
  await world.apply(
    'gitops',
    aClass('local', world.cloud),
    aPlatform('site', 'local', { traffic: TRAFFIC, retention }),
  );
  await world.apply('admin', aWorkload('site', live, REPLICAS));
  await staged(world, live, 'site', POOLS);
  await cutOver(world, 'site', '', live);
  await world.until('platforms', 'site', 'to be guarded', has('GuardEffective', 'True', 'Refused'));
}, 240_000);
afterAll(() => world?.stop(), 30_000);

/** Nodes behind the Service that take requests. */
async function behindService(): Promise<string[]> {
  const slices = (await world.list('endpointslices')).filter(
    ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === 'www',
  );
  return slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .map(({ nodeName }) => nodeName ?? '(none)');
}

/** Running machines behind the addresses, one for each. */
async function behindAddresses(): Promise<string[]> {
  const { addresses, instances } = (await (await fetch(`${world.cloud}/state`)).json()) as StateView;
  const runs = (id: string | null) => instances.some((one) => one.id === id && one.state === 'running');
  return addresses.flatMap(({ instanceId }) => (instanceId !== null && runs(instanceId) ? [instanceId] : []));
}

/** Looks at all targets until it is told to stop; `gaps` says when one had nobody behind it. */
function client(over: AbortSignal) {
  const seen = { looks: 0, gaps: [] as string[] };
  const done = (async () => {
    while (!over.aborted) {
      const [endpoints, machines] = await Promise.all([behindService(), behindAddresses()]);
      seen.looks++;
      if (endpoints.length === 0) seen.gaps.push(`look ${seen.looks}: www has no ready endpoint`);
      if (machines.length < 2) seen.gaps.push(`look ${seen.looks}: ${2 - machines.length} addresses lead nowhere`);
      await sleep(EVERY, undefined, { signal: over }).catch(() => {});
    }
  })();
  return { seen, done };
}

/** Does one hostile act after the other until it is told to stop; `let through` are those that were not refused. */
function gitops(over: AbortSignal) {
  const done = { refused: new Map<string, number>(), letThrough: new Set<string>() };
  const attempt = async ({ what, args, input }: Hostile) => {
    const { status, stderr } = await world.kubectlWith('admin', input, ...args);
    if (status === 0) done.letThrough.add(what);
    else if (/generations-guard-|cannot be/.test(stderr)) done.refused.set(what, (done.refused.get(what) ?? 0) + 1);
    else done.letThrough.add(`${what}: ${stderr.trim().slice(-300)}`);
  };
  const running = (async () => {
    while (!over.aborted)
      for (const act of actsOn(live)) {
        if (over.aborted) return;
        await attempt(act);
      }
  })();
  return { done, running };
}

/** What people do while all that goes on; each throws when it does not work. */
async function legalActs(): Promise<string[]> {
  const app = () => `deployment/web-${live}`;
  const kubectl = async (...args: string[]) => {
    const { status, stderr } = await world.kubectl('admin', '-n', 'edge', ...args);
    if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  };
  const rolledOut = () => kubectl('rollout', 'status', app(), '--timeout=60s');
  await kubectl('set', 'image', app(), 'web=example.com/web:2');
  await rolledOut();
  await kubectl('rollout', 'undo', app());
  await rolledOut();
  await kubectl('scale', app(), '--replicas=3');
  await waitFor('three endpoints', { limitMs: 60_000 }, async () => (await behindService()).length === 3 || undefined);
  await kubectl('scale', app(), `--replicas=${REPLICAS}`);
  await rolledOut();

  await world.apply('admin', aWorkload('site', 'typo', REPLICAS));
  await staged(world, 'typo', 'site', { web: { machines: 1 } });
  await kubectl('delete', 'deployment', 'web-typo');
  await kubectl('delete', 'clustergeneration', 'typo', '--timeout=60s');

  await world.apply('admin', aWorkload('site', 'green', REPLICAS));
  await staged(world, 'green', 'site', POOLS);
  await world.apply('alice', aCutover('to-green', 'site', 'blue', 'green'));
  await world.until('cutovers', 'to-green', 'to succeed', has('Succeeded', 'True'), 120_000);
  live = 'green';
  await kubectl('set', 'image', app(), 'web=example.com/web:3');
  await rolledOut();
  return ['new image', 'rolled back', 'scaled', 'deleted what never was live', 'next generation', 'its new image'];
}

describe('GitOps at its worst', () => {
  it('leaves no target without somebody behind it, and nobody from their work', async () => {
    const over = new AbortController();
    const watching = client(over.signal);
    const attacking = gitops(over.signal);
    const [worked] = await Promise.all([legalActs(), sleep(LASTS)]).finally(() => over.abort());
    await Promise.all([watching.done, attacking.running]);

    expect(watching.seen.gaps).toEqual([]);
    expect(watching.seen.looks).toBeGreaterThan(100);
    expect([...attacking.done.letThrough]).toEqual([]);
    expect([...attacking.done.refused.keys()].sort()).toEqual(
      actsOn(live)
        .map(({ what }) => what)
        .sort(),
    );
    expect(worked).toHaveLength(6);
    const platform = await world.until('platforms', 'site', 'to serve', has('Ready', 'True'));
    expect(platform.status.live?.name).toBe('green');
    expect(world.falseClaims()).toEqual([]);
  }, 480_000);
});
