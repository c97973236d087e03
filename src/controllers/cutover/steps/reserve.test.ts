import { describe, expect, it } from '@jest/globals';
import {
  aCondition,
  aCutover,
  aCutoverInput,
  aGeneration,
  aPlatform,
  at,
  aView,
  selectorFor,
} from '../../../../test/builders/index.ts';
import { CUTOVER_FINALIZER } from '../../../api/v1alpha1/index.ts';
import { journalled } from '../moves.ts';
import { reserve } from './reserve.ts';

const us = { name: 'to-green', uid: 'uid-to-green' };
const ready = { conditions: [aCondition()] };
const reserved = aGeneration({ reservedBy: 'to-green', status: ready });
const both = aPlatform({ live: 'blue', status: { protected: ['blue', 'green'], cutover: us } });
const begun = (changes: Parameters<typeof aCutover>[0] = {}) =>
  aCutover({
    from: 'blue',
    ...changes,
    metadata: { finalizers: [CUTOVER_FINALIZER] },
    status: { generations: { to: { name: 'green', uid: 'uid-green' } }, ...changes.status },
  });
type Changes = NonNullable<Parameters<typeof aCutoverInput>[0]>;
const effectsOf = (changes: Changes) => {
  const action = reserve.act(aCutoverInput({ cutover: begun(), ...changes }));
  return 'effects' in action ? action.effects.map(({ what }) => what) : action;
};
const written = (changes: Changes = {}) =>
  aCutoverInput({ cutover: begun(), to: reserved, platform: both, ...changes });

