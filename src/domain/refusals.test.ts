import { describe, expect, it } from '@jest/globals';
import { at, EPOCH } from '../../test/builders/index.ts';
import type { FailureReason, Refusal } from '../api/v1alpha1/index.ts';
import { refusalsNow, withoutRefusal, withRefusal } from './refusals.ts';

const scaled = (ms: number) => ms;
const moment = (seconds: number) => ({ now: EPOCH + seconds * 1000, scaled });
const refuse = (subnet: string, seconds: number, before: Refusal[] = [], reason: FailureReason = 'SubnetUnsuitable') =>
  withRefusal(before, { subnet, reason, message: `${subnet} cannot` }, moment(seconds));
const inForce = (refusals: Refusal[], seconds: number) =>
  refusalsNow({ status: { observedGeneration: 1, refusals } }, moment(seconds).now).map(({ subnet }) => subnet);

describe('a subnet that refuses a pool', () => {
  it('is left out for a while, and longer each time', () => {
    let refusals: Refusal[] = [];
    let now = 0;
    const waits = Array.from({ length: 6 }, () => {
      refusals = refuse('b', now, refusals);
      const until = Date.parse(refusals[0]?.retryTime ?? '');
      const wait = (until - EPOCH) / 1000 - now;
      now += wait;
      return wait;
    });
    expect(waits).toEqual([300, 600, 1200, 2400, 3600, 3600]);
    expect(refusals).toMatchObject([{ subnet: 'b', message: 'b cannot', count: 6, since: at(0) }]);
    expect([inForce(refusals, now - 1), inForce(refusals, now)]).toEqual([['b'], []]);
  });

  it('is out for seconds when the cloud only has no room now, at the time scale', () => {
    const refusals = withRefusal(
      [],
      { subnet: 'b', reason: 'CapacityUnavailable', message: '' },
      { now: EPOCH, scaled: (ms) => ms / 10 },
    );
    expect(refusals).toMatchObject([{ retryTime: at(1.5) }]);
  });

  it('counts anew for another reason, and is forgotten once machines have come', () => {
    const refusals = refuse('b', 20, refuse('b', 0, [], 'AddressesExhausted'));
    expect(refusals).toMatchObject([{ reason: 'SubnetUnsuitable', count: 1, since: at(20) }]);
    expect(withoutRefusal(refusals, 'a')).toEqual(refusals);
    expect(withoutRefusal(refusals, 'b')).toEqual([]);
  });

  it('is none when any subnet would refuse the same', () => expect(refuse('b', 0, [], 'InvalidTemplate')).toEqual([]));

  it('comes in the order in which it is to be tried again', () =>
    expect(inForce(refuse('a', 60, refuse('b', 0)), 61)).toEqual(['b', 'a']));
});
