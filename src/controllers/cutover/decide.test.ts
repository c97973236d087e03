import { describe, expect, it } from '@jest/globals';
import {
  aCondition,
  aCutover,
  aCutoverInput,
  aGeneration,
  aPlatform,
  at,
  aView,
  EPOCH,
  selectorFor,
} from '../../../test/builders/index.ts';
import type { Cutover } from '../../api/v1alpha1/index.ts';
import { decide } from './decide.ts';
import type { CutoverInput } from './input.ts';

type Step = NonNullable<Cutover['status']['steps']>[number];
const done = (...names: Step['name'][]): Step[] =>
  names.map((name) => ({ name, state: 'Done', startTime: at(1), endTime: at(2) }));
const condition = (status: Cutover['status'], type: string) => status.conditions?.find((c) => c.type === type);
const whats = ({ effects }: ReturnType<typeof decide>) => effects.map(({ what }) => what);

describe('a cutover', () => {
  it('that has not begun, with nothing in its way, reserves', () => {
    const decision = decide(aCutoverInput());
    expect(whats(decision)).toEqual(['reserve green', 'protect green']);
    expect(decision.status.steps?.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'Preflight Done',
      'Reserve Running',
    ]);
    expect(decision.status.generations?.to?.uid).toBe('uid-green');
    expect(condition(decision.status, 'PreflightPassed')?.status).toBe('True');
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

  it('that asks for what is not built moves nothing', () => {
    const decision = decide(aCutoverInput({ cutover: aCutover({ from: 'blue', spec: { soak: '1h' } }) }));
    expect(whats(decision)).toEqual([]);
    expect(condition(decision.status, 'Blocked')).toMatchObject({
      reason: 'NotImplemented',
      message: expect.stringContaining('spec.soak'),
    });
  });

  it.each([
    ['another is live', 'green-0', 'blue', 'spec.from is blue, and green-0 is live: nothing was moved'],
    ['one is live already', 'blue', '', 'spec.from is empty, and blue is live: nothing was moved'],
    ['none is live', undefined, 'blue', 'spec.from is blue, and no generation is live: nothing was moved'],
  ])('is Superseded when %s', (_, live, from, message) => {
    const decision = decide(
      aCutoverInput({ cutover: aCutover({ from }), platform: aPlatform(live === undefined ? {} : { live }) }),
    );
    expect(decision).toMatchObject({ effects: [], status: { outcome: 'Superseded' }, requeueAfter: undefined });
    expect(condition(decision.status, 'Ready')).toMatchObject({ status: 'True', reason: 'Superseded', message });
  });

  it('is not Superseded by a Platform that does not know what is live', () => {
    const platform = aPlatform();
    delete platform.status.protected;
    expect(decide(aCutoverInput({ platform })).status.outcome).toBeUndefined();
  });

  it('that has begun is not Superseded by its own doing', () => {
    const cutover = aCutover({
      from: 'blue',
      status: {
        generations: { to: { name: 'green', uid: 'uid-green' } },
        steps: done('Preflight', 'Reserve', 'Switch'),
      },
    });
    const { status } = decide(
      aCutoverInput({
        cutover,
        platform: aPlatform({ live: 'green' }),
        to: aGeneration({ live: true, reservedBy: 'to-green' }),
      }),
    );
    expect(status.outcome).toBeUndefined();
    expect(status.steps?.at(-1)?.name).toBe('Retain');
  });

  it('waits for the one that goes first, by name', () => {
    const decision = decide(aCutoverInput({ first: aCutover({ name: 'to-other' }) }));
    expect(whats(decision)).toEqual([]);
    expect(condition(decision.status, 'Blocked')).toMatchObject({
      reason: 'CutoverInProgress',
      message:
        'Cutover to-other of Platform us is not finished: one at a time. Let it finish, or delete it if it has not begun',
    });
  });

  it('never does a step again that is done', () => {
    const cutover = aCutover({ from: 'blue', status: { steps: done('Preflight', 'Reserve') } });
    const decision = decide(
      aCutoverInput({ cutover, to: aGeneration({ reservedBy: 'to-green', status: { conditions: [aCondition()] } }) }),
    );
    expect(decision.status.switches).toMatchObject([{ target: 'www', state: 'Pending' }]);
    expect(decision.status.steps?.slice(0, 2)).toEqual(done('Preflight', 'Reserve'));
  });

  it('gives a cloud time to show a switch, and looks at the API server’s own writes at once', () => {
    const switches = [
      { target: 'www', from: selectorFor('blue'), to: selectorFor('green'), state: 'Pending' as const },
    ];
    const cutover = aCutover({ from: 'blue', status: { switches, steps: done('Preflight', 'Reserve') } });
    expect(decide(aCutoverInput({ cutover })).requeueAfter).toBe(1000);
    expect(decide(aCutoverInput({ cutover, scaled: (ms) => ms / 1000 })).requeueAfter).toBe(200);
  });

  it('whose steps are all done has Succeeded, and keeps its clock', () => {
    const steps = done('Preflight', 'Reserve', 'Switch', 'Point');
    const cutover = aCutover({ from: 'blue', status: { steps, retainUntil: at(999), generations: {} } });
    const decision = decide(
      aCutoverInput({ cutover, platform: aPlatform({ live: 'green' }), to: aGeneration({ live: true }) }),
    );
    expect(decision).toMatchObject({
      effects: [],
      requeueAfter: 0,
      status: { outcome: 'Succeeded', retainUntil: at(999) },
    });
    expect(condition(decision.status, 'Switched')?.status).toBe('True');
    expect(condition(decision.status, 'Ready')).toMatchObject({
      status: 'True',
      reason: 'Succeeded',
      message: 'green is live',
    });
  });

  it.each(['Aborted', 'RolledBack', 'Superseded'] as const)('that is %s does nothing any more', (outcome) => {
    const status = { outcome, retainUntil: at(0), observedGeneration: 1 };
    const decision = decide(aCutoverInput({ cutover: aCutover({ from: 'blue', status }) }));
    expect(decision).toEqual({ status, effects: [], requeueAfter: undefined });
  });

  it('that waits is the same object however often it is looked at', () => {
    const states: Partial<CutoverInput>[] = [{ to: undefined }, { first: aCutover({ name: 'x' }) }];
    const switches = [
      { target: 'www', from: selectorFor('blue'), to: selectorFor('green'), state: 'Switched' as const },
    ];
    states.push({
      cutover: aCutover({ from: 'blue', status: { switches, steps: done('Preflight', 'Reserve') } }),
      targets: [aView({ now: selectorFor('green') })],
    });
    for (const changes of states) {
      const { status } = decide(aCutoverInput(changes));
      const cutover = { ...(changes.cutover ?? aCutover({ from: 'blue' })), status };
      expect(decide(aCutoverInput({ ...changes, cutover, now: EPOCH + 9e6 })).status).toEqual(status);
    }
  });
});

describe('a cutover of a platform that is frozen', () => {
  const why = { type: 'Consistent', status: 'False' as const, reason: 'PointerDisagrees', message: 'the cloud says' };
  const platform = aPlatform({ live: 'blue', status: { conditions: [aCondition(why)] } });

  it('is Blocked before each step, and not superseded by a pointer that may be wrong', () => {
    for (const changes of [
      {},
      { cutover: aCutover({ from: 'red' }) },
      { cutover: aCutover({ from: 'blue', status: { steps: done('Preflight', 'Reserve', 'Switch') } }) },
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

  it('retires nothing', () => {
    const cutover = aCutover({
      from: 'blue',
      status: { outcome: 'Succeeded', retainUntil: at(0), generations: { from: { name: 'blue', uid: 'uid-blue' } } },
    });
    const live = {
      live: { name: 'green', uid: 'uid-green', time: at(1) },
      protected: ['blue', 'green'],
      guard: { effective: true, lastProbeTime: at(60), probes: [] },
    };
    const now = aPlatform({ status: live });
    expect(whats(decide(aCutoverInput({ cutover, platform: now })))).toContain('retire blue');
    const frozen = { ...platform, status: { ...platform.status, ...live } };
    expect(decide(aCutoverInput({ cutover, platform: frozen })).effects).toEqual([]);
  });
});

describe('a cutover that was restored along with everything else', () => {
  const rebound = (time: string) =>
    aPlatform({ live: 'blue', status: { rebound: [{ generation: 'blue', uid: 'uid-before', time }] } });

  it('does not begin: it may have ended before', () => {
    const decision = decide(aCutoverInput({ platform: rebound(at(0)) }));
    expect(decision.effects).toEqual([]);
    expect(condition(decision.status, 'Blocked')).toMatchObject({ reason: 'FromBeforeRestore' });
  });

  it('that was made after two people settled the restore does', () => {
    expect(whats(decide(aCutoverInput({ platform: rebound(at(-7200)) })))).toEqual(['reserve green', 'protect green']);
  });
});
