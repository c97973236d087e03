import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Agent, request } from 'undici';
import { waitFor } from '../../../local/wait.ts';
import type { ClusterGeneration } from '../../../src/api/v1alpha1/index.ts';
import type { StateView } from '../../../src/simulator/control/state.ts';
import { aliveOf, machinesOf, mostAlive } from '../../scenarios/ledger.ts';
import { aClass, aCutover, aPlatform, aScenario } from '../../scenarios/objects.ts';
import { cutOver, staged } from '../../scenarios/people.ts';
import { has, inStage, startWorld, type World } from '../../scenarios/world.ts';

/**
 * A generation that is kept as a stopped standby, on a real API server with its policies, the simulated cloud and the
 * operator as a process. What a rollback writes is written here with the operator's own token. 40 declared seconds in a real one.
 */

const SCALE = 40;
const POOLS = { lb: { role: 'load-balancer', machines: 2 }, web: { machines: 4 } };
const SIZE = 6;

let world: World;

beforeAll(async () => {
  // Nobody else leads after a crash: the next process goes on at once.
  world = await startWorld({ scenario: aScenario(), timeScale: SCALE, operator: { leaderElect: false } });
  await world.apply(
    'gitops',
    aClass('local', world.cloud),
    aPlatform('site', 'local', {
      retention: { standby: 'Stopped', for: '48h' },
      destructiveBudget: { machinesPerMinute: 3 },
    }),
  );
  await staged(world, 'one', 'site', POOLS);
  await cutOver(world, 'site', '', 'one');
  await staged(world, 'two', 'site', POOLS);
}, 150_000);

afterAll(() => world?.stop(), 30_000);

afterEach(() => expect(world.falseClaims()).toEqual([]));

/** What the cloud has of a generation now, without any delay. */
async function atCloud(generation: string): Promise<StateView['instances']> {
  const { instances } = (await (await fetch(`${world.cloud}/state`)).json()) as StateView;
  return instances.filter(({ tags }) => tags['generations.dev/generation'] === generation);
}

const statesOf = async (generation: string) => [...new Set((await atCloud(generation)).map(({ state }) => state))];

const until = (what: string, so: () => Promise<boolean>) =>
  waitFor(what, { limitMs: 40_000, everyMs: 50 }, async () => (await so()) || undefined);

