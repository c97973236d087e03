import { describe, expect, it } from '@jest/globals';
import {
  aCondition,
  aCutover,
  aCutoverInput,
  aGeneration,
  aHoldView,
  aJobView,
  aPlatform,
  aServiceTarget,
  at,
  aView,
  EPOCH,
  selectorFor,
} from '../../../test/builders/index.ts';
import { CUTOVER_FINALIZER, type Cutover, type Platform, STEPS } from '../../api/v1alpha1/index.ts';
import { decide } from './decide.ts';
import type { CutoverInput } from './input.ts';
import { hashOf } from './job-manifest.ts';

type Step = NonNullable<Cutover['status']['steps']>[number];
const done = (...names: Step['name'][]): Step[] =>
  names.map((name) => ({ name, state: 'Done', startTime: at(1), endTime: at(2) }));
const condition = (status: Cutover['status'], type: string) => status.conditions?.find((c) => c.type === type);
const whats = ({ effects }: ReturnType<typeof decide>) => effects.map(({ what }) => what);

const us = { name: 'to-green', uid: 'uid-to-green' };
const begun = (status: Partial<Cutover['status']> = {}, spec: Partial<Cutover['spec']> = {}) =>
  aCutover({
    from: 'blue',
    spec,
    metadata: { finalizers: [CUTOVER_FINALIZER] },
    status: {
      generations: { from: { name: 'blue', uid: 'uid-blue' }, to: { name: 'green', uid: 'uid-green' } },
      ...status,
    },
  });
const held = (status: Partial<Platform['status']> = {}) =>
  aPlatform({ live: 'blue', status: { protected: ['blue', 'green'], cutover: us, ...status } });
const reserved = aGeneration({ reservedBy: 'to-green', status: { conditions: [aCondition()] } });
/** Reserved, and about to move something. */
const ready = (changes: Partial<CutoverInput> = {}) =>
  aCutoverInput({
    cutover: begun({ steps: done('Preflight', 'Approve', 'Reserve') }),
    platform: held(),
    to: reserved,
    ...changes,
  });
const states = ({ status }: ReturnType<typeof decide>) => status.steps?.map(({ name, state }) => `${name} ${state}`);

