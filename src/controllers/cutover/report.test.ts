import { describe, expect, it } from '@jest/globals';
import {
  aCondition,
  aCutover,
  aCutoverInput,
  aGeneration,
  aPlatform,
  at,
  aView,
} from '../../../test/builders/index.ts';
import { type ClusterGeneration, type Cutover, STEPS, type StepName } from '../../api/v1alpha1/index.ts';
import { conditionOf } from '../../domain/conditions.ts';
import type { CutoverInput, TaskCensus } from './input.ts';
import { report, unfinishedIn } from './report.ts';

const us = { name: 'to-green', uid: 'uid-to-green' };
const generations = { from: { name: 'blue', uid: 'uid-blue' }, to: { name: 'green', uid: 'uid-green' } };
const retention = { until: at(600), standby: 'Running' as const, cutover: us };
const kept = (status: Partial<ClusterGeneration['status']> = {}) =>
  aGeneration({
    name: 'blue',
    live: true,
    status: { retention, ...status },
  });

/** What a cutover that has succeeded says of the way back. */
function wayBack(
  from: ClusterGeneration | undefined,
  { spec = {}, status = {} }: { spec?: Partial<Cutover['spec']>; status?: Partial<Cutover['status']> } = {},
): string {
  const cutover = aCutover({ from: 'blue', spec, status: { generations, outcome: 'Succeeded', ...status } });
  const written = report(aCutoverInput({ cutover, from }), [], {});
  const condition = conditionOf({ ...cutover, status: written }, 'RollbackAvailable');
  return `${condition?.status} ${condition?.reason}`;
}

describe('a cutover that has succeeded', () => {
  const dropped = { name: 'drop', hash: 'h', reversible: false, state: 'Committed' as const };

  it.each<[string, string, string]>([
    ['is kept', wayBack(kept()), 'True Retained'],
    ['is retired', wayBack(kept({ retiredTime: at(60), retiredBy: us })), 'False Retired'],
    ['is gone', wayBack(undefined), 'False OldCapacityGone'],
    ['is a namesake', wayBack({ ...kept(), metadata: { ...kept().metadata, uid: 'other' } }), 'False OldCapacityGone'],
    ['is live again', wayBack(aGeneration({ name: 'blue', live: true })), 'False LiveAgain'],
    [
      'was the last one',
      wayBack(kept(), { spec: { mode: 'Decommission', to: undefined as never } }),
      'False Decommissioned',
    ],
    ['never was', wayBack(undefined, { spec: { from: '' } }), 'False FirstCutover'],
    [
      'would find data that it does not know',
      wayBack(kept({ retention: { ...retention, noRollback: 'migration drop is committed' } })),
      'False IrreversibleMigrationCommitted',
    ],
    [
      'would find what was undone',
      wayBack(kept(), {
        status: {
          migrations: [
            { ...dropped, reversible: true },
            { ...dropped, state: 'Failed' },
          ],
        },
      }),
      'True Retained',
    ],
  ])('says of the way back, when the old generation %s', (_, found, expected) => {
    expect(found).toBe(expected);
  });
});

describe('a cutover that went back', () => {
  it.each(['RolledBack', 'Aborted'] as const)('has no way back any more: %s', (outcome) => {
    expect(wayBack(aGeneration({ name: 'blue', live: true }), { status: { outcome } })).toBe(`False ${outcome}`);
  });
});

