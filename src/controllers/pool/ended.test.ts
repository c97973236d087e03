import { describe, expect, it } from '@jest/globals';
import { aMachine, aPool, at, EPOCH } from '../../../test/builders/index.ts';
import type { Failure } from '../../api/v1alpha1/index.ts';
import { isCause } from '../../domain/failures.ts';
import type { Machine } from '../../providers/provider.ts';
import { endedEarly, newlyEnded, withEnded } from './ended.ts';
import { waitFor } from './launching.ts';

const KEY = { code: 'Client.InternalError', message: 'Client error on launch' };
const scaled = (ms: number) => ms;
const moment = (seconds: number) => ({ now: EPOCH + seconds * 1000, scaled });
const dead = (id: string, launched = 0, changes: Partial<Machine> = {}) =>
  aMachine({ id, state: 'terminated', launchTime: EPOCH + launched * 1000, ended: KEY, ...changes });
const look = (machines: Machine[], seconds: number, counted = machines.map(({ id }) => id)) =>
  endedEarly({ pool: aPool({ instances: counted }), ...moment(seconds) } as never, machines).map(
    ({ machine }) => machine.id,
  );
/** What a pool with no machine left makes of these ends. */
const madeOf = (failures: Failure[], machines: Machine[], seconds: number, registered = false) =>
  withEnded(
    failures,
    machines.map((machine) => ({ machine, registered })),
    [],
    moment(seconds),
  );
const wait = (failures: Failure[], seconds: number) => waitFor(failures, moment(seconds).now) / 1000;

describe('a machine that ends', () => {
  it('has ended early within ten minutes of its launch, and is an ordinary loss later', () => {
    expect(look([dead('i-1')], 599)).toEqual(['i-1']);
    expect(look([dead('i-1')], 600)).toEqual([]);
    expect(look([dead('i-1', 0, { state: 'shutting-down' })], 10)).toEqual(['i-1']);
  });

  it('counts once: not when the pool does not count it any more', () => {
    expect(look([dead('i-1')], 10, [])).toEqual([]);
    expect(look([aMachine({ id: 'i-1' }), dead('i-2')], 10, ['i-1'])).toEqual([]);
  });
});

describe('a pool whose machines end early', () => {
  it('says so in the cloud’s words, and waits', () => {
    const failures = madeOf([], [dead('i-1'), dead('i-2')], 5);
    expect(failures).toEqual([
      {
        reason: 'EndedEarly',
        message:
          '2 machines ended soon after launch (i-1, i-2): Client.InternalError: Client error on launch. Look at the launch template: its image, its disks, and whether the key of its disks may be used. It is tried again, more slowly each time',
        count: 1,
        since: at(5),
        retryTime: at(35),
      },
    ]);
    expect(madeOf([], [aMachine({ id: 'i-1', state: 'terminated' })], 5)[0]?.message).toContain(
      'the cloud does not say why',
    );
  });

  it('waits twice as long after each attempt, five minutes at most', () => {
    let failures: Failure[] = [];
    let now = 0;
    const waits = Array.from({ length: 7 }, () => {
      failures = madeOf(failures, [dead('i-1', now)], now);
      const seconds = wait(failures, now);
      now += seconds;
      return seconds;
    });
    expect(waits).toEqual([30, 60, 120, 240, 300, 300, 300]);
  });

  it('does not wait longer because the machines of one launch end one after the other', () => {
    const first = madeOf([], [dead('i-1')], 5);
    const second = madeOf(first, [dead('i-2')], 20);
    expect(second).toMatchObject([{ count: 1, retryTime: at(35) }]);
    expect(madeOf(second, [dead('i-3')], 100)).toMatchObject([{ count: 1, retryTime: at(130) }]);
    expect(madeOf(second, [dead('i-4', 36)], 50)).toMatchObject([{ count: 2, retryTime: at(110) }]);
  });

  it('replaces the first that had registered at once, and waits when that happens again', () => {
    const first = madeOf([], [dead('i-1')], 90, true);
    expect(first).toMatchObject([{ count: 1, retryTime: at(90) }]);
    expect(wait(first, 90)).toBe(0);
    expect(first.some(isCause)).toBe(false);
    const second = madeOf(first, [dead('i-2', 91)], 180, true);
    expect(wait(second, 180)).toBe(60);
    expect(second.every(isCause)).toBe(true);
  });

  it('forgets it when what was launched since has lived for ten minutes', () => {
    const failures = madeOf([], [dead('i-1')], 5);
    const alive = [{ id: 'i-2', subnet: 'subnet-a', time: at(40) }];
    expect(withEnded(failures, [], alive, moment(639))).toEqual(failures);
    expect(withEnded(failures, [], alive, moment(641))).toEqual([]);
    expect(withEnded(failures, [], [], moment(630))).toEqual(failures);
  });

  it('is named in an event when there is something new to say', () => {
    const failures = madeOf([], [dead('i-1')], 5);
    const failing = aPool({ status: { failures } });
    expect(newlyEnded(aPool(), failing)).toMatch(/^1 machine ended soon/);
    expect(newlyEnded(failing, failing)).toBeUndefined();
    expect(newlyEnded(failing, aPool())).toBeUndefined();
  });
});