describe('a cutover', () => {
  it('that has not begun, with nothing in its way, reserves', () => {
    const decision = decide(aCutoverInput());
    expect(decision.effects.map((effect) => effect.do)).toEqual(['finalizer', 'writeGeneration', 'writePlatform']);
    expect(states(decision)).toEqual(['Preflight Done', 'Approve Done', 'Reserve Running']);
    expect(decision.status.generations?.to?.uid).toBe('uid-green');
    expect(decision.step).toBe('Reserve');
    expect(condition(decision.status, 'PreflightPassed')?.status).toBe('True');
    expect(condition(decision.status, 'RollbackAvailable')?.status).toBe('True');
    expect(condition(decision.status, 'Reconciling')).toMatchObject({ status: 'True', reason: 'Reserve' });
    expect(decision.requeueAfter).toBe(0);
  });

  it('whose way is barred is Blocked with what a person can do, and moves nothing', () => {
    const decision = decide(aCutoverInput({ to: undefined }));
    expect(decision).toMatchObject({ effects: [], requeueAfter: 10_000 });
    expect(condition(decision.status, 'Blocked')).toMatchObject({
      status: 'True',
      reason: 'TargetNotFound',
      message: 'ClusterGeneration green does not exist: create it',
    });
    expect(condition(decision.status, 'Stalled')?.status).toBe('True');
    expect(decision.status.steps).toMatchObject([{ name: 'Preflight', state: 'Running' }]);
  });

  it('is not Blocked any more once it goes on', () => {
    const blocked = [aCondition({ type: 'Blocked' })];
    const { status } = decide(aCutoverInput({ cutover: aCutover({ from: 'blue', status: { conditions: blocked } }) }));
    expect(condition(status, 'Blocked')?.status).toBe('False');
  });

  it.each([
    ['another is live', 'green-0', 'blue', 'spec.from is blue, and green-0 is live: nothing was moved'],
    ['one is live already', 'blue', '', 'spec.from is empty, and blue is live: nothing was moved'],
    ['none is live', undefined, 'blue', 'spec.from is blue, and no generation is live: nothing was moved'],
  ])('is Superseded when %s', (_, live, from, message) => {
    const decision = decide(
      aCutoverInput({ cutover: aCutover({ from }), platform: aPlatform(live === undefined ? {} : { live }) }),
    );
    expect(decision).toMatchObject({ effects: [], status: { outcome: 'Superseded' }, requeueAfter: 0 });
    expect(condition(decision.status, 'Ready')).toMatchObject({ status: 'True', reason: 'Superseded', message });
  });

  it.each([
    ['retired', aGeneration({ retired: true }), 'green was live and was retired at'],
    [
      'live before',
      aGeneration({ live: true }),
      'green has been live before, and going back to it is a Cutover of mode Rollback',
    ],
  ])('to a generation that was %s ends, as it can never begin', (_, to, message) => {
    const { status } = decide(aCutoverInput({ to }));
    expect(status.outcome).toBe('Superseded');
    expect(condition(status, 'Ready')?.message).toContain(message);
    const cutover = aCutover({ from: 'blue', spec: { mode: 'Rollback' } });
    expect(decide(aCutoverInput({ cutover, to })).status.outcome).toBeUndefined();
  });

  describe('whose name is among those that have made its generation live', () => {
    const again = (spec: Partial<Cutover['spec']>, status: Parameters<typeof aGeneration>[0] = {}) =>
      decide(
        aCutoverInput({
          cutover: aCutover({ from: 'blue', spec }),
          to: aGeneration({ live: true, ...status, status: { liveBy: ['first', 'to-green', 'later'] } }),
        }),
      );

    it.each(['Planned', 'Rollback', 'Recovery'] as const)('ends in mode %s: it is decided once', (mode) => {
      const decision = again({ mode });
      expect(decision).toMatchObject({ effects: [], status: { outcome: 'Superseded' }, requeueAfter: 0 });
      expect(condition(decision.status, 'Ready')?.message).toBe(
        'green was made live before by a Cutover of this name, and a cutover is decided once (apply one with another name): nothing was moved',
      );
    });

    it('is told of a retired one that it never comes back, which another name would not change', () => {
      const { status } = again({ mode: 'Rollback' }, { retired: true });
      expect(condition(status, 'Ready')?.message).toBe(
        `green was live and was retired at ${at(60)}, for ever: nothing was moved`,
      );
    });

    it('is no reason against one of another name', () => {
      const to = aGeneration({ live: true, status: { liveBy: ['first'], conditions: [aCondition()] } });
      const cutover = aCutover({ from: 'blue', spec: { mode: 'Rollback' } });
      expect(decide(aCutoverInput({ cutover, to })).status.outcome).toBeUndefined();
    });

    it('goes on when it has begun: that is its own doing', () => {
      const to = aGeneration({ live: true, reservedBy: 'to-green', status: { liveBy: ['to-green'] } });
      expect(decide(ready({ to })).status.outcome).toBeUndefined();
    });
  });

  it('to what is live already is told so', () => {
    const { status } = decide(
      aCutoverInput({ platform: aPlatform({ live: 'green' }), to: aGeneration({ live: true }) }),
    );
    expect(status.outcome).toBe('Superseded');
    expect(condition(status, 'Ready')?.message).toBe('spec.from is blue, and green is live: nothing was moved');
  });

  it('is not Superseded while another one is under way, which may still go back', () => {
    const first = aCutover({ name: 'to-red', from: 'blue', to: 'red', status: { generations: {} } });
    const decision = decide(aCutoverInput({ first, platform: aPlatform({ live: 'red' }) }));
    expect(condition(decision.status, 'Blocked')).toMatchObject({ status: 'True', reason: 'CutoverInProgress' });
  });

  it('is not Superseded by a Platform that does not know what is live', () => {
    const platform = aPlatform();
    delete platform.status.protected;
    expect(decide(aCutoverInput({ platform })).status.outcome).toBeUndefined();
  });

  it('that has begun is not Superseded by its own doing', () => {
    const cutover = begun({ steps: done('Preflight', 'Approve', 'Reserve', 'Hold', 'Quiesce', 'Migrate', 'Verify') });
    const { status } = decide(
      ready({ cutover, platform: held({ live: { name: 'green', uid: 'uid-green', time: at(9) } }) }),
    );
    expect(status.outcome).toBeUndefined();
  });

  it('waits for the one that goes first, by name', () => {
    const decision = decide(aCutoverInput({ first: aCutover({ name: 'to-other' }) }));
    expect(whats(decision)).toEqual([]);
    expect(condition(decision.status, 'Blocked')).toMatchObject({
      reason: 'CutoverInProgress',
      message:
        'Cutover to-other of Platform us is not finished: one at a time. Let it finish, abort it (spec.abort: true), or delete it if it has not begun',
    });
  });

  it('that has begun moves nothing either while another one holds the platform', () => {
    const decision = decide(ready({ first: aCutover({ name: 'to-other' }) }));
    expect(whats(decision)).toEqual([]);
    expect(condition(decision.status, 'Blocked')).toMatchObject({ status: 'True', reason: 'CutoverInProgress' });
    expect(decision.status.undo).toBeUndefined();
  });

  it('does a step once, and begins the next ones in their order', () => {
    const platform = aPlatform({ live: 'blue', spec: { traffic: [aServiceTarget()] }, status: held().status });
    const decision = decide(ready({ platform }));
    expect(states(decision)?.slice(0, 3)).toEqual(['Preflight Done', 'Approve Done', 'Reserve Done']);
    expect(decision.status.steps?.slice(0, 3)).toEqual(done('Preflight', 'Approve', 'Reserve'));
    expect(states(decision)?.slice(3)).toEqual([
      'Hold Skipped',
      'Quiesce Skipped',
      'Migrate Skipped',
      'Verify Skipped',
      'Switch Running',
    ]);
  });

  it('counts how often a step was tried, and not how often it was looked at', () => {
    const first = decide(aCutoverInput());
    expect(first.status.steps?.at(-1)).toMatchObject({ name: 'Reserve', attempts: 1 });
    const again = decide(aCutoverInput({ cutover: begun(first.status) }));
    expect(again.status.steps?.at(-1)).toMatchObject({ name: 'Reserve', attempts: 2 });
    const waiting = decide(
      ready({ cutover: begun(first.status), sight: { seen: false, waitingFor: 'x', overdue: false } }),
    );
    expect(waiting.status.steps?.at(-1)).toMatchObject({ name: 'Reserve', attempts: 1, message: 'x' });
  });

  it('keeps the plan that was approved, once that has begun or it goes back', () => {
    const planned = decide(aCutoverInput()).status.plan;
    expect(planned?.switches).toHaveLength(1);
    const moving = begun({ steps: done('Preflight', 'Approve', 'Reserve'), switches: [] });
    expect(decide(ready({ cutover: moving })).status.plan).toBeUndefined();
    const undo = { reason: 'Abort', message: '', time: at(9) };
    const steps = [{ name: 'Reserve' as const, state: 'Running' as const }];
    const goingBack = decide(ready({ cutover: begun({ undo, steps }) }));
    expect(goingBack.effects).not.toEqual([]);
    expect(goingBack.status.plan).toBeUndefined();
  });

  it('that is paused makes its plan, waits for its approvals, and stops before it moves anything', () => {
    const cutover = aCutover({ from: 'blue', spec: { paused: true } });
    const decision = decide(aCutoverInput({ cutover }));
    expect(whats(decision)).toEqual([]);
    expect(states(decision)).toEqual(['Preflight Done', 'Approve Done']);
    expect(condition(decision.status, 'Ready')).toMatchObject({ reason: 'Paused' });
    expect(condition(decision.status, 'Reconciling')?.status).toBe('False');
  });

  it('that is paused finishes the step that it is at', () => {
    const steps = [
      ...done('Preflight', 'Approve'),
      { name: 'Reserve' as const, state: 'Running' as const, startTime: at(1) },
    ];
    const decision = decide(aCutoverInput({ cutover: begun({ steps }, { paused: true }) }));
    expect(decision.effects).not.toEqual([]);
    const next = decide(ready({ cutover: begun({ steps }, { paused: true }) }));
    expect(states(next)?.at(-1)).toBe('Reserve Done');
    expect(condition(next.status, 'Ready')?.message).toContain('it goes on with Hold');
  });

  it('that is paused in the middle of a step says so, where a step is left to pause before', () => {
    const message = (name: Step['name'], spec: Partial<Cutover['spec']>, status: Partial<Cutover['status']> = {}) => {
      const earlier = done(...STEPS.slice(0, STEPS.indexOf(name)));
      const steps = [...earlier, { name, state: 'Running' as const, startTime: at(1) }];
      return condition(decide(ready({ cutover: begun({ steps, ...status }, spec) })).status, 'Ready')?.message;
    };
    const pauses = '; spec.paused: it pauses after this step';
    for (const name of ['Hold', 'Point'] as const)
      expect(message(name, { paused: true })).toBe(`${message(name, {})}${pauses}`);
    expect(message('Retain', { paused: true })).toBe(message('Retain', {}));
    const undo = { reason: 'Abort', message: '', time: at(9) };
    expect(message('Hold', { paused: true }, { undo })).toBe(message('Hold', {}, { undo }));
    const early = aCutoverInput({
      cutover: aCutover({ from: 'blue', spec: { paused: true } }),
      platform: aPlatform({ live: 'blue', spec: { approvals: { required: 1 } } }),
    });
    const { status } = decide(early);
    expect(states({ status } as ReturnType<typeof decide>)?.at(-1)).toBe('Approve Running');
    expect(condition(status, 'Ready')?.message).not.toContain('spec.paused');
  });

  it('whose steps are all done has Succeeded, then lets go of itself', () => {
    const steps = done(...STEPS);
    const conditions = [aCondition({ type: 'Reconciling' })];
    const input = ready({ cutover: begun({ steps, conditions, retainUntil: at(999) }) });
    const decision = decide(input);
    expect(decision).toMatchObject({
      effects: [],
      requeueAfter: 0,
      status: { outcome: 'Succeeded', retainUntil: at(999) },
    });
    expect(condition(decision.status, 'Ready')).toMatchObject({
      status: 'True',
      reason: 'Succeeded',
      message: 'green is live',
    });
    expect(condition(decision.status, 'Succeeded')).toMatchObject({ status: 'True', message: 'green is live' });
    expect(condition(decision.status, 'Reconciling')?.status).toBe('False');
    const over = decide({ ...input, cutover: begun(decision.status) });
    expect(over.effects).toMatchObject([{ do: 'finalizer', wanted: false }]);
    expect(over.requeueAfter).toBeUndefined();
  });

  it('that has succeeded says how long there is a way back', () => {
    const way = (from: CutoverInput['from']) => {
      const { status } = decide(ready({ cutover: begun({ outcome: 'Succeeded' }), from }));
      return condition(status, 'RollbackAvailable');
    };
    const retention = { until: at(600), standby: 'Running' as const, cutover: us };
    expect(way(aGeneration({ name: 'blue', live: true, status: { retention } }))).toMatchObject({
      status: 'True',
      reason: 'Retained',
    });
    expect(way(aGeneration({ name: 'blue', retired: true }))).toMatchObject({ status: 'False', reason: 'Retired' });
    expect(way(undefined)).toMatchObject({ status: 'False', reason: 'OldCapacityGone' });
  });

  it('that has not ended has not succeeded, and has not failed', () => {
    expect(condition(decide(ready({})).status, 'Succeeded')).toMatchObject({ status: 'Unknown', reason: 'NotEnded' });
  });

  it('that waits is the same object however often it is looked at', () => {
    const looks: Partial<CutoverInput>[] = [
      { to: undefined },
      { first: aCutover({ name: 'x' }) },
      { cutover: aCutover({ from: 'blue', spec: { paused: true } }) },
      { platform: aPlatform({ live: 'blue', spec: { approvals: { required: 1 } } }) },
      {
        ...{ cutover: begun(), platform: held(), to: reserved },
        sight: { seen: false, waitingFor: 'one', overdue: false },
      },
    ];
    for (const look of looks) {
      const { status } = decide(aCutoverInput(look));
      const cutover = { ...(look.cutover ?? aCutover({ from: 'blue' })), status };
      expect(decide(aCutoverInput({ ...look, cutover, now: EPOCH + 9e4 })).status).toEqual(status);
    }
  });

  it('that waits for people is no progress that a deployment tool should count', () => {
    const reconciling = (changes: Partial<CutoverInput>) =>
      condition(decide(aCutoverInput(changes)).status, 'Reconciling')?.status;
    const platform = aPlatform({ live: 'blue', spec: { approvals: { required: 1 } } });
    expect(reconciling({ platform, cutover: aCutover({ from: 'blue' }) })).not.toBe('True');
    const sight = { seen: false, waitingFor: 'x', overdue: false };
    expect(reconciling({ cutover: begun(), platform: held(), to: reserved, sight })).toBe('True');
  });

  it('whose work another has taken over ends, and undoes nothing', () => {
    const successor = aCutover({ name: 'next' });
    const decision = decide(ready({ successor }));
    expect(decision).toMatchObject({ effects: [], status: { outcome: 'Superseded' } });
  });

  it('looks again as soon as there can be something to see while users wait, and in its own time otherwise', () => {
    expect(decide(ready({ cutover: begun({ steps: done(...STEPS.slice(0, 8)) }) })).requeueAfter).toBe(200);
    const waiting = { sight: { seen: false, waitingFor: 'x', overdue: false }, cutover: begun() };
    expect(decide(ready(waiting)).requeueAfter).toBe(1000);
    expect(decide(ready({ ...waiting, scaled: (ms) => ms / 2 })).requeueAfter).toBe(500);
  });
});

