import { CreateTagsCommand, DeleteTagsCommand, ReleaseAddressCommand, StopInstancesCommand } from '@aws-sdk/client-ec2';
import { afterEach, describe, expect, it } from '@jest/globals';
import { tagsOfMachine } from '../../src/domain/identity.ts';
import { halt } from '../../src/simulator/life.ts';
import { CLUSTER } from '../builders/index.ts';
import { aSite, codeOf, lift, type Site, STAGES, type Stage, terminate } from './site.ts';

/** What somebody with every right at the cloud, past Kubernetes and its guard, can do to machines: by the SDK, act by act. */

let site: Site;
afterEach(async () => {
  // Its connections would keep the simulator from stopping.
  site.person.destroy();
  await site.cloud.simulator.stop();
});

const start = async () => {
  site = await aSite();
  return site;
};
const ours = () => STAGES.flatMap((stage) => site.ids[stage]);
const running = (ids: readonly string[]) => ids.map(() => 'running');
const retag = (ids: string[], stage: Stage) =>
  site.person.send(
    new CreateTagsCommand({
      Resources: ids,
      Tags: Object.entries(tagsOfMachine(site.pools[stage], CLUSTER)).map(([Key, Value]) => ({ Key, Value })),
    }),
  );
const halted = async ([id]: string[]) => {
  const { cloud } = site.cloud.simulator;
  halt(cloud, cloud.instances.all.find((one) => one.id === id)!, cloud.clock.now());
};

type Act = (ids: string[]) => Promise<unknown>;
/** What is refused, with the cloud's code; or done, and what then becomes of the first machine. */
const ACTS: [what: string, act: Act, code: string, first?: string][] = [
  ['terminate one', ([id]) => terminate(site.person, [id!]), 'OperationNotPermitted'],
  ['terminate all of it', (ids) => terminate(site.person, ids), 'OperationNotPermitted'],
  ['terminate every generation at once', () => terminate(site.person, ours()), 'OperationNotPermitted'],
  [
    'terminate it with an unprotected one of its zone',
    (ids) => terminate(site.person, [...ids, site.ids.strangers[1]!]),
    'OperationNotPermitted',
  ],
  [
    'terminate it with an unprotected one of another zone',
    (ids) => terminate(site.person, [...ids, site.ids.strangers[0]!]),
    'OperationNotPermitted',
  ],
  ['stop it', (ids) => site.person.send(new StopInstancesCommand({ InstanceIds: ids })), 'OperationNotPermitted'],
  [
    'stop it by force',
    (ids) => site.person.send(new StopInstancesCommand({ InstanceIds: ids, Force: true })),
    'OperationNotPermitted',
  ],
  ['halt it from inside', halted, 'done', 'stopped'],
  [
    'lift termination protection, and terminate',
    async ([id]) => {
      await lift(site.person, id!, ['termination']);
      await terminate(site.person, [id!]);
    },
    'OperationNotPermitted',
  ],
  [
    'lift stop protection, and terminate',
    async ([id]) => {
      await lift(site.person, id!, ['stop']);
      await terminate(site.person, [id!]);
    },
    'OperationNotPermitted',
  ],
  [
    'lift one of it, and terminate all',
    async (ids) => {
      await lift(site.person, ids[0]!);
      await terminate(site.person, ids);
    },
    'OperationNotPermitted',
  ],
  ['take its tags away', (ids) => site.person.send(new DeleteTagsCommand({ Resources: ids })), 'done', 'running'],
  ['say that it is another generation’s', (ids) => retag(ids, 'never-live'), 'done', 'running'],
  [
    'give its address back',
    () => site.person.send(new ReleaseAddressCommand({ AllocationId: 'eipalloc-1' })),
    'InvalidIPAddress.InUse',
  ],
];

describe('somebody with every right at the cloud', () => {
  const cells = ACTS.flatMap(([what, act, code, first]) =>
    STAGES.map((stage) => [what, stage, code, act, first] as const),
  );
  it.each(cells)('%s: a %s generation: %s', async (_what, stage, code, act, first = 'running') => {
    await start();
    const ids = site.ids[stage];
    expect(await codeOf(act([...ids]))).toBe(code);
    await site.cloud.clock.advance(120_000);
    expect(await site.states(ids)).toEqual([first, 'running', 'running']);
    const others = ours().filter((id) => !ids.includes(id));
    expect(await site.states(others)).toEqual(running(others));
    expect(site.pointsAt()).toBe(site.ids.live[0]);
  });

  it('ends by a mixed batch only what is unprotected, and in another zone', async () => {
    await start();
    const [elsewhere, beside] = site.ids.strangers;
    await codeOf(terminate(site.person, [...ours(), elsewhere!, beside!]));
    await site.cloud.clock.advance(120_000);
    expect(await site.states([elsewhere!, beside!, ...ours()])).toEqual(['terminated', 'running', ...running(ours())]);
  });

  it('ends what it lifts and terminates in one breath: IAM has to keep the two apart', async () => {
    await start();
    const [one, two, three] = site.ids.live;
    for (const id of [one!, two!]) await lift(site.person, id);
    expect(await codeOf(terminate(site.person, [one!, two!]))).toBe('done');
    await site.cloud.clock.advance(120_000);
    expect(await site.states([one!, two!, three!])).toEqual(['terminated', 'terminated', 'running']);
    await terminate(site.person, [three!]).catch(() => undefined);
    expect(await site.states([three!])).toEqual(['running']);
  });
});

