import { describe, expect, it } from '@jest/globals';
import {
  aCondition,
  aCutover,
  aCutoverInput,
  aGeneration,
  aMember,
  anAddressTarget,
  aPlatform,
  aPoolSpec,
  aServiceTarget,
  at,
  aView,
} from '../../../test/builders/index.ts';
import type { Platform } from '../../api/v1alpha1/index.ts';
import type { CutoverInput } from './input.ts';
import { hashOf } from './job-manifest.ts';
import { objectionsTo } from './objections.ts';
import { preflight } from './steps/preflight.ts';

const objectionTo = (input: CutoverInput) => objectionsTo(input)[0];

const ready = { conditions: [aCondition()] };
const green = (changes: Parameters<typeof aGeneration>[0] = {}) =>
  aGeneration({ ...changes, status: { ...ready, ...changes?.status } });
const unwritten = () => {
  const platform = aPlatform({ live: 'blue' });
  delete platform.status.protected;
  return platform;
};
const begun = (uid: string) => aCutover({ from: 'blue', status: { generations: { to: { name: 'green', uid } } } });
const guarded = (guard: { effective: boolean; lastProbeTime: string }) =>
  aPlatform({ live: 'blue', status: { guard: { ...guard, probes: [] } } });
const superseding = aCutover({ from: 'blue', spec: { supersedes: { name: 'old', uid: 'uid-old' } } });
const old = (status: Partial<ReturnType<typeof aCutover>['status']>) =>
  aCutover({ name: 'old', from: 'blue', status: { generations: {}, ...status } });
const singletons = (quiesce: 'Waves' | 'AllFirst') =>
  aPlatform({ live: 'blue', spec: { roles: [{ name: 'always-on', handover: 'Singleton', quiesce }] } });
const unreachable = {
  ...{
    role: 'always-on',
    handover: 'Singleton' as const,
    total: 1,
    waiting: 0,
    starting: 0,
    running: 1,
    arriving: 0,
    on: { blue: 1 },
  },
  ...{ startsPerSecond: 20, unreachable: 'Pod tasks/a may still run' },
};
const site = (...traffic: Platform['spec']['traffic']) => aPlatform({ live: 'blue', spec: { traffic } });
const three = ['i-1', 'i-2', 'i-3'].map((machine) => aMember({ machine }));

const irreversible = (name: string, image: string) => ({
  name,
  reversible: false,
  jobTemplate: { spec: { template: { spec: { containers: [{ name: 'main', image }] } } } },
});

