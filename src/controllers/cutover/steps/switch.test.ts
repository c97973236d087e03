import { describe, expect, it } from '@jest/globals';
import {
  aCutover,
  aCutoverInput,
  aHoldView,
  aPlatform,
  aServiceTarget,
  aView,
  selectorFor,
} from '../../../../test/builders/index.ts';
import type { Cutover } from '../../../api/v1alpha1/index.ts';
import { planOf } from '../plan.ts';
import { hold } from './hold.ts';
import { release } from './release.ts';
import { switchTraffic } from './switch.ts';

type Entry = NonNullable<Cutover['status']['switches']>[number];
const blue = selectorFor('blue');
const green = selectorFor('green');
const maintenance = { app: 'maintenance' };
const direct: Entry = { target: 'api', from: blue, to: green, state: 'Pending' };
const held: Entry = { target: 'www', from: blue, hold: maintenance, to: green, state: 'Pending' };

const platform = aPlatform({
  live: 'blue',
  spec: {
    traffic: [
      aServiceTarget({ maintenance: { selector: maintenance } }),
      aServiceTarget({ name: 'api', service: { namespace: 'edge', name: 'api' } }),
    ],
  },
});
const targets = [aView({ hold: aHoldView() }), aView({ target: 'api' })];
const input = (switches?: Entry[], changes: Parameters<typeof aCutoverInput>[0] = {}) =>
  aCutoverInput({
    cutover: aCutover({ from: 'blue', status: { ...(switches && { switches }) } }),
    platform,
    targets,
    back: targets.map((view) => ({ ...view, wanted: blue, serving: true })),
    ...changes,
  });

describe('the journal of traffic', () => {
  it.each([
    ['Hold', hold],
    ['Switch', switchTraffic],
  ])('is written as a whole by %s, before anything moves', (_, step) => {
    expect(step.act(input())).toEqual({
      journal: { switches: [held, direct] },
      effects: [],
      message: 'journalled 2 traffic targets',
    });
  });

  it.each([
    ['Hold', hold],
    ['Switch', switchTraffic],
  ])('is not begun by %s when something is in the way since Preflight', (_, step) => {
    expect(step.act(input(undefined, { members: [] }))).toMatchObject({ blocked: { reason: 'TargetNotReady' } });
  });

  it.each([
    ['Hold', hold],
    ['Switch', switchTraffic],
  ])('is not begun by %s when what it would write down is not what was approved', (_, step) => {
    const needing = aPlatform({ live: 'blue', spec: { ...platform.spec, approvals: { required: 1 } } });
    const approved = (planHash: string) => {
      const cutover = aCutover({ from: 'blue', spec: { approvals: [{ user: 'alice@example.com', planHash }] } });
      return input(undefined, { cutover, platform: needing });
    };
    const { hash } = planOf(approved('none'));
    expect(step.act(approved(hash))).toMatchObject({ message: 'journalled 2 traffic targets' });
    expect(step.act(approved(hash.split('-').with(2, 'aaaaaaaaaaaa').join('-')))).toMatchObject({
      blocked: { reason: 'PlanChanged', message: expect.stringContaining('since it was approved (switches): 0 of 1') },
    });
  });

  it('is not written anew once it is there', () => {
    const moved = { ...targets[0]!, now: maintenance };
    expect(hold.act(input([held, direct], { targets: [moved, targets[1]!] }))).toEqual({
      waitFor: 'endpoints of the maintenance responder',
      journal: { switches: [{ ...held, heldTime: '2026-01-01T00:01:00.000Z' }, direct] },
    });
  });
});