describe('protection that somebody lifts at the cloud, and the next minutes', () => {
  const LIFTS: [string, (ids: string[]) => string[], ('termination' | 'stop')[]][] = [
    ['termination protection of one', ([id]) => [id!], ['termination']],
    ['stop protection of one', ([id]) => [id!], ['stop']],
    ['both of one', ([id]) => [id!], ['termination', 'stop']],
    ['both of two', ([one, two]) => [one!, two!], ['termination', 'stop']],
    ['both of all', (ids) => ids, ['termination', 'stop']],
  ];
  const cells = LIFTS.flatMap(([what, which, halves]) =>
    (['live', 'retained'] as const).map((stage) => [what, stage, which, halves] as const),
  );
  it.each(cells)('%s of a %s generation: is back, and people know', async (_what, stage, which, halves) => {
    await start();
    const lifted = which(site.ids[stage]);
    for (const id of lifted) await lift(site.person, id, halves);
    // Six machines are protected, one of them is looked at each minute.
    for (let minute = 0; minute < 6; minute++) await site.sample();
    for (const id of site.ids[stage]) expect(await codeOf(terminate(site.person, [id]))).toBe('OperationNotPermitted');
    expect(await codeOf(site.person.send(new StopInstancesCommand({ InstanceIds: site.ids[stage] })))).toBe(
      'OperationNotPermitted',
    );
    await site.cloud.clock.advance(120_000);
    expect(await site.states(ours())).toEqual(running(ours()));
    for (const id of lifted)
      expect(
        site.events
          .filter(({ note, reason }) => reason === 'ProtectionLifted' && note.includes(id))
          .map(({ kind }) => kind),
      ).toEqual(['Platform', 'ClusterGeneration']);
  });

  it('of a generation that never was live stays lifted: it is to be easy to remove', async () => {
    await start();
    for (const id of site.ids['never-live']) await lift(site.person, id);
    for (let minute = 0; minute < 9; minute++) await site.sample();
    expect(site.events).toEqual([]);
    expect(await codeOf(terminate(site.person, site.ids['never-live']))).toBe('done');
  });
});

describe('the operator’s interlock, over the real provider', () => {
  it('ends the machines of a generation that never was live, lifting them itself', async () => {
    await start();
    const ids = site.ids['never-live'];
    expect(await site.guard.terminate(site.pools['never-live'], ids, 'a test')).toEqual({ terminated: ids });
    await site.cloud.clock.advance(120_000);
    expect(await site.states(ids)).toEqual(['terminated', 'terminated', 'terminated']);
    expect(await site.states([...site.ids.live, ...site.ids.retained])).toEqual(Array(6).fill('running'));
  });

  const forged: [string, (ids: string[]) => Promise<unknown>][] = [
    ['as they are', async () => undefined],
    ['without tags', (ids) => site.person.send(new DeleteTagsCommand({ Resources: ids }))],
    [
      'with another cluster’s tag',
      (ids) =>
        site.person.send(
          new CreateTagsCommand({ Resources: ids, Tags: [{ Key: 'generations.dev/cluster', Value: 'another' }] }),
        ),
    ],
    ['tagged as the never-live one’s', (ids) => retag(ids, 'never-live')],
    [
      'with nobody’s protection',
      async (ids) => {
        for (const id of ids) await lift(site.person, id);
      },
    ],
  ];
  const cells = forged.flatMap(([how, forge]) =>
    (['live', 'retained'] as const).flatMap((stage) => STAGES.map((pool) => [stage, how, pool, forge] as const)),
  );
  it.each(cells)(
    'leaves machines of the %s generation, %s, alone when asked in the name of the %s one',
    async (stage, _how, pool, forge) => {
      await start();
      const ids = site.ids[stage];
      await forge(ids);
      const result = await site.guard.terminate(site.pools[pool], ids, 'a test');
      expect(result.terminated).toEqual([]);
      expect(result.refused).toEqual(expect.any(String));
      await site.cloud.clock.advance(120_000);
      expect(await site.states(ids)).toEqual(running(ids));
      expect(site.cloud.calls('TerminateInstances')).toEqual([]);
    },
  );

  it('ends no stranger’s machine, whoever it is asked for', async () => {
    await start();
    for (const stage of STAGES)
      expect(await site.guard.terminate(site.pools[stage], site.ids.strangers, 'a test')).toMatchObject({
        terminated: [],
        refused: expect.any(String),
      });
    expect(await site.states(site.ids.strangers)).toEqual(['running', 'running']);
  });
});