const ROWS: [string, Partial<CutoverInput>, string, string][] = [
  ['no Platform', { platform: undefined }, 'PlatformNotFound', 'Platform us does not exist: create it'],
  ['a Platform without a status', { platform: unwritten() }, 'PlatformNotReady', 'has no status.protected yet'],
  [
    'a Platform that asks for what is not built',
    { platform: aPlatform({ live: 'blue', spec: { recovery: 'Fastest' } }) },
    'NotImplemented',
    'spec.recovery',
  ],
  ['no target', { to: undefined }, 'TargetNotFound', 'ClusterGeneration green does not exist: create it'],
  [
    'a target of another platform',
    { to: green({ spec: { platform: 'eu' } }) },
    'WrongPlatform',
    'belongs to Platform eu, not to us',
  ],
  ['a target that is being deleted', { to: green({ deleting: true }) }, 'TargetDeleted', 'is being deleted'],
  [
    'a namesake of the target',
    { cutover: begun('another') },
    'TargetReplaced',
    'is not the one that this cutover began with',
  ],
  [
    'a retired target',
    { to: green({ retired: true }) },
    'TargetRetired',
    `was retired at ${at(60)} and never comes back`,
  ],
  [
    'a target that was live',
    { to: green({ live: true }) },
    'TargetWasLive',
    'going back to it is a Cutover of mode Rollback',
  ],
  [
    'a target of another cutover',
    { to: green({ reservedBy: 'other' }) },
    'TargetReserved',
    'is reserved by Cutover other',
  ],
  [
    'no source',
    { from: undefined },
    'SourceNotFound',
    'ClusterGeneration blue, from which this cutover moves, does not exist',
  ],
  [
    'a source that is not live any more, though it has begun',
    { cutover: begun('uid-green'), platform: aPlatform({ live: 'other' }) },
    'SourceNotLive',
    'other is live, and Cutover to-green moves from blue: another Cutover was faster. Nothing is moved; abort this one first (spec.abort: true), then make another Cutover from other',
  ],
  [
    'a target that does not fit',
    {
      to: green({
        status: {
          conditions: [
            aCondition({
              type: 'CapacityProved',
              status: 'False',
              reason: 'InsufficientAddresses',
              message: '9 short',
            }),
          ],
        },
      }),
    },
    'InsufficientAddresses',
    'does not fit beside the live one: 9 short',
  ],
  [
    'a target that is not ready',
    { to: green({ status: { conditions: [aCondition({ status: 'False', message: '1 of 3' })] } }) },
    'TargetNotReady',
    'green is not ready: 1 of 3',
  ],
  [
    'a target that was changed since it was ready',
    { to: green({ metadata: { generation: 2 } }) },
    'TargetNotReady',
    'green is not ready: the operator has not looked at it yet',
  ],
  ['a cloud that cannot be asked', { members: { reason: 'Unauthorized', message: 'no' } }, 'Unauthorized', 'no'],
  [
    'a machine that is missing',
    { members: three.slice(1) },
    'TargetNotReady',
    'role web of green has 2 of 3 machines ready',
  ],
  [
    'a machine that is missing in one role, whatever others have',
    { members: [...three.slice(1), aMember({ machine: 'i-4', role: 'other' })] },
    'TargetNotReady',
    'role web of green has 2 of 3 machines ready',
  ],
  [
    'a machine that is not Ready',
    { members: [...three.slice(1), aMember({ ready: false })] },
    'TargetNotReady',
    'role web of green has 2 of 3 machines ready',
  ],
  [
    'a traffic target that cannot be switched',
    { targets: [aView(), aView({ target: 'api', problem: { reason: 'NoReadyEndpoints', message: 'none' } })] },
    'NoReadyEndpoints',
    'none',
  ],
  [
    'two traffic targets with one Service',
    { platform: site(aServiceTarget(), aServiceTarget({ name: 'api' })) },
    'TargetsOverlap',
    'traffic targets www and api of Platform us both have Service edge/www: each needs its own',
  ],
  [
    'the Service of another target as a preview',
    {
      platform: site(
        aServiceTarget({ preview: { namespace: 'edge', name: 'api' } }),
        aServiceTarget({ name: 'api', service: { namespace: 'edge', name: 'api' } }),
      ),
    },
    'TargetsOverlap',
    'traffic targets api and www of Platform us both have Service edge/api',
  ],
  [
    'two traffic targets with one address',
    {
      platform: site(
        anAddressTarget({ elasticIPs: { allocationIDs: ['eipalloc-1', 'eipalloc-2'] } }),
        anAddressTarget({ name: 'more', elasticIPs: { allocationIDs: ['eipalloc-2'] } }),
      ),
    },
    'TargetsOverlap',
    'and more of Platform us both have Elastic IP eipalloc-2',
  ],
  [
    'a role that is smaller than the live one',
    { from: aGeneration({ name: 'blue', live: true, spec: { pools: [aPoolSpec({ machines: 5 })] } }) },
    'RoleTooSmall',
    'role web has 5 machines in blue, which is live, and only 3 in green: add machines, or write allowSmallerRoles: true',
  ],
  [
    'a role that is left out',
    {
      from: aGeneration({
        name: 'blue',
        live: true,
        spec: { pools: [aPoolSpec(), aPoolSpec({ name: 'x', role: 'x' })] },
      }),
    },
    'RoleTooSmall',
    'and only 0 in green',
  ],
  [
    'a maintenance responder that is not there',
    {
      targets: [
        aView({
          hold: {
            wanted: { app: 'm' },
            serving: false,
            waitingFor: '',
            problem: { reason: 'NoMaintenancePods', message: 'no pod' },
          },
        }),
      ],
    },
    'NoMaintenancePods',
    'no pod',
  ],
  [
    'a task to be ended first on a machine that does not answer',
    { platform: singletons('AllFirst'), tasks: [unreachable] },
    'TaskUnreachable',
    'role always-on is ended before the cutover goes on, and Pod tasks/a may still run',
  ],
  [
    'a rollback that supersedes a cutover which has migrated for good',
    {
      cutover: { ...superseding, spec: { ...superseding.spec, mode: 'Rollback' } },
      superseded: old({
        conditions: [aCondition({ type: 'RollbackAvailable', status: 'False' })],
        migrations: [{ name: 'schema', hash: 'h', reversible: false, state: 'Committed' }],
      }),
      to: green({ live: true }),
    },
    'RollbackBarred',
    'migration schema is not reversible and is committed (Cutover old)',
  ],
  [
    'any task on a machine that does not answer, when a platform ends',
    {
      cutover: aCutover({ from: 'blue', spec: { mode: 'Decommission', to: undefined } }),
      platform: singletons('Waves'),
      tasks: [unreachable],
    },
    'TaskUnreachable',
    'Pod tasks/a may still run',
  ],
  [
    'a rollback to what never was live',
    { cutover: aCutover({ from: 'blue', spec: { mode: 'Rollback' } }) },
    'TargetNeverLive',
    'write mode Planned',
  ],
  [
    'a rollback past a migration that is not reversible',
    {
      cutover: aCutover({ from: 'blue', spec: { mode: 'Rollback' } }),
      to: green({
        live: true,
        status: {
          retention: {
            ...{ until: at(999), standby: 'Running', cutover: { name: 'to-blue', uid: 'u' } },
            noRollback: 'migration schema is not reversible and is committed (Cutover to-red)',
          },
        },
      }),
    },
    'RollbackBarred',
    'migration schema is not reversible and is committed (Cutover to-red). Make a new generation',
  ],
  ['a cutover to supersede that is not there', { cutover: superseding }, 'SupersededNotFound', 'no Cutover old'],
  [
    'a namesake of the cutover to supersede',
    { cutover: superseding, superseded: aCutover({ name: 'old', metadata: { uid: 'another' } }) },
    'SupersededNotFound',
    'with UID uid-old',
  ],
  [
    'a cutover to supersede that has ended',
    { cutover: superseding, superseded: old({ outcome: 'Aborted' }) },
    'SupersededNotUnderWay',
    'has ended (Aborted)',
  ],
  [
    'a cutover to supersede of another platform',
    { cutover: superseding, superseded: { ...old({}), spec: { ...old({}).spec, platform: 'eu' } } },
    'SupersededNotUnderWay',
    'is not under way on this platform',
  ],
  [
    'a cutover to supersede that can be undone',
    { cutover: superseding, superseded: old({ conditions: [aCondition({ type: 'RollbackAvailable' })] }) },
    'SupersededCanGoBack',
    'abort it',
  ],
  [
    'a cutover to supersede that goes back already',
    {
      cutover: superseding,
      superseded: old({
        conditions: [aCondition({ type: 'RollbackAvailable', status: 'False' })],
        undo: { reason: 'CheckFailed', message: '', time: at(9) },
      }),
    },
    'SupersededCanGoBack',
    'abort it',
  ],
  [
    'a migration that supersedes another one of the same name',
    {
      cutover: { ...superseding, spec: { ...superseding.spec, migrations: [irreversible('schema', 'v2')] } },
      superseded: old({
        conditions: [aCondition({ type: 'RollbackAvailable', status: 'False' })],
        migrations: [
          {
            name: 'schema',
            hash: hashOf(irreversible('schema', 'v1').jobTemplate),
            reversible: false,
            state: 'Committed',
          },
        ],
      }),
      platform: aPlatform({ live: 'blue', spec: { jobs: { namespace: 'jobs', serviceAccountName: 'cutover' } } }),
    },
    'MigrationChanged',
    'Cutover old has begun a migration schema',
  ],
  [
    'a guard with a hole',
    { platform: guarded({ effective: false, lastProbeTime: at(50) }) },
    'GuardNotEffective',
    'the guard of Platform us is not proved',
  ],
  [
    'a guard that nobody has probed for minutes',
    { platform: guarded({ effective: true, lastProbeTime: at(-200) }) },
    'GuardNotEffective',
    'was last probed at',
  ],
];