it('soaks from when users were let in, also when that is seen in this very look', () => {
  const switches = [{ target: 'www', from: selectorFor('blue'), to: selectorFor('green'), state: 'Verified' as const }];
  const steps: Step[] = [
    ...done('Preflight', 'Approve', 'Reserve', 'Hold', 'Quiesce', 'Migrate', 'Verify', 'Switch', 'Point'),
    { name: 'Release', state: 'Running', startTime: at(3) },
  ];
  const decision = decide(
    ready({
      cutover: begun({ steps, switches }, { soak: '10m' }),
      platform: aPlatform({ live: 'green', spec: { traffic: [aServiceTarget()] }, status: { cutover: us } }),
      to: aGeneration({ live: true, reservedBy: 'to-green' }),
      targets: [aView({ now: selectorFor('green'), serving: true })],
      now: EPOCH + 900_000,
    }),
  );
  expect(states(decision)?.slice(-3)).toEqual(['Release Done', 'Restore Skipped', 'Soak Running']);
});

describe('a cutover that cannot go on', () => {
  const at8 = done(...STEPS.slice(0, 8));
  const live = { live: { name: 'green', uid: 'uid-green', time: at(5) } };
  const pointer = { liveTime: at(5), live: { name: 'blue', uid: 'uid-blue', time: at(0) } };
  const pointed = (spec: Partial<Cutover['spec']> = {}, status: Partial<Cutover['status']> = {}) =>
    ready({
      cutover: begun({ steps: done(...STEPS.slice(0, 9)), pointer, ...status }, spec),
      platform: held(live),
      to: aGeneration({ reservedBy: 'to-green', status: { liveTime: at(5) } }),
    });

  it('goes back, and writes that down before it undoes anything', () => {
    const decision = decide(ready({ cutover: begun({ steps: at8 }), members: [] }));
    expect(decision).toMatchObject({
      effects: [],
      requeueAfter: 0,
      status: {
        undo: { reason: 'TargetLost', message: expect.stringContaining('no machine of role web'), time: at(60) },
      },
    });
    expect(states(decision)?.at(-1)).toBe('Point Failed');
  });

  it('goes back when a step fails, and keeps what that has written down', () => {
    const migration = { name: 'schema', reversible: true, jobTemplate: {} };
    const entry = { name: 'schema', hash: hashOf({}), reversible: true, state: 'Running' as const, job: 'jobs/schema' };
    const steps = [...done('Preflight', 'Approve', 'Reserve'), { name: 'Migrate' as const, state: 'Running' as const }];
    const cutover = begun({ steps, migrations: [entry] }, { migrations: [migration] });
    const failed = aJobView('jobs/schema', { state: 'Failed', message: 'no such table' });
    const decision = decide(ready({ cutover, jobs: [failed] }));
    expect(decision.status).toMatchObject({ undo: { reason: 'MigrationFailed' } });
    // Its end is written down with that: the Job need not be kept any longer.
    expect(decision.effects).toMatchObject([{ do: 'releaseJob', name: 'jobs/schema', job: true }]);
    expect(decision.status.migrations).toMatchObject([{ state: 'Failed', message: 'no such table' }]);
    expect(decision.status.steps?.find(({ name }) => name === 'Migrate')).toMatchObject({
      state: 'Failed',
      message: expect.stringContaining('no such table'),
    });
  });

  it('is not Blocked any more when it turns back', () => {
    const conditions = [aCondition({ type: 'Blocked' }), aCondition({ type: 'Stalled' })];
    const { status } = decide(ready({ cutover: begun({ steps: at8, conditions }), members: [] }));
    expect(condition(status, 'Blocked')?.status).toBe('False');
    expect(condition(status, 'Stalled')?.status).toBe('False');
    expect(condition(status, 'Reconciling')).toMatchObject({ status: 'True', reason: 'TargetLost' });
  });

  it('goes back when it is aborted', () => {
    expect(decide(pointed({ abort: true })).status.undo).toMatchObject({ reason: 'Abort' });
  });

  it('undoes the last step first, and one at a time', () => {
    const undo = { reason: 'Abort', message: 'spec.abort is set', time: at(9) };
    const decision = decide(pointed({ abort: true }, { undo }));
    expect(decision.effects.map((effect) => effect.do)).toEqual(['writePlatform', 'writeGeneration']);
    expect(decision.step).toBe('Point');
    expect(decision.status.steps?.find(({ name }) => name === 'Point')).toMatchObject({
      state: 'Done',
      message: 'undoing: blue becomes live again',
    });
  });

  it('ends Aborted or RolledBack when all is undone, and says what was', () => {
    const steps = [
      ...done('Preflight', 'Approve', 'Reserve'),
      { name: 'Hold' as const, state: 'Failed' as const, endTime: at(4) },
    ];
    const outcome = (reason: string) =>
      decide(aCutoverInput({ cutover: begun({ steps, undo: { reason, message: 'why', time: at(5) } }) }));
    expect(outcome('Abort').status.outcome).toBe('Aborted');
    const rolledBack = outcome('TargetLost');
    expect(rolledBack.status.outcome).toBe('RolledBack');
    const message = 'why; everything was undone, and blue is live';
    expect(condition(rolledBack.status, 'Ready')).toMatchObject({ status: 'False', message });
    expect(condition(rolledBack.status, 'Succeeded')).toMatchObject({ status: 'False', reason: 'RolledBack', message });
    expect(condition(rolledBack.status, 'Stalled')?.status).toBe('True');
    expect(states(rolledBack)).toEqual(['Preflight Undone', 'Approve Undone', 'Reserve Undone', 'Hold Undone']);
  });

  it('goes back however the others stand, even when paused', () => {
    const undo = { reason: 'Abort', message: '', time: at(9) };
    expect(decide({ ...pointed({ paused: true }, { undo }), first: aCutover({ name: 'x' }) }).effects).not.toEqual([]);
  });

  it('past its point of no return is Blocked, with the reason and what a person can do', () => {
    const migrations = [{ name: 'schema', hash: 'h', reversible: false, state: 'Committed' as const }];
    const stuck = ready({ cutover: begun({ steps: at8, migrations }, { abort: true }), members: [] });
    const decision = decide(stuck);
    expect(decision.status.undo).toBeUndefined();
    expect(condition(decision.status, 'Blocked')).toMatchObject({ status: 'True', reason: 'TargetLost' });
    expect(condition(decision.status, 'Blocked')?.message).toContain(
      'migration schema is not reversible and is committed',
    );
    expect(condition(decision.status, 'RollbackAvailable')).toMatchObject({ reason: 'IrreversibleMigrationCommitted' });
    const mended = decide({ ...stuck, cutover: begun({ ...decision.status }), members: ready().members });
    expect(mended.effects).not.toEqual([]);
  });

  it('that is aborted before it has begun just ends', () => {
    const decision = decide(aCutoverInput({ cutover: aCutover({ from: 'blue', spec: { abort: true } }) }));
    expect(decision).toMatchObject({ effects: [], status: { outcome: 'Aborted' } });
  });
});