describe('a cutover under way', () => {
  const under = (status: Partial<Cutover['status']>, tasks: TaskCensus[] = []) => {
    const cutover = aCutover({ from: 'blue', status: { generations, ...status } });
    return report(aCutoverInput({ cutover, tasks }), [], {});
  };
  const entry = (name: StepName, state: 'Done' | 'Skipped' | 'Running' | 'Undone') => ({ name, state });
  const conditions = ({ conditions = [] }: Cutover['status']) =>
    Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]));

  it('says in a condition each how far it has come, and a step with nothing to do holds nobody up', () => {
    expect(conditions(under({ steps: STEPS.map((name) => entry(name, 'Done')) }))).toMatchObject({
      PreflightPassed: 'True Passed',
      Approved: 'True Approved',
      Migrated: 'True Committed',
      Verified: 'True Passed',
      Switched: 'True Verified',
      SingletonsRestored: 'True Restored',
      Soaked: 'True Passed',
    });
    expect(
      conditions(
        under({ steps: [entry('Migrate', 'Skipped'), entry('Verify', 'Undone'), entry('Switch', 'Running')] }),
      ),
    ).toMatchObject({
      Migrated: 'True Skipped',
      Verified: 'False StepUndone',
      Switched: 'False StepRunning',
      Soaked: 'False NotYet',
    });
  });

  it('says which traffic is held', () => {
    const www = { target: 'www', from: { app: 'a' }, to: { app: 'b' }, state: 'Held' as const };
    const held = (switches: (typeof www)[]) =>
      under({ switches }).conditions?.find(({ type }) => type === 'TrafficHeld');
    expect(held([www, { ...www, target: 'api', state: 'Pending' as never }])).toMatchObject({
      status: 'True',
      reason: 'Held',
      message: 'behind the maintenance responder: www',
    });
    expect(held([])).toMatchObject({ status: 'False', reason: 'NotHeld', message: '' });
  });

  const queue = { role: 'queue', handover: 'Singleton' as const, total: 900, on: {}, startsPerSecond: 2 };
  const census = { ...queue, waiting: 600, starting: 100, running: 200, arriving: 700 };
  const timed = { ...census, role: 'timed', handover: 'Follow' as const };

  it('counts its singletons, and says to the minute when the last of them starts', () => {
    const restoring = { steps: [entry('Quiesce', 'Done'), entry('Restore', 'Running')] };
    const sums = { total: 1800, waiting: 1200, starting: 200, running: 400, startsPerSecond: 4 };
    expect(under(restoring, [census, { ...census, role: 'mail' }, timed]).singletons).toEqual({
      ...sums,
      estimatedEndTime: at(60 + 300),
    });
    const late = under(restoring, [{ ...census, waiting: 601 }]).singletons;
    expect(late?.estimatedEndTime).toBe(at(60 + 360));
  });

  it('promises no end to singletons that do not start: none waits, their pace is none, or it is not time yet', () => {
    const end = (step: StepName, changes: object) =>
      under({ steps: [entry('Quiesce', 'Done'), entry(step, 'Running')] }, [{ ...census, ...changes }]).singletons;
    for (const singletons of [
      end('Restore', { waiting: 0 }),
      end('Restore', { startsPerSecond: 0 }),
      end('Migrate', {}),
    ]) {
      expect(singletons).toMatchObject({ running: 200 });
      expect(singletons).not.toHaveProperty('estimatedEndTime');
    }
  });

  it('says for how long a role was not served', () => {
    const target = { target: 'www', from: {}, to: {} };
    const nothing = { hash: '', changed: [], machines: [], migrations: [], checks: [], rollback: '', blockers: [] };
    const { downtime } = under({
      steps: [entry('Reserve', 'Done')],
      plan: { ...nothing, switches: [{ ...target, role: 'web' }] },
      switches: [{ ...target, state: 'Verified', heldTime: at(10), servedTime: at(73) }],
    });
    expect(downtime).toEqual([{ role: 'web', traffic: '1m3s' }]);
  });

  describe('has a plan', () => {
    const bare = aPlatform({ live: 'blue' });
    const ending = aCutover({ from: 'blue', spec: { mode: 'Decommission' } });
    delete ending.spec.to;
    const reserved = [entry('Preflight', 'Done'), entry('Approve', 'Done'), entry('Reserve', 'Done')];
    const quiescing = [...reserved, entry('Hold', 'Skipped'), entry('Quiesce', 'Running')];
    const www = { target: 'www', from: { app: 'a' }, to: { app: 'b' }, state: 'Pending' as const };
    const renewed = (status: Partial<Cutover['status']>, changes: Partial<CutoverInput> = {}) => {
      const { spec } = changes.cutover ?? aCutover({ from: 'blue' });
      const cutover = aCutover({ from: 'blue', status: { generations, ...status } });
      return report(aCutoverInput({ ...changes, cutover: { ...cutover, spec } }), [], {}).plan !== undefined;
    };

    it.each<[string, boolean, boolean]>([
      ['is reserved', renewed({ steps: reserved }), true],
      ['is about to go on, with nothing to do yet', renewed({ steps: [...reserved, entry('Hold', 'Skipped')] }), true],
      [
        'is about to hold its targets, and has not written them down',
        renewed({ steps: [...reserved, entry('Hold', 'Running')] }),
        true,
      ],
      ['has begun, and no target is written down yet', renewed({ steps: quiescing }), false],
      ['has its targets written down', renewed({ steps: reserved, switches: [www] }), false],
      ['is reserved, and has no targets', renewed({ steps: reserved }, { platform: bare }), true],
      ['has begun, and has no targets', renewed({ steps: quiescing }, { platform: bare }), false],
      ['is reserved, and moves none', renewed({ steps: reserved }, { cutover: ending, to: undefined }), true],
      ['has begun, and moves none', renewed({ steps: quiescing }, { cutover: ending, to: undefined }), false],
    ])('that is worked out anew until what is done is what it says: %s', (_, found, expected) => {
      expect(found).toBe(expected);
    });

    it('that is written together with the targets: from the same look', () => {
      const cutover = aCutover({ from: 'blue', status: { generations, steps: reserved } });
      const { plan } = report(aCutoverInput({ cutover }), [], { switches: [www] });
      expect(plan?.switches).toMatchObject([{ target: 'www', from: aView().now }]);
    });
  });

  it('says nothing of singletons before it stops them, nor where there are none', () => {
    expect(under({ steps: [entry('Hold', 'Running')] }, [census])).not.toHaveProperty('singletons');
    expect(under({ steps: [entry('Quiesce', 'Done')] }, [timed])).not.toHaveProperty('singletons');
  });
});