describe('Reserve', () => {
  it('holds on to itself, writes the target itself, then the platform, each in the state that was read', () => {
    const input = aCutoverInput();
    expect(reserve.act(input)).toEqual({
      journal: { generations: { from: { name: 'blue', uid: 'uid-blue' }, to: { name: 'green', uid: 'uid-green' } } },
      effects: [
        { do: 'finalizer', wanted: true, what: expect.any(String) },
        {
          do: 'writeGeneration',
          object: input.to,
          status: { ...input.to?.status, reservedBy: us },
          what: 'reserve green',
        },
        {
          do: 'writePlatform',
          object: input.platform,
          status: { ...input.platform?.status, protected: ['blue', 'green'], cutover: us },
          what: 'hold Platform us and protect green',
        },
      ],
      message: 'reserving green',
    });
  });

  it('goes on where a crash left it', () => {
    expect(effectsOf({ to: reserved })).toEqual(['hold Platform us and protect green']);
    expect(effectsOf({ platform: both })).toEqual(['reserve green']);
    const listed = aPlatform({ live: 'blue', status: { protected: ['blue', 'green'] } });
    expect(effectsOf({ to: reserved, platform: listed })).toEqual(['hold Platform us']);
  });

  it('protects again what somebody has taken off the list while it holds the platform', () => {
    const shrunk = aPlatform({ live: 'blue', status: { cutover: us } });
    expect(effectsOf({ to: reserved, platform: shrunk })).toEqual(['hold Platform us and protect green']);
  });

  it('protects the live one too, should it not be', () => {
    expect(effectsOf({ platform: aPlatform({ live: 'blue', status: { protected: [] } }) })).toEqual([
      'reserve green',
      'hold Platform us and protect blue and green',
    ]);
  });

  it.each([
    ['all is written and seen', {}, true],
    ['a workload of the target is not guarded yet', { unguarded: ['Deployment edge/web'] }, false],
    ['not every API server was seen to follow', { sight: { seen: false, waitingFor: 'one', overdue: false } }, false],
    ['nobody has looked whether the API servers follow', { sight: undefined }, false],
    ['the target is not', { to: aGeneration({ status: ready }) }, false],
    ['another holds the target', { to: aGeneration({ reservedBy: 'other', status: ready }) }, false],
    [
      'another holds the platform',
      { platform: aPlatform({ live: 'blue', status: { protected: ['blue', 'green'] } }) },
      false,
    ],
    ['the target is not listed', { platform: aPlatform({ live: 'blue', status: { cutover: us } }) }, false],
    ['nothing is journalled', { cutover: aCutover({ from: 'blue' }) }, false],
    [
      'the plan is not the approved one any more',
      { platform: aPlatform({ live: 'blue', spec: { approvals: { required: 1 } }, status: both.status }) },
      false,
    ],
    ['Preflight does not hold any more', { targets: [aView({ problem: { reason: 'x', message: 'y' } })] }, false],
  ])('when %s: done %s', (_, changes, done) => expect(reserve.done(written(changes))).toBe(done));

  it('waits for the API servers, and is blocked by one that does not follow', () => {
    const waiting = (overdue: boolean) =>
      reserve.act(written({ sight: { seen: false, waitingFor: 'the one at x', overdue } }));
    expect(waiting(false)).toEqual({ waitFor: 'the one at x' });
    expect(waiting(true)).toEqual({
      blocked: { reason: 'GuardNotEffective', message: 'waiting in vain: the one at x' },
    });
  });

  it('waits while nobody has looked whether the API servers follow', () => {
    const seen = { waitFor: 'the protection of green to be seen' };
    expect(reserve.act(written({ sight: undefined }))).toEqual(seen);
  });

  it('is blocked when Preflight does not hold any more, and when the plan is not the approved one any more', () => {
    const targets = [aView({ problem: { reason: 'NoReadyEndpoints', message: 'none' } })];
    expect(reserve.act(written({ targets }))).toMatchObject({ blocked: { reason: 'NoReadyEndpoints' } });
    const platform = aPlatform({ live: 'blue', spec: { approvals: { required: 1 } }, status: both.status });
    const approvals = [{ user: 'alice@example.com', planHash: 'a-b-c-d-e-f' }];
    expect(reserve.act(written({ platform, cutover: begun({ spec: { approvals } }) }))).toMatchObject({
      blocked: {
        reason: 'PlanChanged',
        message: expect.stringContaining('the plan has changed since it was approved (generations, machines'),
      },
    });
  });

  it('waits for a stopped standby that it has just set going', () => {
    const retention = { until: at(999), standby: 'Stopped' as const, cutover: { name: 'x', uid: 'y' } };
    const to = aGeneration({ live: true, reservedBy: 'to-green', status: { retention, conditions: [] } });
    expect(reserve.act(written({ to, cutover: begun({ spec: { mode: 'Rollback' } }) }))).toMatchObject({
      waitFor: expect.stringContaining('green is not ready'),
    });
  });

  it('is Blocked with the words of the cloud when it cannot be started', () => {
    const retention = { until: at(999), standby: 'Stopped' as const, cutover: { name: 'x', uid: 'y' } };
    const to = aGeneration({ live: true, reservedBy: 'to-green', status: { retention, conditions: [] } });
    const starting = (reason: 'CapacityUnavailable' | 'Throttled') =>
      reserve.act(
        written({
          to,
          cutover: begun({ spec: { mode: 'Rollback' } }),
          refusals: [{ pool: 'green.web', reason, message: 'StartInstances was refused: no capacity.', since: at(9) }],
        }),
      );
    expect(starting('CapacityUnavailable')).toMatchObject({
      blocked: {
        reason: 'CapacityUnavailable',
        message: expect.stringMatching(/pool green\.web cannot be started: StartInstances was refused: no capacity\. /),
      },
    });
    expect(starting('Throttled')).toHaveProperty('waitFor');
  });

  it.each([
    ['retired meanwhile', { retiredTime: at(30) }, 'TargetRetired'],
    ['reserved by another', { reservedBy: { name: 'other', uid: 'uid-other' } }, 'TargetReserved'],
  ])('does not take a stopped standby that was %s', (_, status, reason) => {
    const retention = { until: at(999), standby: 'Stopped' as const, cutover: { name: 'x', uid: 'y' } };
    const to = aGeneration({ live: true, status: { retention, conditions: [], ...status } });
    const cutover = begun({ spec: { mode: 'Rollback' } });
    expect(reserve.act(aCutoverInput({ to, cutover }))).toMatchObject({ blocked: { reason } });
    expect(reserve.act(written({ to, cutover }))).toMatchObject({ blocked: { reason } });
  });

  it('of a Rollback to a running standby reserves nothing while its machines are missing', () => {
    const retention = { until: at(999), standby: 'Running' as const, cutover: { name: 'x', uid: 'y' } };
    const to = aGeneration({ live: true, status: { retention, conditions: [] } });
    const cutover = begun({ spec: { mode: 'Rollback' } });
    expect(effectsOf({ to, cutover })).toMatchObject({ blocked: { reason: 'TargetNotReady' } });
    const standby = { ...retention, standby: 'Stopped' as const };
    const stopped = aGeneration({ live: true, status: { retention: standby, conditions: [] } });
    expect(effectsOf({ to: stopped, cutover })).toContain('reserve green');
  });

  it('of a Decommission holds the platform alone', () => {
    const cutover = begun({ spec: { mode: 'Decommission' } });
    delete cutover.spec.to;
    expect(effectsOf({ cutover, to: undefined })).toEqual(['hold Platform us']);
    const platform = aPlatform({ live: 'blue', status: { cutover: us }, spec: { approvals: { required: 0 } } });
    expect(reserve.act(written({ cutover, to: undefined, platform, sight: undefined }))).not.toMatchObject({
      waitFor: expect.stringContaining('to be seen'),
    });
  });

  it('takes over what the cutover that it supersedes has journalled', () => {
    const maintenance = { app: 'maintenance' };
    const superseded = aCutover({
      name: 'old',
      status: {
        generations: {},
        conditions: [aCondition({ type: 'RollbackAvailable', status: 'False' })],
        switches: [
          {
            target: 'www',
            from: selectorFor('red'),
            hold: maintenance,
            to: selectorFor('x'),
            state: 'Held',
            heldTime: at(7),
          },
          {
            ...{ target: 'api', from: selectorFor('red'), to: selectorFor('blue'), state: 'Verified' as const },
            ...{ heldTime: at(7), servedTime: at(9) },
          },
        ],
        migrations: [{ name: 'schema', hash: 'h', reversible: false, state: 'Committed' }],
      },
    });
    const hold = { wanted: maintenance, serving: true, waitingFor: '' };
    const input = aCutoverInput({
      cutover: aCutover({ from: 'blue', spec: { supersedes: { name: 'old', uid: 'uid-old' } } }),
      superseded,
      targets: [aView({ now: maintenance, hold }), aView({ target: 'api' })],
    });
    // Where targets have to go is not known before their machines are up: a stopped standby has none.
    expect(reserve.act(input)).not.toHaveProperty('journal.switches');
    expect(reserve.act(input)).toMatchObject({ journal: { migrations: [{ name: 'schema', state: 'Committed' }] } });
    expect(journalled(input)).toMatchObject({
      journal: {
        switches: [
          {
            target: 'www',
            from: selectorFor('blue'),
            hold: maintenance,
            to: selectorFor('green'),
            state: 'Held',
            heldTime: at(7),
          },
          {
            ...{ target: 'api', from: selectorFor('blue'), to: selectorFor('green'), state: 'Pending' },
            ...{ heldTime: at(7), servedTime: at(9) },
          },
        ],
      },
    });
  });

  it('reserves nothing that has gone away, been retired or taken since Preflight', () => {
    const reason = (to: Changes['to']) => reserve.act(aCutoverInput({ cutover: begun(), to }));
    expect(reason(undefined)).toMatchObject({ blocked: { reason: 'TargetNotFound' } });
    expect(reason(aGeneration({ deleting: true }))).toMatchObject({ blocked: { reason: 'TargetDeleted' } });
    expect(reason(aGeneration({ retired: true }))).toMatchObject({ blocked: { reason: 'TargetRetired' } });
    expect(reason(aGeneration({ reservedBy: 'x' }))).toMatchObject({ blocked: { reason: 'TargetReserved' } });
  });
});