describe('a cutover of a platform that is frozen', () => {
  const why = { type: 'Consistent', status: 'False' as const, reason: 'PointerDisagrees', message: 'the cloud says' };
  const platform = aPlatform({ live: 'blue', status: { conditions: [aCondition(why)] } });

  it('is Blocked before each step, and not superseded by a pointer that may be wrong', () => {
    for (const changes of [
      {},
      { cutover: aCutover({ from: 'red' }) },
      { cutover: begun({ steps: done('Preflight', 'Reserve', 'Switch') }) },
      { cutover: begun({ undo: { reason: 'Abort', message: '', time: at(1) }, steps: done('Reserve') }) },
    ]) {
      const decision = decide(aCutoverInput({ ...changes, platform }));
      expect(decision.effects).toEqual([]);
      expect(decision.status.outcome).toBeUndefined();
      expect(condition(decision.status, 'Blocked')).toMatchObject({
        status: 'True',
        reason: 'Frozen',
        message: 'the cloud says',
      });
    }
  });
});

describe('a cutover that was restored along with everything else', () => {
  const rebound = (time: string) =>
    aPlatform({ live: 'blue', status: { rebound: [{ generation: 'blue', uid: 'uid-before', time }] } });

  it('does not begin: it may have ended before', () => {
    const decision = decide(aCutoverInput({ platform: rebound(at(0)) }));
    expect(decision.effects).toEqual([]);
    expect(condition(decision.status, 'Blocked')).toMatchObject({ reason: 'FromBeforeRestore' });
    const sameSecond = decide(aCutoverInput({ platform: rebound(at(-3600)) }));
    expect(condition(sameSecond.status, 'Blocked')).toMatchObject({ reason: 'FromBeforeRestore' });
  });

  it('that was made after two people settled the restore does', () => {
    expect(whats(decide(aCutoverInput({ platform: rebound(at(-7200)) })))).toContain('reserve green');
  });
});

