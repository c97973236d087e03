import { afterEach, describe, expect, it } from '@jest/globals';
import type { Cloud } from '../../../test/builders/cloud.ts';
import { twoGenerations } from '../../../test/builders/two-generations.ts';
import { conditionOf } from '../../domain/conditions.ts';
import { clusterGenerations, generationPools, platforms } from '../../kinds.ts';
import { deleteObject } from '../../kube/delete.ts';
import type { Machine } from '../../providers/provider.ts';

/** On the real operator: the cloud shows less than there is, or more. */
let site: Awaited<ReturnType<typeof twoGenerations>> | undefined;
afterEach(() => site?.crash());

const start = async () => {
  site = await twoGenerations();
  return site;
};
const HOUR = 3_600;

type Site = Awaited<ReturnType<typeof start>>;

/** Nothing was launched, ended or undone, and nothing is said that is not so. */
function expectUntouched({ cloud, pool, server }: Site, before: readonly string[]) {
  expect(cloud.calls).toEqual(before);
  for (const name of ['blue', 'green']) {
    expect(pool(name).status.machines).toEqual({ launched: 3, registered: 3, ready: 3 });
    expect(conditionOf(pool(name), 'Ready')).toMatchObject({ status: 'True' });
  }
  expect(conditionOf(server.read(platforms, 'us')!, 'Ready')).toMatchObject({
    status: 'True',
    reason: 'MachinesReady',
  });
}

const ANSWERS: [string, (site: Site) => Cloud['shows']][] = [
  ['empty', () => () => []],
  ['empty, by tag alone', () => (question, machines) => (question === 'tag' ? [] : machines)],
  ['empty, by id alone', () => (question, machines) => (question === 'id' ? [] : machines)],
  ['one half', () => (_, machines) => machines.slice(Math.ceil(machines.length / 2))],
  ['without the live generation', (s) => (_, machines) => machines.filter(({ id }) => !s.ids('blue').includes(id))],
];

describe('answers of the cloud that lack what there is', () => {
  const cells = ANSWERS.flatMap(([what, shows]) => [65, 2 * HOUR].map((seconds) => [what, seconds, shows] as const));
  it.each(cells)('%s, for %d s: nothing is launched or ended because of them', async (_, seconds, shows) => {
    const s = await start();
    const before = [...s.cloud.calls];
    s.cloud.shows = shows(s);
    await s.pass(seconds);
    expectUntouched(s, before);
    s.cloud.shows = (__, machines) => machines;
    await s.pass(600);
    expectUntouched(s, before);
    expect(s.says('blue', 'Accounted')).toMatchObject({ status: 'True' });
  });

  it('empty while no kubelet reports either: nearly everything at once is no absence, and people are told', async () => {
    const s = await start();
    const before = [...s.cloud.calls];
    for (const { id } of s.cloud.alive()) s.notReady(id);
    s.cloud.shows = () => [];
    await s.pass(2 * HOUR);
    expect(s.cloud.calls).toEqual(before);
    expect(s.ids('blue')).toHaveLength(3);
    expect(s.says('blue', 'Accounted')).toMatchObject({
      status: 'False',
      reason: 'MachinesNotShown',
      message: expect.stringContaining('it shows 0 of all 6 machines'),
    });
    expect(s.events('MachinesNotShown')).toHaveLength(2);
  });

  it('empty while a generation is deleted: it stays until its machines are seen to have ended', async () => {
    const s = await start();
    s.cloud.shows = () => [];
    const generation = s.server.read(clusterGenerations, 'green')!;
    await deleteObject(s.client, clusterGenerations, generation.metadata);
    await s.pass(HOUR);
    expect(s.server.read(clusterGenerations, 'green')).toBeDefined();
    expect(s.server.read(generationPools, 'green.web')).toBeDefined();
    s.cloud.shows = (__, machines) => machines;
    await s.pass(300);
    expect(s.server.read(clusterGenerations, 'green')).toBeUndefined();
    expect(s.cloud.alive()).toHaveLength(3);
  });

  it('empty when a pool has lost its journal: what its Nodes say keeps it from a second fleet', async () => {
    const s = await start();
    s.crash();
    const before = [...s.cloud.calls];
    s.server.edit(generationPools, 'blue.web', (pool) => {
      pool.status = { observedGeneration: -1 };
    });
    s.cloud.shows = () => [];
    await s.start();
    await s.pass(HOUR);
    expect(s.cloud.calls).toEqual(before);
    expect(s.says('blue', 'Accounted')).toMatchObject({ status: 'False', reason: 'MachinesNotShown' });
    s.cloud.shows = (__, machines) => machines;
    await s.pass(120);
    expect(s.cloud.calls).toEqual(before);
    expect(s.ids('blue')).toHaveLength(3);
  });
});

