import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Call } from '../../src/simulator/state/ledger.ts';
import { aliveOf, machinesOf, mostAlive } from './ledger.ts';
import { aClass, aGeneration, aPlatform, aScenario } from './objects.ts';
import { has, startWorld, type World } from './world.ts';

/**
 * A cloud that lets the operator go more slowly than its class declares, on two operations, at 20 declared seconds in
 * a real one. It is met without a pool that gives up, and without a rush of refused calls.
 */

const SCALE = 20;
const POOLS = { lb: { role: 'load-balancer', machines: 6 }, web: { machines: 10 }, batch: { machines: 8 } };
const SIZE = 24;

/** Machines at once and a second, declared, that the cloud launches. */
const BURST = 5;
const RATE = 0.25;

/** What the class declares, by documentation of EC2: 2 requests and 2 machines a second. */
const BUCKETS = {
  RunInstances: { requestBurst: 2, requestsPerSecond: 0.25, resourceBurst: BURST, resourcesPerSecond: RATE },
  ModifyInstanceAttribute: { requestBurst: 5, requestsPerSecond: 1 },
};

let world: World;
/** What the class said of RunInstances while machines came up. */
const seen: { requestsPerSecond: number; resourcesPerSecond?: number | undefined; throttledTotal: number }[] = [];

beforeAll(async () => {
  world = await startWorld({ scenario: aScenario({ buckets: BUCKETS }), timeScale: SCALE });
  await world.apply('gitops', aClass('local', world.cloud), aPlatform('site', 'local'));
}, 120_000);

afterAll(() => world?.stop(), 30_000);

const callsOf = async (operation: string): Promise<Call[]> =>
  (await world.ledger()).calls.filter((call) => call.operation === operation);
const throttledIn = (calls: Call[]) => calls.filter(({ throttled }) => throttled);

describe('a generation at a cloud with lower rate limits than declared', () => {
  it('comes up completely', async () => {
    await world.apply('alice', aGeneration('slow', 'site', POOLS));
    const noteBudget = async () => {
      const { status } = (await world.get('generationclasses', 'local'))!;
      const budget = status.apiBudgets?.find(({ operation }) => operation === 'RunInstances');
      if (budget) seen.push(budget);
    };
    await world.until('clustergenerations', 'slow', 'to be ready', (generation) => {
      void noteBudget();
      return has('Ready', 'True')(generation);
    });
    const ledger = await world.ledger();
    expect(aliveOf(ledger, 'slow')).toHaveLength(SIZE);
    expect(mostAlive(machinesOf(ledger, 'slow'))).toEqual({ 'slow.lb': 6, 'slow.web': 10, 'slow.batch': 8 });
    for (const { status } of await world.list('generationpools')) expect(status.failures ?? []).toEqual([]);
  }, 90_000);

  it('was throttled, and slowed down', async () => {
    const calls = await callsOf('RunInstances');
    const throttled = throttledIn(calls);
    expect(throttled.length).toBeGreaterThan(0);
    // A coarse guard against a loop of refusals: what the operator learns from them is judged on ModifyInstanceAttribute below.
    expect(throttled.length).toBeLessThanOrEqual(36);
    // The cloud's own pace bounds how fast it can have gone.
    const times = calls.map(({ time }) => Date.parse(time));
    const took = ((times.at(-1)! - times[0]!) / 1000) * SCALE;
    expect(took).toBeGreaterThanOrEqual((SIZE - BURST) / RATE - 5);
    // Asked for 2 times a second, as the class declares, it would have been refused all the while.
    expect(calls.length / took).toBeLessThan(2 / 4);
  });

  it('shows the budget in the status of its class', async () => {
    const total = throttledIn(await callsOf('RunInstances')).length;
    const { status } = await world.until(
      'generationclasses',
      'local',
      `to count ${total} refusals`,
      ({ status }) =>
        status.apiBudgets?.find(({ operation }) => operation === 'RunInstances')?.throttledTotal === total,
    );
    const budget = status.apiBudgets!.find(({ operation }) => operation === 'RunInstances')!;
    const last = throttledIn(await callsOf('RunInstances')).at(-1)!;
    expect(Math.abs(Date.parse(budget.lastThrottledTime!) - Date.parse(last.time))).toBeLessThan(2_000);
    // While machines came up the class showed a pace below the one that it declares.
    const paces = seen.flatMap(({ requestsPerSecond, resourcesPerSecond }) => [
      requestsPerSecond,
      resourcesPerSecond ?? 2,
    ]);
    expect(Math.min(...paces)).toBeLessThan(2);
  }, 30_000);
});

describe('its removal', () => {
  it('goes through the second, lower limit to the end', async () => {
    const { status, stderr } = await world.kubectl('alice', 'delete', 'cg', 'slow', '--timeout=50s');
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: 'Warning: this deletes 24 never-live machines of slow; nothing is live on site\n',
    });
    expect(aliveOf(await world.ledger(), 'slow')).toEqual([]);
    const calls = await callsOf('ModifyInstanceAttribute');
    const throttled = throttledIn(calls);
    expect(throttled.length).toBeGreaterThan(0);
    // Two calls lift the protection of a machine; finding the pace costs far fewer refusals.
    expect(calls.length - throttled.length).toBeGreaterThanOrEqual(2 * SIZE);
    expect(throttled.length).toBeLessThanOrEqual(SIZE);
  }, 60_000);

  it('shows in the class too', async () => {
    const total = throttledIn(await callsOf('ModifyInstanceAttribute')).length;
    await world.until(
      'generationclasses',
      'local',
      `to count ${total} refusals`,
      ({ status }) =>
        status.apiBudgets?.find(({ operation }) => operation === 'ModifyInstanceAttribute')?.throttledTotal === total,
    );
  }, 30_000);
});

describe('all of this', () => {
  it('was reported without a claim that the ledger contradicts', () => {
    expect(world.falseClaims()).toEqual([]);
  });
});