describe('a cutover that has taken over another one', () => {
  it('does not go back before it has come to where that one was: traffic would stay held for ever', () => {
    const switches = [
      {
        target: 'www',
        from: selectorFor('blue'),
        hold: { app: 'maintenance' },
        to: selectorFor('green'),
        state: 'Held' as const,
      },
    ];
    const cutover = begun(
      { steps: [...done('Preflight', 'Approve'), { name: 'Reserve', state: 'Running', startTime: at(3) }], switches },
      { abort: true, supersedes: { name: 'to-red', uid: 'uid-to-red' } },
    );
    const targets = [aView({ now: { app: 'maintenance' }, hold: aHoldView({ serving: true }) })];
    const { status } = decide(ready({ cutover, targets, back: targets }));
    expect(status).not.toHaveProperty('undo');
    expect(condition(status, 'RollbackAvailable')).toMatchObject({ status: 'False', reason: 'TakenOver' });
  });
});

describe('what was found before anything moves', () => {
  const notAfter = at(30);
  const prepared = { steps: done('Preflight', 'Approve') };

  it('is asked anew as long as nothing is held: it may have been paused for days', () => {
    const late = decide(aCutoverInput({ cutover: aCutover({ from: 'blue', spec: { notAfter }, status: prepared }) }));
    expect(late.effects).toEqual([]);
    expect(condition(late.status, 'Blocked')).toMatchObject({ status: 'True', reason: 'WindowPassed' });
    const platform = aPlatform({ live: 'blue', spec: { traffic: [aServiceTarget()], approvals: { required: 1 } } });
    const withdrawn = decide(aCutoverInput({ cutover: aCutover({ from: 'blue', status: prepared }), platform }));
    expect(withdrawn.effects).toEqual([]);
    expect(condition(withdrawn.status, 'Approved')?.status).toBe('False');
  });

  it('holds for Reserve as well, which may take its time', () => {
    const steps: Step[] = [...done('Preflight', 'Approve'), { name: 'Reserve', state: 'Running', startTime: at(3) }];
    const { status, effects } = decide(ready({ cutover: begun({ steps }, { notAfter }) }));
    expect(effects).toEqual([]);
    expect(condition(status, 'Blocked')).toMatchObject({ status: 'True', reason: 'WindowPassed' });
  });
});

