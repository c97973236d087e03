import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningProcess } from '../../local/process-group.ts';
import { waitFor } from '../../local/wait.ts';
import { manualClock } from '../../src/runtime/clock.ts';
import { aliveOf, machinesOf, mostAlive, terminationTimes } from '../scenarios/ledger.ts';
import {
  aClass,
  aCutover,
  aGeneration,
  aPlatform,
  aScenario,
  aWorkload,
  edgeNamespace,
  TRAFFIC,
  wwwService,
} from '../scenarios/objects.ts';
import { condition, has, inStage, renewals, startWorld, versions, type World } from '../scenarios/world.ts';

/**
 * The operator is killed at random moments while a generation comes up, while a cutover moves traffic, while the old
 * generation is removed and while one that never was live comes and goes. Nothing may be lost or done twice; the
 * cloud's ledger is the judge. CHAOS_SEED=N repeats the moments of a run, as far as a machine's pace allows.
 */

const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 2 ** 31);
const { random } = manualClock({ seed: SEED });

const SCALE = 20;
/** Real ms of a declared minute. */
const MINUTE = 60_000 / SCALE;
const MACHINES_PER_MINUTE = 6;

const POOLS = {
  lb: { role: 'load-balancer', machines: 3 },
  web: { machines: 6 },
  batch: { machines: 4 },
};
const DESIRED = { lb: 3, web: 6, batch: 4 };
const SIZE = 13;

const KILLS = { bringUp: 11, cutover: 9, removal: 8, passing: 6 };

let world: World;
/** Everything that the live pointer and the Service's selector ever were, in the words of a watch by kubectl. */
let pointer: RunningProcess;
let selector: RunningProcess;
/** Kills that came before what they were to disturb was over, by phase. */
const inTheMidst: Record<string, number> = {};

beforeAll(async () => {
  process.stderr.write(`chaos seed ${SEED}: CHAOS_SEED=${SEED} repeats it\n`);
  const scenario = aScenario({
    seed: SEED,
    subnets: [
      { id: 'subnet-a', zone: 'us-east-1a', cidr: '10.0.0.0/27' },
      { id: 'subnet-b', zone: 'us-east-1b', cidr: '10.0.1.0/27' },
    ],
    buckets: {
      RunInstances: { requestBurst: 3, requestsPerSecond: 0.3, resourceBurst: 4, resourcesPerSecond: 0.15 },
      ModifyInstanceAttribute: { requestBurst: 10, requestsPerSecond: 2 },
    },
  });
  // An operator that is dead, or just starting, says nothing new.
  world = await startWorld({ scenario, timeScale: SCALE, lag: 30_000 });
  const { group, programs, kubeconfigs } = world.environment.controlPlane;
  const watch = (name: string, ...args: string[]) =>
    group.start({
      name,
      command: programs.kubectl,
      args: [`--kubeconfig=${kubeconfigs.admin}`, 'get', '--watch', ...args],
    });

  await world.apply('admin', edgeNamespace, wwwService);
  const platform = { traffic: TRAFFIC, destructiveBudget: { machinesPerMinute: MACHINES_PER_MINUTE } };
  await world.apply('gitops', aClass('local', world.cloud), aPlatform('site', 'local', platform));
  pointer = watch('pointer', 'platform', 'site', '-o', 'jsonpath={.status.live.name}{"\\n"}');
  selector = watch(
    'selector',
    'service',
    'www',
    '--namespace=edge',
    '-o',
    'jsonpath={.spec.selector.generations\\.dev/generation}{"\\n"}',
  );
  await world.apply('alice', aGeneration('old', 'site', POOLS));
  await world.apply('admin', aWorkload('site', 'old', 4), aWorkload('site', 'new', 4));
  await world.until('clustergenerations', 'old', 'to be staged', has('Ready', 'True'));
  await world.apply('alice', aCutover('to-old', 'site', '', 'old'));
  await world.until('clustergenerations', 'old', 'to be live', inStage('Live'));
}, 180_000);

afterAll(() => world?.stop(), 30_000);

