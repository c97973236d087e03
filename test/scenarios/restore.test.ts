import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '../../local/wait.ts';
import type { ClusterGeneration, Platform } from '../../src/api/v1alpha1/index.ts';
import { aliveOf, isAlive } from './ledger.ts';
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
} from './objects.ts';
import { byTwoPeople, cutOver, patchPlatform, peopleMayWritePlatforms, staged } from './people.ts';
import { condition, has, inStage, startWorld, type World } from './world.ts';

/** A cluster that comes back from a backup, beside machines that never went away. 40 declared seconds in a real one. */

const POOLS = { lb: { role: 'load-balancer', machines: 2 }, web: { machines: 2 } };
const SIZE = 4;

let world: World;
afterEach(() => world?.stop(), 30_000);

const platform = (traffic = TRAFFIC) => aPlatform('site', 'local', { traffic });

async function started(traffic = TRAFFIC): Promise<void> {
  world = await startWorld({
    scenario: aScenario(),
    timeScale: 40,
    chart: peopleMayWritePlatforms,
    operator: { leaderElect: false },
  });
  await world.apply('admin', edgeNamespace, wwwService);
  await world.apply('gitops', aClass('local', world.cloud), platform(traffic));
}

async function complete(name: string): Promise<ClusterGeneration> {
  await world.apply('admin', aWorkload('site', name, 2));
  return staged(world, name, 'site', POOLS);
}

const alive = async () =>
  (await world.ledger()).machines
    .filter(isAlive)
    .map(({ id }) => id)
    .toSorted();
/** What was asked of the cloud since call number `seq` that makes, ends or moves something. */
const actsSince = async (seq: number) =>
  (await world.ledger()).calls.filter(
    (call) => call.seq > seq && call.caller === 'operator' && !/^(Describe|Get)/.test(call.operation),
  );
const last = async () => (await world.ledger()).last;
const removal = async (name: string) => (await world.kubectl('admin', 'delete', 'cg', name, '--wait=false')).stderr;
const untilFrozen = (reason: string) =>
  world.until('platforms', 'site', 'to be frozen', has('Consistent', 'False', reason));

/** Takes every object of ours away as no person could through the guard, as a lost etcd does; Nodes and Services stay. */
async function forgetAll(): Promise<void> {
  await world.operator.kill();
  const admin = async (...args: string[]) => {
    const { status, stdout, stderr } = await world.kubectl('admin', ...args);
    if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const bindings: Binding[] = JSON.parse(await admin('get', 'validatingadmissionpolicybinding', '-o', 'json')).items;
  const ours = bindings.filter(({ metadata }) => metadata.name.startsWith('generations-guard-'));
  await admin('delete', 'validatingadmissionpolicybinding', ...ours.map(({ metadata }) => metadata.name));
  const kinds = ['cutovers', 'generationpools', 'clustergenerations', 'platforms'];
  await waitFor('the API server to forget the policies, and then everything else', { limitMs: 60_000 }, async () => {
    for (const kind of kinds) {
      const names = (await admin('get', kind, '-o', 'name')).split('\n').filter(Boolean);
      for (const name of names) {
        await world.kubectl('admin', 'patch', name, '--type=merge', '-p', '{"metadata":{"finalizers":null}}');
        await world.kubectl('admin', 'delete', name, '--wait=false');
      }
    }
    const left = await Promise.all(kinds.map((kind) => admin('get', kind, '-o', 'name')));
    return left.join('') === '' || undefined;
  });
  for (const { spec, metadata } of ours)
    await world.apply('admin', {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: metadata.name },
      spec,
    });
}

interface Binding {
  metadata: { name: string };
  spec: object;
}