describe('who moves what', () => {
  it('Hold moves those with a maintenance responder to it', () => {
    expect(hold.act(input([held, direct]))).toMatchObject({
      effects: [{ do: 'switch', moves: [{ target: 'www', from: blue, to: maintenance }] }],
    });
  });

  it('Switch moves all others to the new generation', () => {
    expect(switchTraffic.act(input([held, direct]))).toMatchObject({
      effects: [{ do: 'switch', moves: [{ target: 'api', from: blue, to: green }] }],
    });
  });

  it('Release moves those that were held on', () => {
    const behind = { ...targets[0]!, now: maintenance };
    expect(release.act(input([{ ...held, state: 'Held' }, direct], { targets: [behind, targets[1]!] }))).toMatchObject({
      effects: [{ do: 'switch', moves: [{ target: 'www', from: maintenance, to: green }] }],
    });
  });

  it('undone, each moves the same ones the other way', () => {
    const at = (now: Record<string, string>) => ({
      targets: [],
      back: targets.map((view) => ({ ...view, now, wanted: blue })),
    });
    const moves = (step: typeof hold, now: Record<string, string>) => step.undo(input([held, direct], at(now)));
    expect(moves(release, green)).toMatchObject({
      effects: [{ moves: [{ target: 'www', from: green, to: maintenance }] }],
    });
    expect(moves(switchTraffic, green)).toMatchObject({
      effects: [{ moves: [{ target: 'api', from: green, to: blue }] }],
    });
    expect(moves(hold, maintenance)).toMatchObject({
      effects: [{ moves: [{ target: 'www', from: maintenance, to: blue }] }],
    });
  });

  it('undone before anything was journalled, there is nothing to do', () => {
    for (const step of [hold, switchTraffic, release]) expect(step.undo(input())).toBeUndefined();
  });
});

describe('a step of traffic is skipped', () => {
  const bare = aPlatform({ live: 'blue', spec: { traffic: [aServiceTarget()] } });
  const nothing = aPlatform({ live: 'blue' });

  it.each([
    [
      'Hold, without a maintenance responder',
      hold,
      input(undefined, { platform: bare }),
      'no traffic target has a maintenance responder',
    ],
    ['Hold, without one in the journal', hold, input([direct]), 'no traffic target has a maintenance responder'],
    [
      'Switch, without traffic targets',
      switchTraffic,
      input(undefined, { platform: nothing }),
      'the Platform has no traffic targets',
    ],
    ['Switch, when all are held', switchTraffic, input([held]), 'every traffic target is held, for Release'],
    ['Release, when none is held', release, input([direct]), 'no traffic target is held'],
    ['Release, when nothing was journalled', release, input(), 'no traffic target is held'],
  ])('%s', (_, step, given, why) => expect(step.skip?.(given)).toBe(why));

  it.each([
    ['Hold, with a maintenance responder', hold, input()],
    ['Hold, with one in the journal that was taken out of the Platform', hold, input([held], { platform: nothing })],
    ['Switch, with a target that is not held', switchTraffic, input([held, direct])],
    ['Switch, with nothing journalled yet', switchTraffic, input(undefined, { platform: bare })],
    ['Release, with one that is held', release, input([held, direct])],
  ])('and is not: %s', (_, step, given) => expect(step.skip?.(given)).toBeUndefined());

  it('in mode Decommission: nothing becomes live', () => {
    const { spec, ...rest } = aCutover({ from: 'blue' });
    const { to: _, ...without } = spec;
    const cutover: Cutover = { ...rest, spec: { ...without, mode: 'Decommission' } };
    expect(hold.skip?.(input(undefined, { cutover }))).toContain('traffic stays where it is');
    expect(switchTraffic.skip?.(input(undefined, { cutover }))).toContain('traffic stays where it is');
  });
});

describe('a step of traffic is done', () => {
  it.each<[string, typeof hold, Entry[] | undefined, boolean]>([
    ['before anything is journalled', switchTraffic, undefined, false],
    ['with nothing to move', switchTraffic, [], true],
    ['with all of its own seen to serve', switchTraffic, [held, { ...direct, state: 'Verified' }], true],
    ['with one of its own not seen to serve', switchTraffic, [held, { ...direct, state: 'Switched' }], false],
    ['with all of its own held', hold, [{ ...held, state: 'Held' }, direct], true],
    ['with all of its own released', release, [{ ...held, state: 'Verified' }, direct], true],
    ['with one of its own still held', release, [{ ...held, state: 'Held' }, direct], false],
  ])('%s', (_, step, switches, done) => {
    const now = step === hold ? maintenance : green;
    const there = targets.map((view) => ({ ...view, now }));
    expect(step.done(input(switches, { targets: there }))).toBe(done);
  });

  it('not, when one is seen elsewhere since', () => {
    expect(switchTraffic.done(input([{ ...direct, state: 'Verified' }]))).toBe(false);
  });

  it('also when the cloud does not answer any more: what was seen was seen', () => {
    const members = { reason: 'Throttled', message: 'slow down' };
    expect(switchTraffic.done(input([{ ...direct, state: 'Verified' }], { members }))).toBe(true);
  });
});