describe('Reserve, undone', () => {
  it('does not let the platform go while a pointer that was moved late is there', () => {
    const pointer = { liveTime: at(5), live: { name: 'blue', uid: 'uid-blue', time: at(0) } };
    const platform = aPlatform({
      live: 'green',
      status: { cutover: us, live: { name: 'green', uid: 'uid-green', time: at(5) } },
    });
    expect(reserve.undo(written({ cutover: begun({ status: { pointer } }), platform }))).toMatchObject({
      effects: [{ do: 'writePlatform', status: { live: { name: 'blue' }, cutover: us } }],
    });
  });

  it('gives the generation back, then the platform, and shrinks what is protected last', () => {
    const action = reserve.undo(written());
    expect(action).toMatchObject({
      effects: [
        { do: 'writeGeneration', what: 'give back the reservation of green' },
        {
          do: 'writePlatform',
          status: { protected: ['blue'] },
          what: 'let go of Platform us and no longer protect green',
        },
      ],
    });
    expect(action).not.toHaveProperty('effects.0.status.reservedBy');
    expect(action).not.toHaveProperty('effects.1.status.cutover');
  });

  it('goes on protecting one that was live before', () => {
    const to = aGeneration({ live: true, reservedBy: 'to-green' });
    expect(reserve.undo(written({ to }))).toMatchObject({
      effects: [{ do: 'writeGeneration' }, { status: { protected: ['blue', 'green'] } }],
    });
  });

  it('leaves alone what another holds, and has nothing to do when all is given back', () => {
    const other = { name: 'other', uid: 'uid-other' };
    const platform = aPlatform({ live: 'blue', status: { cutover: other } });
    expect(reserve.undo(written({ to: aGeneration({ reservedBy: 'other' }), platform }))).toBeUndefined();
    expect(reserve.undo(written({ to: undefined, platform: undefined }))).toBeUndefined();
  });
});
