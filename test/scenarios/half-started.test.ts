import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aliveOf, machinesOf, mostAlive } from './ledger.ts';
import { aClass, aCutover, aGeneration, aPlatform, aScenario, SUBNETS } from './objects.ts';
import { condition, has, inStage, startWorld, type World } from './world.ts';

/** Generations that do not fit or do not come up completely, beside a live one, at 60 declared seconds in a real one. */

const SCALE = 60;
/** What a machine is given to register its Node: ten minutes, of which a drill leaves this much. Real ms. */
const REGISTRATION = 90_000;
const LIVE = 6;

let world: World;

beforeAll(async () => {
  // 16 addresses less the 5 that are the cloud's own: 11, of which the live generation takes 6.
  const subnets = [
    { id: 'subnet-a', zone: 'us-east-1a', cidr: '10.0.0.0/28' },
    { id: 'subnet-b', zone: 'us-east-1b', cidr: '10.0.1.0/27' },
  ];
  world = await startWorld({ scenario: aScenario({ subnets }), timeScale: SCALE });
  const narrow = aClass('local', world.cloud, { subnets: SUBNETS.slice(0, 1) });
  await world.apply('gitops', narrow, aPlatform('site', 'local'));
  await world.apply(
    'alice',
    aGeneration('live', 'site', { web: { machines: LIVE } }),
    aCutover('first', 'site', '', 'live'),
  );
  await world.until('clustergenerations', 'live', 'to be live', inStage('Live'));
}, 120_000);

afterAll(() => world?.stop(), 30_000);

const launchesFor = async (generation: string) =>
  (await world.ledger()).calls.filter(
    ({ operation, parameters }) =>
      operation === 'RunInstances' && parameters.tags?.['generations.dev/generation'] === generation,
  );

/** Deletes a generation as any release engineer would, and expects nothing of it to be left, and nothing else touched. */
async function deletePlainly(name: string): Promise<void> {
  const began = Date.now();
  const { status, stderr } = await world.kubectl('alice', 'delete', 'cg', name, '--timeout=40s');
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: expect.stringMatching(
      RegExp(`^Warning: this deletes \\d+ never-live machines of ${name}; live is live\n$`),
    ),
  });
  // Two declared minutes are two real seconds here; an idle machine takes about one.
  expect(Date.now() - began).toBeLessThan(20_000);
  const ledger = await world.ledger();
  expect(aliveOf(ledger, name)).toEqual([]);
  expect((await world.list('generationpools')).map(({ metadata }) => metadata.name)).toEqual(['live.web']);
  await world.until('clustergenerations', 'live', 'to be complete', has('Ready', 'True'));
  expect(machinesOf(ledger, 'live')).toHaveLength(LIVE);
  expect(aliveOf(ledger, 'live').filter(({ stopped }) => !stopped)).toHaveLength(LIVE);
}

describe('a generation that does not fit into the only subnet', () => {
  it('is refused before its first machine, with the sum', async () => {
    await world.apply(
      'alice',
      aGeneration('wide', 'site', { lb: { role: 'load-balancer', machines: 2 }, web: { machines: 6 } }),
    );
    const generation = await world.until(
      'clustergenerations',
      'wide',
      'to be refused',
      has('CapacityProved', 'False', 'InsufficientAddresses'),
    );
    expect(condition(generation, 'Ready')).toMatchObject({ status: 'False', reason: 'InsufficientAddresses' });
    expect(condition(generation, 'Stalled')).toMatchObject({ status: 'True' });
    expect(condition(generation, 'CapacityProved')?.message).toBe(
      '8 more machines need 8 addresses and 5 are free (subnet-a has 5): 3 short. Add a subnet to the GenerationClass, or delete a generation that never was live',
    );
    expect(generation.status.stage).toBe('Planned');
    expect((await world.list('generationpools')).map(({ metadata }) => metadata.name)).toEqual(['live.web']);
    expect(await launchesFor('wide')).toEqual([]);
  });

  it('is placed across the subnets of the class when there is another', async () => {
    await world.patch('generationclasses', 'local', { spec: { subnets: SUBNETS } });
    await world.until('clustergenerations', 'wide', 'to be ready', has('Ready', 'True'));
    const ledger = await world.ledger();
    const subnets = new Set(aliveOf(ledger, 'wide').map(({ subnet }) => subnet));
    expect(subnets.has('subnet-b')).toBe(true);
    expect(mostAlive(machinesOf(ledger, 'wide'))).toEqual({ 'wide.lb': 2, 'wide.web': 6 });
    expect((await launchesFor('wide')).filter(({ code }) => code)).toEqual([]);
    expect(aliveOf(ledger, 'live')).toHaveLength(LIVE);
  }, 60_000);

  it('is removed by a plain kubectl delete', () => deletePlainly('wide'), 60_000);
});