/**
 * Kills the operator `times` times, up to `spreadMs` real ms after its controllers have started, sometimes before, and
 * starts it again at once each time; then waits until `over`.
 */
async function killAtRandom(
  phase: string,
  times: number,
  spreadMs: number,
  over: () => Promise<boolean>,
): Promise<void> {
  const { operator } = world;
  for (let kill = 1; kill <= times; kill++) {
    const early = random() < 0.15;
    if (!early)
      await waitFor('the operator to lead', { limitMs: 60_000, everyMs: 10 }, async () =>
        operator.process().output().includes('Controllers started') ? true : undefined,
      );
    await sleep(random() * spreadMs);
    const unfinished = !(await over());
    await operator.kill();
    if (unfinished) inTheMidst[phase] = (inTheMidst[phase] ?? 0) + 1;
    // A dead leader's lease is free after 15 real seconds: not waited for here, the next one leads at once.
    await world.patch('leases', 'generations-operator', { spec: { holderIdentity: '' } });
    await operator.restart();
  }
  await operator.ready();
  await waitFor(`the end of ${phase}`, { limitMs: 90_000, everyMs: 100 }, async () => (await over()) || undefined);
}

/** What a watch printed, without repetitions. */
const changes = (watch: RunningProcess): string[] =>
  watch
    .output()
    .split('\n')
    .slice(0, -1)
    .filter((line, n, lines) => line !== lines[n - 1]);

const complete = async (name: string): Promise<boolean> => {
  const generation = await world.get('clustergenerations', name);
  return generation !== undefined && has('Ready', 'True')(generation);
};

/** By the ledger: exactly the desired machines were ever launched, at no moment more, and they all run. */
async function expectUntouched(name: string): Promise<void> {
  const machines = machinesOf(await world.ledger(), name);
  expect(machines.filter(({ terminated, stopped }) => terminated || stopped)).toEqual([]);
  expect(mostAlive(machines)).toEqual(
    Object.fromEntries(Object.entries(DESIRED).map(([pool, count]) => [`${name}.${pool}`, count])),
  );
  expect(machines).toHaveLength(SIZE);
}