describe('Preflight', () => {
  it('passes when nothing is in the way', () => {
    expect(objectionTo(aCutoverInput())).toBeUndefined();
    expect(preflight.done(aCutoverInput())).toBe(true);
  });

  it('passes for what this very cutover has reserved or made live', () => {
    expect(
      objectionTo(aCutoverInput({ cutover: begun('uid-green'), to: green({ reservedBy: 'to-green' }) })),
    ).toBeUndefined();
    const live = green({ live: true, reservedBy: 'to-green' });
    expect(objectionTo(aCutoverInput({ cutover: begun('uid-green'), to: live }))).toBeUndefined();
  });

  it('names everything in the way at once, with the object that it is about', () => {
    const targets = [aView({ problem: { reason: 'NoReadyEndpoints', message: 'none' } })];
    expect(objectionsTo(aCutoverInput({ members: three.slice(1), targets })).map(({ object }) => object)).toEqual([
      'ClusterGeneration green',
      'traffic target www',
    ]);
    const trial = { reason: 'JobRefused', message: 'no' };
    expect(objectionsTo(aCutoverInput({ trial }))).toEqual([{ object: 'Cutover to-green', ...trial }]);
  });

  it('lets roles be smaller when that is said, and in a Rollback, which takes what there is', () => {
    const from = aGeneration({ name: 'blue', live: true, spec: { pools: [aPoolSpec({ machines: 5 })] } });
    const said = aCutover({ from: 'blue', spec: { allowSmallerRoles: true } });
    expect(objectionTo(aCutoverInput({ from, cutover: said }))).toBeUndefined();
    const rollback = aCutover({ from: 'blue', spec: { mode: 'Rollback' } });
    expect(objectionTo(aCutoverInput({ from, cutover: rollback, to: green({ live: true }) }))).toBeUndefined();
  });

  it('lets a task be whose machine does not answer, where nothing waits for its end', () => {
    const tasks = [unreachable];
    expect(objectionTo(aCutoverInput({ platform: singletons('Waves'), tasks }))).toBeUndefined();
    const pressing = aCutover({ from: 'blue', spec: { mode: 'Recovery' } });
    expect(objectionTo(aCutoverInput({ cutover: pressing, platform: singletons('AllFirst'), tasks }))).toBeUndefined();
  });

  it('of a Rollback to a stopped standby does not wait for machines before it has reserved them', () => {
    const cutover = aCutover({ from: 'blue', spec: { mode: 'Rollback' } });
    const retention = { until: at(999), standby: 'Stopped' as const, cutover: { name: 'x', uid: 'y' } };
    const stopped = { liveTime: at(0), retention, conditions: [] };
    const input = {
      cutover,
      members: [],
      targets: [aView({ problem: { reason: 'NoReadyEndpoints', message: 'none' } })],
    };
    expect(objectionTo(aCutoverInput({ ...input, to: green({ status: stopped }) }))).toBeUndefined();
    const reserved = green({ status: stopped, reservedBy: 'to-green' });
    expect(objectionTo(aCutoverInput({ ...input, to: reserved }))?.reason).toBe('TargetNotReady');
  });

  it('of a cutover that supersedes takes over what the other one has reserved', () => {
    const blocked = old({ conditions: [aCondition({ type: 'RollbackAvailable', status: 'False' })] });
    const input = aCutoverInput({ cutover: superseding, superseded: blocked, to: green({ reservedBy: 'old' }) });
    expect(objectionTo(input)).toBeUndefined();
  });

  it('of a cutover that supersedes asks for the other one no more once it has begun: that one ends then', () => {
    const cutover = { ...superseding, status: begun('uid-green').status };
    const superseded = old({ outcome: 'Superseded' });
    expect(objectionTo(aCutoverInput({ cutover, superseded }))).toBeUndefined();
  });

  it('of a Recovery needs no source', () => {
    const cutover = aCutover({ from: 'blue', spec: { mode: 'Recovery' } });
    expect(objectionTo(aCutoverInput({ cutover, from: undefined }))).toBeUndefined();
  });

  it('of a Recovery takes what is kept of an earlier generation, also one that is stopped', () => {
    const cutover = aCutover({ from: 'blue', spec: { mode: 'Recovery' } });
    const retention = { until: at(999), standby: 'Stopped' as const, cutover: { name: 'x', uid: 'y' } };
    const to = green({ status: { liveTime: at(0), retention, conditions: [] } });
    expect(objectionTo(aCutoverInput({ cutover, from: undefined, to, members: [] }))).toBeUndefined();
    const barred = green({ status: { liveTime: at(0), retention: { ...retention, noRollback: 'migrated' } } });
    expect(objectionTo(aCutoverInput({ cutover, from: undefined, to: barred }))?.reason).toBe('RollbackBarred');
  });

  it('needs no source for the first cutover', () => {
    expect(objectionTo(aCutoverInput({ cutover: aCutover(), from: undefined, platform: aPlatform() }))).toBeUndefined();
  });

  it.each(['Rollback', 'Recovery'] as const)(
    'of mode %s needs none either to go back to what is kept while no generation is live',
    (mode) => {
      const cutover = aCutover({ spec: { mode } });
      const nothing = { from: undefined, platform: aPlatform({ status: { protected: ['green'] } }) };
      expect(objectionsTo(aCutoverInput({ cutover, to: green({ live: true }), ...nothing }))).toEqual([]);
      const begun = { ...cutover, status: { ...cutover.status, generations: {} } };
      expect(objectionsTo(aCutoverInput({ cutover: begun, to: green({ live: true }), ...nothing }))).toEqual([]);
    },
  );

  it.each(ROWS)('is blocked by %s', (_, changes, reason, message) => {
    const input = aCutoverInput(changes);
    expect(preflight.done(input)).toBe(false);
    expect(preflight.act(input)).toMatchObject({ blocked: { reason, message: expect.stringContaining(message) } });
  });

  it('of a Recovery does not wait for the guard: what it moves is lost already', () => {
    const platform = guarded({ effective: false, lastProbeTime: at(50) });
    const cutover = aCutover({ from: 'blue', spec: { mode: 'Recovery' } });
    expect(objectionTo(aCutoverInput({ platform, cutover }))).toBeUndefined();
  });

  it('counts a role over all its pools', () => {
    const pools = [aPoolSpec({ machines: 2 }), aPoolSpec({ name: 'web-2', machines: 2 })];
    expect(objectionTo(aCutoverInput({ to: green({ spec: { pools } }) }))?.message).toContain(
      'role web of green has 3 of 4 machines ready',
    );
  });
});