describe('what was approved', () => {
  const needing = held();
  needing.spec.approvals = { required: 1 };
  it.each<[string, Partial<CutoverInput>]>([
    ['with traffic', {}],
    ['without any', { targets: [], back: [] }],
  ])('is asked once more before anything is done, which may be days after Reserve: %s', (_, changes) => {
    const steps = done('Preflight', 'Approve', 'Reserve');
    const roles = [{ name: 'queue', handover: 'Singleton' as const }];
    const spec = { ...needing.spec, roles, ...(changes.targets && { traffic: [] }) };
    const platform = { ...needing, spec };
    const at = (planHash: string, status: Partial<Cutover['status']> = {}, rest: Partial<Cutover['spec']> = {}) =>
      decide(
        ready({
          ...changes,
          platform,
          cutover: begun({ steps, ...status }, { approvals: [{ user: 'alice@example.com', planHash }], ...rest }),
        }),
      );
    const stale = at('of-another-plan');
    expect(condition(stale.status, 'Blocked')).toMatchObject({ status: 'True', reason: 'PlanChanged' });
    expect(stale.effects).toEqual([]);
    const hash = stale.status.plan?.hash ?? '';
    expect(whats(at(hash))).toEqual(['start no scheduled or always-on task']);
    // A pause says so itself; and what has begun is not stopped half-way.
    expect(condition(at('of-another-plan', {}, { paused: true }).status, 'Ready')?.reason).toBe('Paused');
    const quiescing = { steps: [...steps, { name: 'Quiesce' as const, state: 'Running' as const }] };
    expect(whats(at('of-another-plan', quiescing))).toEqual(['start no scheduled or always-on task']);
    // A machine that was replaced while data was migrated needs nobody's approval at night.
    const migrated = { steps: [...steps, ...done('Hold', 'Quiesce', 'Migrate', 'Verify')] };
    expect(condition(at('of-another-plan', migrated).status, 'Blocked')?.status).toBe('False');
  });
});

