import { describe, expect, it } from '@jest/globals';
import { aCutover, aCutoverInput, aView, selectorFor } from '../../../../test/builders/index.ts';
import type { Cutover } from '../../../api/v1alpha1/index.ts';
import { switchTraffic } from './switch.ts';

type Entry = NonNullable<Cutover['status']['switches']>[number];
const blue = selectorFor('blue');
const green = selectorFor('green');
const entry = (changes: Partial<Entry> = {}): Entry => ({
  target: 'www',
  from: blue,
  to: green,
  state: 'Pending',
  ...changes,
});
const journalled = (switches: Entry[], changes: Parameters<typeof aCutoverInput>[0] = {}) =>
  aCutoverInput({ cutover: aCutover({ from: 'blue', status: { switches } }), ...changes });
const act = (...input: Parameters<typeof journalled>) => switchTraffic.act(journalled(...input));

describe('Switch', () => {
  it('journals every old value before anything moves', () => {
    const targets = [aView(), aView({ target: 'api', now: { x: 'y' } })];
    expect(switchTraffic.act(aCutoverInput({ targets }))).toEqual({
      journal: { switches: [entry(), entry({ target: 'api', from: { x: 'y' } })] },
      effects: [],
      message: 'journalled 2 traffic targets',
    });
  });

  it('asks Preflight once more before it begins', () => {
    expect(switchTraffic.act(aCutoverInput({ members: [] }))).toMatchObject({ blocked: { reason: 'TargetNotReady' } });
  });

  it('moves what is at its old value', () => {
    expect(act([entry()])).toMatchObject({
      journal: { switches: [entry()] },
      effects: [{ do: 'switch', target: 'www', from: blue, to: green }],
    });
  });

  it('moves the rest of a target of several parts', () => {
    const parts = entry({ target: 'ips', from: { a: 'i-old' }, to: { a: 'i-1', b: 'i-2' } });
    const at = (now: Record<string, string>) => act([parts], { targets: [aView({ target: 'ips', now })] });
    expect(at({ a: 'i-1', b: '' })).toMatchObject({ effects: [{ target: 'ips' }] });
    expect(at({ a: 'i-1', b: 'i-foreign' })).toMatchObject({ blocked: { reason: 'ForeignChange' } });
    expect(at({ a: 'i-1' })).toMatchObject({ blocked: { reason: 'ForeignChange' } });
  });

  it('believes a switch only when it is seen to serve (S11)', () => {
    const arrived = aView({ now: green });
    expect(act([entry()], { targets: [arrived] })).toMatchObject({
      journal: { switches: [entry({ state: 'Switched' })] },
      effects: [],
    });
    expect(act([entry({ state: 'Switched' })], { targets: [arrived] })).toEqual({ waitFor: 'endpoints of www' });
    expect(act([entry({ state: 'Switched' })], { targets: [{ ...arrived, serving: true }] })).toMatchObject({
      journal: { switches: [entry({ state: 'Verified' })] },
      effects: [],
    });
  });

  it('holds on to the machines that it journalled, though another would now be the first', () => {
    const to = { a: 'i-2' };
    const view = aView({ target: 'ips', now: to, wanted: { a: 'i-1' }, serving: false });
    expect(act([entry({ target: 'ips', from: { a: 'i-old' }, to })], { targets: [view] })).toMatchObject({
      journal: { switches: [{ state: 'Verified' }] },
    });
  });

  it('is blocked when somebody else moves a target, and says from where to where', () => {
    expect(
      act([entry({ from: { app: 'blue' }, to: { app: 'green' } })], {
        targets: [aView({ now: { app: 'maintenance' } })],
      }),
    ).toEqual({
      blocked: {
        reason: 'ForeignChange',
        message:
          'traffic target www is at app=maintenance: this cutover found it at app=blue and wants it at app=green. Somebody else changed it: set it back to one of the two',
      },
    });
  });

  it('is blocked when a target is taken out of the Platform', () => {
    expect(act([entry()], { targets: [] })).toMatchObject({ blocked: { reason: 'TargetRemoved' } });
  });

  it('concludes nothing from a target that could not be looked at', () => {
    const unseen = (reason: string) =>
      aView({ now: {}, wanted: {}, unseen: true, problem: { reason, message: 'the cloud' } });
    expect(act([entry({ state: 'Switched' })], { targets: [unseen('Unauthorized')] })).toEqual({
      blocked: { reason: 'Unauthorized', message: 'the cloud' },
    });
    expect(act([entry()], { targets: [unseen('Throttled')] })).toEqual({ waitFor: 'the cloud' });
  });

  it('leaves what is verified alone', () => {
    expect(
      act([entry({ state: 'Verified' }), entry({ target: 'api' })], { targets: [aView(), aView({ target: 'api' })] }),
    ).toMatchObject({
      effects: [{ target: 'api' }],
    });
  });

  it.each<[Entry['state'][] | undefined, boolean]>([
    [undefined, false],
    [[], true],
    [['Verified', 'Verified'], true],
    [['Verified', 'Switched'], false],
  ])('with %j is done: %s', (states, done) => {
    const switches = states?.map((state) => entry({ state }));
    expect(
      switchTraffic.done(aCutoverInput({ cutover: aCutover({ status: { ...(switches && { switches }) } }) })),
    ).toBe(done);
  });
});