describe('a generation for which the cloud has no capacity', () => {
  it('is half-started and says why', async () => {
    await world.addFault({
      name: 'no-capacity',
      operations: ['RunInstances'],
      match: { tags: { 'generations.dev/generation': 'half' } },
      effect: { capacity: 3 },
    });
    await world.apply('alice', aGeneration('half', 'site', { web: { machines: 8 } }));
    const pool = await world.until(
      'generationpools',
      'half.web',
      'to report the lack of capacity',
      ({ status }) =>
        status.machines?.launched === 3 &&
        (status.failures ?? []).some(({ reason }) => reason === 'CapacityUnavailable'),
    );
    const failure = pool.status.failures!.find(({ reason }) => reason === 'CapacityUnavailable')!;
    expect(failure.message).toMatch(/RunInstances \(.* in subnet-[ab]\) .* was refused: InsufficientInstanceCapacity/);
    expect(failure.count).toBeGreaterThanOrEqual(1);
    expect(failure.retryTime).toBeDefined();
    const generation = await world.until(
      'clustergenerations',
      'half',
      'to report it',
      has('Ready', 'False', 'CapacityUnavailable'),
    );
    expect(generation.status.stage).toBe('Provisioning');
    expect(condition(generation, 'Ready')?.message).toMatch(
      /^3 of 8 machines launched, .*pool half\.web: .*InsufficientInstanceCapacity/,
    );
    expect(condition(generation, 'Deletable')).toMatchObject({ status: 'True', reason: 'NeverLive' });
    expect(aliveOf(await world.ledger(), 'half')).toHaveLength(3);
  }, 60_000);

  it('is asked for again and again, not in a rush', async () => {
    const before = (await launchesFor('half')).length;
    const after = await world.until('generationpools', 'half.web', 'to be refused twice more', ({ status }) =>
      (status.failures ?? []).some(({ reason, count }) => reason === 'CapacityUnavailable' && count >= 3),
    );
    expect(after.status.machines?.launched).toBe(3);
    // Refused a request for each of two subnets, the pool waits before the next.
    expect((await launchesFor('half')).length - before).toBeLessThanOrEqual(6);
  }, 60_000);

  it('is removed by a plain kubectl delete', async () => {
    await deletePlainly('half');
    await world.removeFault('no-capacity');
  }, 60_000);
});

describe('a generation some of whose machines never register', () => {
  it('says so, and has them replaced', async () => {
    await world.addFault({
      name: 'never-boots',
      operations: ['RunInstances'],
      match: { tags: { 'generations.dev/generation': 'sleepy' } },
      count: 2,
      effect: { neverBoots: 1 },
    });
    await world.apply('alice', aGeneration('sleepy', 'site', { web: { machines: 5 } }));
    await world.until(
      'generationpools',
      'sleepy.web',
      'to have three ready',
      ({ status }) => status.machines?.ready === 3,
    );
    const waiting = (await world.get('clustergenerations', 'sleepy'))!;
    expect(condition(waiting, 'Ready')).toMatchObject({ status: 'False' });
    await world.until('clustergenerations', 'sleepy', 'to be ready', has('Ready', 'True'), 2 * REGISTRATION);

    const machines = machinesOf(await world.ledger(), 'sleepy');
    expect(machines).toHaveLength(7);
    for (const machine of machines) {
      if (!machine.neverBoots) expect(machine.terminated).toBeUndefined();
      else {
        expect(machine.terminatedBy).toBe('operator');
        // EC2 tells the time of a launch in whole real seconds.
        const age = Date.parse(machine.terminated!) - Date.parse(machine.launched);
        expect(age + 1_000).toBeGreaterThanOrEqual(REGISTRATION);
      }
    }
    expect(mostAlive(machines)).toEqual({ 'sleepy.web': 5 });
    const events = await world.kubectl(
      'admin',
      'get',
      'events',
      '-A',
      '-o',
      'jsonpath={range .items[*]}{.message}{"\\n"}{end}',
    );
    expect(events.stdout).toMatch(/Terminated \d of \d machines: it never registered as a Node/);
  }, 240_000);

  it('is removed by a plain kubectl delete', () => deletePlainly('sleepy'), 60_000);
});

describe('all of this', () => {
  it('was reported without a claim that the ledger contradicts', () => {
    expect(world.falseClaims()).toEqual([]);
  });
});