describe(`an operator that is killed again and again (seed ${SEED})`, () => {
  it('brings up a generation with no machine too many, answers lost and launches throttled', async () => {
    await world.addFault({
      name: 'lost-answers',
      operations: ['RunInstances'],
      match: { tags: { 'generations.dev/generation': 'new' } },
      probability: 0.5,
      count: 5,
      effect: { dropResponse: true },
    });
    await world.apply('alice', aGeneration('new', 'site', POOLS));
    await killAtRandom('bring-up', KILLS.bringUp, 700, () => complete('new'));
    await expectUntouched('new');
    await expectUntouched('old');
    const { calls } = await world.ledger();
    const launches = calls.filter(({ operation }) => operation === 'RunInstances');
    expect(launches.filter(({ responseLost }) => responseLost)).not.toEqual([]);
    expect(launches.filter(({ throttled }) => throttled)).not.toEqual([]);
  }, 180_000);

  it('moves traffic once', async () => {
    // Done at once and answered late: kills come between the two addresses.
    await world.addFault({ name: 'slow', operations: ['AssociateAddress'], effect: { slow: '8s' } });
    await world.apply('alice', aCutover('to-new', 'site', 'old', 'new'));
    await killAtRandom('cutover', KILLS.cutover, 250, async () => {
      const cutover = await world.get('cutovers', 'to-new');
      return cutover?.status.outcome === 'Succeeded';
    });
    await world.until('clustergenerations', 'new', 'to be live', inStage('Live'));
    expect(changes(pointer)).toEqual(['', 'old', 'new']);
    expect(changes(selector)).toEqual(['', 'old', 'new']);
    const ledger = await world.ledger();
    const generationOf = (id: string | null) =>
      ledger.machines.find((machine) => machine.id === id)?.tags['generations.dev/generation'];
    for (const { history } of ledger.addresses)
      expect(history.map(({ instanceId }) => generationOf(instanceId))).toEqual(['old', 'new']);
    // Two addresses, two cutovers: what has moved is not even asked for again.
    const asked = ledger.calls.filter(({ operation, status }) => operation === 'AssociateAddress' && status === 200);
    expect(asked).toHaveLength(4);
    await expectUntouched('new');
    await expectUntouched('old');
  }, 180_000);

  it('removes the retired generation at its pace, and only that', async () => {
    await world.apply('alice', aCutover('to-new', 'site', 'old', 'new', { retireNow: true }));
    await killAtRandom('removal', KILLS.removal, 900, async () => {
      const old = await world.get('clustergenerations', 'old');
      return old !== undefined && condition(old, 'Ready')!.message.includes('none of its machines is left');
    });
    const ledger = await world.ledger();
    expect(aliveOf(ledger, 'old')).toEqual([]);
    const { retiredTime } = (await world.get('clustergenerations', 'old'))!.status;
    const times = terminationTimes(machinesOf(ledger, 'old'));
    expect(times).toHaveLength(SIZE);
    // The budget began empty and no restart refilled it: by each moment no more than it had brought in since.
    times.forEach((time, n) => {
      expect((time - Date.parse(retiredTime!)) * (MACHINES_PER_MINUTE / MINUTE)).toBeGreaterThanOrEqual(n + 1);
    });
    expect(mostAlive(machinesOf(ledger, 'old'))).toEqual({ 'old.lb': 3, 'old.web': 6, 'old.batch': 4 });
    await expectUntouched('new');
  }, 180_000);

  it('forgets nothing of a generation that never was live and is deleted', async () => {
    await world.apply('alice', aGeneration('passing', 'site', { web: { machines: 8 } }));
    await world.until(
      'generationpools',
      'passing.web',
      'to have its first machine',
      ({ status }) => (status.machines?.launched ?? 0) > 0,
    );
    await world.kubectl('alice', 'delete', 'cg', 'passing', '--wait=false');
    await killAtRandom('passing', KILLS.passing, 300, async () => !(await world.get('clustergenerations', 'passing')));
    const ledger = await world.ledger();
    expect(aliveOf(ledger, 'passing')).toEqual([]);
    expect(mostAlive(machinesOf(ledger, 'passing'))['passing.web']).toBeLessThanOrEqual(8);
    expect((await world.list('generationpools')).map(({ spec }) => spec.generation)).toEqual(['new', 'new', 'new']);
    await expectUntouched('new');
  }, 180_000);

  it('was killed in the midst of each', () => {
    process.stderr.write(`kills before the end of each: ${JSON.stringify(inTheMidst)} of ${JSON.stringify(KILLS)}\n`);
    expect(Object.values(KILLS).reduce((sum, kills) => sum + kills, 0)).toBeGreaterThanOrEqual(30);
    for (const phase of ['bring-up', 'cutover', 'removal', 'passing'])
      expect(inTheMidst[phase] ?? 0).toBeGreaterThanOrEqual(2);
  });

  it('leaves what is declared, and then writes nothing', async () => {
    await world.until('platforms', 'site', 'to serve', has('Ready', 'True', 'Serving'));
    await world.until('clustergenerations', 'new', 'to be complete', has('Ready', 'True'));
    const ledger = await world.ledger();
    const alive = ledger.machines.filter(({ terminated }) => !terminated);
    const pools = await world.list('generationpools');
    expect(pools.flatMap(({ status }) => (status.instances ?? []).map(({ id }) => id)).toSorted()).toEqual(
      alive.map(({ id }) => id).toSorted(),
    );
    expect(pools.flatMap(({ status }) => status.launches ?? [])).toEqual([]);
    expect((await world.list('nodes')).map(({ metadata }) => metadata.name).toSorted()).toEqual(
      alive.map(({ nodeName }) => nodeName).toSorted(),
    );
    expect(world.falseClaims()).toEqual([]);
    await renewals(world, 2);
    const before = await versions(world);
    await renewals(world, 2);
    expect(await versions(world)).toEqual(before);
  }, 60_000);
});