describe('a cutover whose Platform another one holds', () => {
  const other = { name: 'other', uid: 'uid-other' };
  const steps = done('Preflight', 'Approve', 'Reserve');
  const undo = { reason: 'Abort', message: 'spec.abort is set', time: at(9) };
  const away = (cutover: Cutover, changes: Partial<CutoverInput> = {}) =>
    decide(ready({ platform: held({ cutover: other }), cutover, ...changes }));
  const barred = ({ status }: ReturnType<typeof decide>) => condition(status, 'Blocked')?.reason;

  it.each([
    ['forth', {}],
    ['back', { undo }],
  ])('moves nothing %s, and says what to do', (_, status) => {
    const decision = away(begun({ steps, ...status }));
    expect(decision).toMatchObject({ effects: [], requeueAfter: 10_000 });
    expect(condition(decision.status, 'Blocked')).toMatchObject({
      status: 'True',
      reason: 'PlatformNotHeld',
      message: expect.stringContaining('Platform us is held by Cutover other'),
    });
  });

  it('goes on when that has let it go', () => {
    const { cutover: _, ...status } = held().status;
    const platform = { ...held(), status };
    expect(barred(away(begun({ steps }), { platform }))).toBe('NotBlocked');
    expect(whats(away(begun({ steps, undo }), { platform }))).toEqual(['give back the reservation of green']);
  });

  it('gives back what it has reserved when it was not the first to write its name there', () => {
    const reserving = [...done('Preflight', 'Approve'), { name: 'Reserve' as const, state: 'Running' as const }];
    expect(whats(away(begun({ steps: reserving, undo })))).toEqual(['give back the reservation of green']);
  });

  it('has still to take over from the one that it supersedes', () => {
    expect(barred(away(begun({ steps }, { supersedes: other })))).toBe('NotBlocked');
  });

  it('ends after it has given it back itself: a crash came before the outcome', () => {
    const from = aGeneration({ name: 'blue', live: true, status: {} });
    from.status.retention = { until: at(99), standby: 'Running', cutover: us };
    const retaining = [...done(...STEPS.slice(0, -1)), { name: 'Retain' as const, state: 'Running' as const }];
    const cutover = begun({ steps: retaining, switches: [], retainUntil: at(99) });
    const platform = held({ live: { name: 'green', uid: 'uid-green', time: at(5) }, cutover: other });
    const to = aGeneration({ live: true });
    expect(away(cutover, { platform, from, to }).status.outcome).toBe('Succeeded');
  });
});