it('counts cutovers that have not ended, with what they hold', () => {
  const held = { target: 'www', from: { app: 'a' }, to: { app: 'b' }, state: 'Held' as const };
  const switches = [held, { ...held, target: 'api', state: 'Pending' as const }];
  const stuck = { generations, switches, conditions: [aCondition({ type: 'Blocked' })] };
  expect(
    unfinishedIn([
      aCutover({ from: 'blue', status: { generations, outcome: 'Succeeded' } }),
      aCutover({ from: 'blue', status: stuck }),
      aCutover({ name: 'later', from: 'blue' }),
    ]),
  ).toEqual([
    { platform: 'us', cutover: 'to-green', begun: true, blocked: true, held: 1 },
    { platform: 'us', cutover: 'later', begun: false, blocked: false, held: 0 },
  ]);
});

describe('the approvals of a cutover', () => {
  const approvals = [{ user: 'alice@example.com', planHash: 'p1' }];
  const kept = (spec: object, status: Partial<Cutover['status']> = {}) =>
    report(aCutoverInput({ cutover: aCutover({ from: 'blue', spec, status }) }), [], {}).approvals;

  it('are written down, so that one that is taken back shows', () => {
    expect(kept({ approvals })).toEqual(approvals);
    expect(kept({}, { approvals })).toEqual([]);
    expect(kept({})).toBeUndefined();
  });

  it('stay as they were once it goes back', () =>
    expect(kept({}, { approvals, undo: { reason: 'Abort', message: '', time: at(0) } })).toEqual(approvals));
});