describe('machines that are really gone', () => {
  it('are replaced within a minute when the cloud shows that they ended, all of the live ones at once too', async () => {
    const s = await start();
    for (const id of s.ids('blue')) s.cloud.kill(id);
    await s.pass(75);
    expect(s.cloud.alive()).toHaveLength(6);
    await s.pass(120);
    expect(s.pool('blue').status.machines).toEqual({ launched: 3, registered: 3, ready: 3 });
  });

  it('are replaced after some minutes when the cloud forgot them while nobody looked', async () => {
    const s = await start();
    s.crash();
    const [first = ''] = s.ids('blue');
    s.cloud.kill(first);
    await s.pass(2 * HOUR);
    await s.start();
    await s.pass(240);
    expect(s.ids('blue')).toContain(first);
    expect(s.cloud.alive()).toHaveLength(5);
    await s.pass(240);
    expect(s.ids('blue')).not.toContain(first);
    expect(s.pool('blue').status.ended).toMatchObject([{ id: first, known: 'Forgotten' }]);
    expect(s.cloud.alive()).toHaveLength(6);
  });
});

describe('Nodes that are deleted by mistake', () => {
  it('of machines that had registered: none is ended, and the pool says what to do until they are back', async () => {
    const s = await start();
    const before = [...s.cloud.calls];
    const lost = s.cloud.alive().filter(({ id }) => s.ids('green').includes(id));
    for (const { id } of lost) await s.unregister(id);
    await s.pass(2 * HOUR);
    expect(s.cloud.calls).toEqual(before);
    expect(s.pool('green').status.failures).toMatchObject([
      { reason: 'NodeLost', count: 3, message: expect.stringContaining('had registered, and their Nodes are gone') },
    ]);
    for (const machine of lost) s.register(machine);
    await s.pass(60);
    expect(s.pool('green').status).toMatchObject({ machines: { ready: 3 }, failures: [] });
  });
});

describe('a machine whose tags were taken off', () => {
  it('of a generation that is deleted: the pool waits for it, and names it, the tags and the way out', async () => {
    const s = await start();
    const [stray = ''] = s.ids('green');
    const without = (machines: Machine[]) =>
      machines.map((machine) => (machine.id === stray ? { ...machine, tags: {} } : machine));
    s.cloud.shows = (question, machines) =>
      question === 'tag' ? machines.filter(({ id }) => id !== stray) : without(machines);
    await deleteObject(s.client, clusterGenerations, s.server.read(clusterGenerations, 'green')!.metadata);
    await s.pass(600);
    for (const object of [s.pool('green'), s.server.read(clusterGenerations, 'green')!])
      expect(conditionOf(object, 'Accounted')).toMatchObject({
        status: 'False',
        reason: 'TagsMissing',
        message: expect.stringMatching(new RegExp(`${stray} \\(lacks generations.dev/platform=us.*terminate them`)),
      });
    s.cloud.kill(stray);
    await s.pass(120);
    expect(s.server.read(clusterGenerations, 'green')).toBeUndefined();
  });
});

describe('machines beyond what is wanted, of a generation that is held', () => {
  const surplus = async () => {
    const s = await start();
    const pool = s.pool('blue');
    const { tags } = s.cloud.alive().find(({ id }) => s.ids('blue').includes(id))!;
    const request = { token: 'doubled', subnet: 'subnet-a', machines: 2, template: pool.spec.template, tags };
    await s.cloud.provider.launch(request, 'planned');
    await s.pass(600);
    return s;
  };

  it('are said, in a condition of pool and generation and an event, and kept', async () => {
    const s = await surplus();
    expect(s.cloud.alive()).toHaveLength(8);
    for (const object of [s.pool('blue'), s.server.read(clusterGenerations, 'blue')!])
      expect(conditionOf(object, 'Accounted')).toMatchObject({
        status: 'False',
        reason: 'Surplus',
        message: expect.stringContaining('5 machines are there and 3 are wanted'),
      });
    expect(s.events('Surplus')).toHaveLength(1);
  });

  it('are ended, and no others, while two people override its protection', async () => {
    const s = await surplus();
    const wanted = s.ids('blue').slice(0, 3);
    s.server.edit(platforms, 'us', (platform) => {
      platform.spec.override = {
        generation: 'blue',
        reason: 'two machines too many',
        release: false,
        requestedBy: 'alice',
        approvedBy: 'bob',
      };
    });
    await s.pass(300);
    expect(s.ids('blue')).toEqual(wanted);
    expect(s.cloud.alive()).toHaveLength(6);
    expect(s.says('blue', 'Accounted')).toMatchObject({ status: 'True' });
    expect(s.server.read(platforms, 'us')?.status.live?.name).toBe('blue');
  });

  it('are wanted once the pool is made larger', async () => {
    const s = await surplus();
    s.server.edit(clusterGenerations, 'blue', ({ spec }) => {
      for (const pool of spec.pools) pool.machines = 5;
    });
    await s.pass(120);
    expect(s.says('blue', 'Accounted')).toMatchObject({ status: 'True' });
    expect(s.pool('blue').status.machines).toMatchObject({ launched: 5, ready: 5 });
  });
});