describe('objects restored without their status, with new UIDs', () => {
  it('freeze the platform until two people have said whose the machines are', async () => {
    await started();
    const before = { blue: await complete('blue'), green: undefined as ClusterGeneration | undefined };
    await cutOver(world, 'site', '', 'blue');
    before.green = await complete('green');
    await cutOver(world, 'site', 'blue', 'green');
    const machines = await alive();
    expect(machines).toHaveLength(2 * SIZE);

    await forgetAll();
    const seq = await last();
    await world.apply('gitops', platform());
    await world.apply('alice', aGeneration('blue', 'site', POOLS), aGeneration('green', 'site', POOLS));
    await world.apply('alice', aCutover('to-blue', 'site', '', 'blue'));
    await world.operator.restart();
    await world.operator.ready();

    // Frozen: nothing is launched, ended, moved or deleted.
    const frozen = await untilFrozen('UnknownMachines');
    expect(condition(frozen, 'Consistent')?.message).toMatch(
      /4 of blue with UID \S+ .*; 4 of green with UID \S+|4 of green with UID \S+ .*; 4 of blue with UID \S+/,
    );
    expect(frozen.status.protected).toBeUndefined();
    for (const name of ['blue', 'green']) {
      await world.until('clustergenerations', name, 'to wait', has('Ready', 'False', 'Frozen'));
      expect(await removal(name)).toContain('cannot be deleted');
    }
    await world.until('cutovers', 'to-blue', 'to be blocked', has('Blocked', 'True', 'Frozen'));
    await renewed();
    expect(await actsSince(seq)).toEqual([]);

    // One person does not do, nor two who are wrong.
    await byTwoPeople(world, 'site', 'rebind', { generation: 'green', uid: before.blue.metadata.uid });
    const wrong = await world.until('platforms', 'site', 'to object', objects);
    expect(condition(wrong, 'Consistent')?.message).toContain('are tagged with generation blue');
    await patchPlatform(world, 'alice', 'site', { rebind: null });

    for (const name of ['blue', 'green'] as const) {
      const { uid } = before[name]!.metadata;
      await byTwoPeople(world, 'site', 'rebind', { generation: name, uid });
      await world.until('platforms', 'site', `to know ${name}`, ({ status }) =>
        (status.rebound ?? []).some((entry) => entry.generation === name && entry.uid === uid),
      );
      await patchPlatform(world, 'bob', 'site', { rebind: null });
    }
    const { status } = await world.until('platforms', 'site', 'to serve', has('Ready', 'True', 'Serving'));
    const green = (await world.get('clustergenerations', 'green'))!;
    expect(status.live).toMatchObject({ name: 'green', uid: green.metadata.uid });
    expect(status.protected).toEqual(['blue', 'green']);
    for (const name of ['blue', 'green'])
      await world.until(
        'clustergenerations',
        name,
        'to have its machines',
        ({ status }) => status.machines?.ready === SIZE,
      );
    await world.until('clustergenerations', 'green', 'to be live', inStage('Live'));
    expect(await removal('green')).toContain('it is live');
    expect(await removal('blue')).toContain('cannot be deleted');
    // No second fleet, and the cutover that had ended long ago moves nothing back.
    await world.until('cutovers', 'to-blue', 'to be over', ({ status }) => status.outcome === 'Superseded');
    await renewed();
    expect(await actsSince(seq)).toEqual([]);
    expect(await alive()).toEqual(machines);

    // From here on it is a platform as any other.
    await complete('red');
    await cutOver(world, 'site', 'green', 'red');
    expect(aliveOf(await world.ledger(), 'green')).toHaveLength(SIZE);
  }, 240_000);
});

describe('an etcd from before the last cutover', () => {
  it('freezes the platform, says so, and goes on once two people acknowledge it', async () => {
    // Addresses only: the endpoints of a Service are the work of controllers whose caches are from the future now.
    await started(TRAFFIC.slice(1));
    await complete('blue');
    await cutOver(world, 'site', '', 'blue');
    await complete('green');
    const { controlPlane } = world.environment;
    const snapshot = join(controlPlane.directory, 'snapshot');
    await controlPlane.etcd.snapshot(snapshot);
    await cutOver(world, 'site', 'blue', 'green');
    const { metadata } = (await world.get('clustergenerations', 'green'))!;
    const machines = await alive();

    await world.operator.kill();
    await controlPlane.apiServer.kill();
    await controlPlane.etcd.restore(snapshot);
    await controlPlane.apiServer.restart();
    await controlPlane.apiServer.ready();
    const seq = await last();
    await world.operator.restart();
    await world.operator.ready();

    const frozen = await untilFrozen('PointerDisagrees');
    expect(frozen.status.live?.name).toBe('blue');
    expect(condition(frozen, 'Ready')).toMatchObject({ status: 'False', reason: 'PointerDisagrees' });
    expect(condition(frozen, 'Consistent')?.message).toContain(`green (UID ${metadata.uid}) is live since`);
    // What the cloud says is live is protected as well: nobody deletes it as the never-live one that it seems to be.
    expect(frozen.status.protected).toEqual(['blue', 'green']);
    for (const name of ['blue', 'green']) expect(await removal(name)).toContain('cannot be deleted');
    await world.apply('alice', aCutover('again', 'site', 'blue', 'green'));
    await world.until('cutovers', 'again', 'to be blocked', has('Blocked', 'True', 'Frozen'));
    await renewed();
    expect(await actsSince(seq)).toEqual([]);

    await byTwoPeople(world, 'site', 'rebind', { generation: 'green', uid: metadata.uid });
    await world.until('platforms', 'site', 'to be settled', has('Consistent', 'True'));
    // That one was there before; another, made knowing what is so, puts the pointer right.
    await world.until('cutovers', 'again', 'to stay blocked', has('Blocked', 'True', 'FromBeforeRestore'));
    await world.kubectl('alice', 'delete', 'cutover', 'again');
    await nextSecond();
    await cutOver(world, 'site', 'blue', 'green');
    const { status } = await world.until('platforms', 'site', 'to serve', has('Ready', 'True', 'Serving'));
    expect(status.live).toMatchObject({ name: 'green', uid: metadata.uid });
    expect(await alive()).toEqual(machines);
  }, 240_000);
});

/** Objects are dated to the second: a Cutover made in the second of a rebind counts as one that was there before it. */
const nextSecond = async () => {
  const settled = Math.floor(Date.now() / 1000);
  await waitFor(
    'the next second',
    { limitMs: 5_000 },
    async () => Math.floor(Date.now() / 1000) > settled || undefined,
  );
};

/** The operator has looked at everything, more than once. */
const renewed = async () => {
  const looks = async () =>
    (await world.ledger()).calls.filter(
      ({ caller, operation }) => caller === 'operator' && operation === 'DescribeInstances',
    ).length;
  const before = await looks();
  await waitFor(
    'the operator to look at the cloud three times more',
    { limitMs: 60_000 },
    async () => (await looks()) >= before + 3 || undefined,
  );
};

const objects = (object: Platform): boolean =>
  condition(object, 'Consistent')?.message.includes('spec.rebind is not carried out') === true &&
  condition(object, 'Consistent')?.message.includes('are tagged with') === true;