/** Changes the status of a generation in the operator's name, with the version that was read as precondition. */
async function writeStatus(name: string, change: (status: ClusterGeneration['status']) => void): Promise<void> {
  const { controlPlane } = world.environment;
  const agent = new Agent({ connect: { ca: controlPlane.certificateAuthority }, allowH2: false });
  try {
    await waitFor(`the status of ${name} to be written`, { limitMs: 20_000, everyMs: 50 }, async () => {
      const object = await world.get('clustergenerations', name);
      if (!object) throw new Error(`${name} does not exist`);
      change(object.status);
      const url = `${controlPlane.server}/apis/generations.dev/v1alpha1/clustergenerations/${name}/status`;
      const { statusCode, body } = await request(url, {
        method: 'PUT',
        dispatcher: agent,
        headers: {
          authorization: `Bearer ${(await readFile(world.operator.tokenFile, 'utf8')).trim()}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify(object),
        signal: AbortSignal.timeout(10_000),
      });
      const text = await body.text();
      if (statusCode === 409) return undefined;
      if (statusCode !== 200) throw new Error(`the API server answered ${statusCode}: ${text}`);
      return true;
    });
  } finally {
    await agent.close();
  }
}

describe('a generation that is kept as a stopped standby', () => {
  it('is stopped once another is live, and an operator that dies half way is followed by one that goes on', async () => {
    await cutOver(world, 'site', 'one', 'two');
    await until('some machines of one to be off', async () =>
      (await atCloud('one')).some(({ state }) => state !== 'running'),
    );
    await world.operator.kill();
    expect((await atCloud('one')).some(({ state }) => state === 'running')).toBe(true);
    await world.operator.restart();
    await until('all machines of one to be off', async () => (await statesOf('one')).join() === 'stopped');

    const one = await world.until('clustergenerations', 'one', 'to say so', has('Ready', 'True', 'StandbyStopped'));
    expect(one.status).toMatchObject({
      stage: 'Retained',
      retention: { standby: 'Stopped' },
      machines: { desired: SIZE },
    });
    await world.until(
      'clustergenerations',
      'one',
      'to have no Ready machine',
      ({ status }) => status.machines?.ready === 0,
    );
    for (const { terminationProtection, stopProtection } of await atCloud('one'))
      expect([terminationProtection, stopProtection]).toEqual([true, false]);
    for (const machine of machinesOf(await world.ledger(), 'one'))
      expect(machine).toMatchObject({ stoppedBy: 'operator' });

    expect(await statesOf('two')).toEqual(['running']);
    const two = await world.get('clustergenerations', 'two');
    expect(two?.status).toMatchObject({ stage: 'Live', machines: { ready: SIZE } });
    await world.until('platforms', 'site', 'to be well', has('Ready', 'True'));
    await world.until('platforms', 'site', 'to be guarded', has('GuardEffective', 'True'));
  }, 90_000);

  it('is started for a rollback that reserves it, and Ready and protected before that may go on', async () => {
    await world.apply('alice', aCutover('back', 'site', 'two', 'one', { mode: 'Rollback', paused: true }));
    const back = await world.until('cutovers', 'back', 'to be there', () => true);
    await writeStatus('one', (status) => {
      status.reservedBy = { name: 'back', uid: back.metadata.uid };
    });
    await world.until('clustergenerations', 'one', 'to be up', has('Ready', 'True', 'AllReady'));
    expect(await statesOf('one')).toEqual(['running']);
    for (const { terminationProtection, stopProtection } of await atCloud('one'))
      expect([terminationProtection, stopProtection]).toEqual([true, true]);
    const ours = (await world.list('nodes')).filter(
      ({ metadata }) => metadata.labels?.['generations.dev/generation'] === 'one',
    );
    expect(ours).toHaveLength(SIZE);
  }, 90_000);

  it('is stopped again when the rollback is given up', async () => {
    expect(await world.kubectl('alice', 'delete', 'cutover', 'back')).toMatchObject({ status: 0 });
    await world.until('clustergenerations', 'one', 'to be free', ({ status }) => status.reservedBy === undefined);
    await until('all machines of one to be off again', async () => (await statesOf('one')).join() === 'stopped');
    await world.until('clustergenerations', 'one', 'to say so', has('Ready', 'True', 'StandbyStopped'));
  }, 90_000);

  it('is retired at its time, and its machines are terminated as they are', async () => {
    const time = new Date(Date.now() + 2_000).toISOString();
    await writeStatus('one', (status) => {
      if (status.retention) status.retention.until = time;
    });
    const { status } = await world.until('clustergenerations', 'one', 'to be retired', inStage('Retired'));
    expect(Date.parse(status.retiredTime ?? '')).toBeGreaterThanOrEqual(Date.parse(time));
    expect(status.retiredBy?.name).toBe('to-two');
    await world.until('platforms', 'site', 'to protect it no more', ({ status }) => status.protected?.join() === 'two');
    await world.untilGone('generationpools', 'one.lb');
    await world.untilGone('generationpools', 'one.web');

    const ledger = await world.ledger();
    expect(aliveOf(ledger, 'one')).toEqual([]);
    expect(aliveOf(ledger, 'two')).toHaveLength(SIZE);
    expect(ledger.machines).toHaveLength(2 * SIZE);
    expect(mostAlive(ledger.machines)).toEqual({ 'one.lb': 2, 'one.web': 4, 'two.lb': 2, 'two.web': 4 });
    // Of the live one nothing was ever asked to stop.
    const ids = new Set(machinesOf(ledger, 'two').map(({ id }) => id));
    const stops = ledger.calls.filter(({ operation }) => operation === 'StopInstances');
    expect(stops.flatMap(({ parameters }) => parameters.instanceIds ?? []).filter((id) => ids.has(id))).toEqual([]);
  }, 90_000);
});
