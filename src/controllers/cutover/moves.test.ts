import { describe, expect, it } from '@jest/globals';
import {
  aCondition,
  aCutover,
  aCutoverInput,
  aHoldView,
  anAddressTarget,
  aPlatform,
  aServiceTarget,
  at,
  aView,
  EPOCH,
  selectorFor,
} from '../../../test/builders/index.ts';
import type { Cutover, SwitchState } from '../../api/v1alpha1/index.ts';
import { sameState, type TargetView } from '../../traffic/target.ts';
import type { Action, CutoverInput, Step } from './input.ts';
import type { Entry } from './standing.ts';
import { hold } from './steps/hold.ts';
import { release } from './steps/release.ts';
import { switchTraffic } from './steps/switch.ts';

const blue = selectorFor('blue');
const green = selectorFor('green');
const maintenance = { app: 'maintenance' };
const nobody = { ...green, 'generations.dev/generation': '' };
const foreign = { app: 'foreign' };

const direct = (changes: Partial<Entry> = {}): Entry => ({
  target: 'www',
  from: blue,
  to: green,
  state: 'Pending',
  ...changes,
});
const held = (changes: Partial<Entry> = {}): Entry => direct({ hold: maintenance, ...changes });

interface Seen {
  target?: string;
  /** False: requests do not arrive where it points. */
  serving?: boolean;
  coming?: Partial<TargetView>;
  leaving?: Partial<TargetView>;
  hold?: Partial<NonNullable<TargetView['hold']>>;
}

/** A target that is at `now`, as it is seen for either generation. */
function seen(now: SwitchState, { target = 'www', serving = true, coming, leaving, hold }: Seen = {}) {
  const view = (wanted: SwitchState, changes: Partial<TargetView> = {}): TargetView =>
    aView({
      target,
      now,
      wanted,
      nowhere: nobody,
      serving: serving && sameState(now, wanted),
      hold: aHoldView({ serving: serving && sameState(now, maintenance), ...hold }),
      ...changes,
    });
  return { targets: [view(green, coming)], back: [view(blue, leaving)] };
}

const NOW = EPOCH + 60_000;

/** A cutover in the middle of a step: its journal, and what is seen. */
function given(entries: Entry[], sights: ReturnType<typeof seen>[], changes: Partial<CutoverInput> = {}): CutoverInput {
  const names = entries.map(({ target }) => target);
  return aCutoverInput({
    cutover: aCutover({ from: 'blue', status: { switches: entries } }),
    platform: aPlatform({ live: 'blue', spec: { traffic: names.map((name) => aServiceTarget({ name })) } }),
    targets: sights.flatMap(({ targets }) => targets),
    back: sights.flatMap(({ back }) => back),
    now: NOW,
    ...changes,
  });
}
const one = (entry: Entry, now: SwitchState, how: Seen = {}, changes: Partial<CutoverInput> = {}) =>
  given([entry], [seen(now, how)], changes);

const moving = (from: SwitchState, to: SwitchState, target = 'www') => ({
  effects: [{ do: 'switch', moves: [{ target, from, to }] }],
});
const stateOf = (action: Action | undefined): string[] | undefined =>
  action && 'journal' in action ? action.journal?.switches?.map(({ state }) => state) : undefined;

/** Each move of the three steps: from, to, the state once it is seen to serve, and whether that is on the way back. */
const MOVES: [
  what: string,
  act: (input: CutoverInput) => Action | undefined,
  Entry,
  SwitchState,
  SwitchState,
  string,
][] = [
  ['Hold', hold.act, held(), blue, maintenance, 'Held'],
  ['Switch', switchTraffic.act, direct(), blue, green, 'Verified'],
  ['Release', release.act, held({ state: 'Held' }), maintenance, green, 'Verified'],
  ['Release undone', release.undo, held({ state: 'Verified' }), green, maintenance, 'Held'],
  ['Switch undone', switchTraffic.undo, direct({ state: 'Verified' }), green, blue, 'Reverted'],
  ['Hold undone', hold.undo, held({ state: 'Held' }), maintenance, blue, 'Reverted'],
];

describe.each(MOVES)('%s', (what, act, entry, from, to, settled) => {
  const isBack = what.endsWith('undone');

  it('moves what is not there yet, from where it was just seen', () => {
    expect(act(one(entry, from))).toMatchObject(moving(from, to));
  });

  it('waits for what is there and not yet seen to serve (S11)', () => {
    const action = act(one(entry, to, { serving: false }));
    expect(action).toMatchObject({ waitFor: expect.stringContaining('endpoints of') });
    expect(stateOf(action) ?? [entry.state]).not.toContain(settled);
  });

  it(`calls it ${settled} once it is seen to serve`, () => {
    const action = act(one(entry, to));
    expect(action).toMatchObject({ effects: [] });
    expect(stateOf(action)).toEqual([settled]);
  });

  it('has nothing to do when that is written, though a pod is restarted just then', () => {
    const times = { heldTime: at(1), ...(settled !== 'Held' && { servedTime: at(2) }) };
    const input = one({ ...entry, ...(entry.hold && times), state: settled as Entry['state'] }, to, { serving: false });
    expect(act(input)).toEqual(isBack ? undefined : { waitFor: `the end of ${what}` });
  });

  it('moves all that have to be moved at once', () => {
    const api = { ...entry, target: 'api' };
    expect(act(given([entry, api], [seen(from), seen(from, { target: 'api' })]))).toMatchObject({
      effects: [{ moves: [{ target: 'www' }, { target: 'api' }] }],
    });
  });

  it('concludes nothing from a target that could not be looked at', () => {
    const unseen = (reason: string): Partial<TargetView> => ({
      now: {},
      wanted: {},
      unseen: true,
      serving: false,
      problem: { reason, message: 'the cloud' },
    });
    const look = (reason: string) => act(one(entry, from, { coming: unseen(reason), leaving: unseen(reason) }));
    expect(look('Unauthorized')).toEqual({ blocked: { reason: 'Unauthorized', message: 'the cloud' } });
    expect(look('Throttled')).toEqual({ waitFor: 'the cloud' });
  });

  it('moves nothing while there is no Platform to be read', () => {
    expect(act(one(entry, from, {}, { platform: undefined }))).toMatchObject({ blocked: { reason: 'TargetNotSeen' } });
  });

  it('moves nothing when no generation is there to look at targets for', () => {
    expect(act(given([entry], []))).toMatchObject({ blocked: { reason: 'TargetNotSeen' } });
  });

  const lost: [string, CutoverInput, string, string][] = [
    [
      'somebody else has changed',
      one(entry, foreign),
      'ForeignChange',
      'traffic target www is at app=foreign: this cutover found it at',
    ],
    [
      'was taken out of the Platform',
      one(entry, from, {}, { platform: aPlatform({ live: 'blue' }) }),
      'TargetRemoved',
      'traffic target www was taken out of the Platform while this cutover moves it',
    ],
    [
      'does not exist any more',
      one(entry, from, { coming: gone(), leaving: gone() }),
      'TargetGone',
      'Service edge/www does not exist',
    ],
  ];
  if (isBack)
    it.each(lost)('leaves what %s, and says so', (_, input, __, message) => {
      const action = act(input);
      expect(action).toMatchObject({ effects: [], message: expect.stringContaining(`left as it is: ${message}`) });
      expect(stateOf(action)).toEqual(['Reverted']);
      const written = { ...entry, state: 'Reverted' as const };
      expect(act({ ...input, cutover: aCutover({ from: 'blue', status: { switches: [written] } }) })).toBeUndefined();
    });
  else
    it.each(lost)('fails when a target %s', (_, input, reason, message) => {
      expect(act(input)).toMatchObject({ failed: { reason, message: expect.stringContaining(message) } });
    });

  it(isBack ? 'lets the others go back all the same' : 'fails then before it moves any other', () => {
    const action = act(given([entry, { ...entry, target: 'api' }], [seen(foreign), seen(from, { target: 'api' })]));
    if (isBack) {
      expect(action).toMatchObject({ ...moving(from, to, 'api'), message: expect.stringContaining('left as it is') });
      expect(stateOf(action)?.[0]).toBe('Reverted');
    } else expect(action).toMatchObject({ failed: { reason: 'ForeignChange' } });
  });

  if (isBack) {
    const since = { undo: { reason: 'Abort', message: '', time: at(-3600) } };
    const later = (entries: Entry[], ...sights: ReturnType<typeof seen>[]) =>
      act(given(entries, sights, { cutover: aCutover({ from: 'blue', status: { ...since, switches: entries } }) }));
    const times = (servedTime?: string) => entry.hold && { heldTime: at(1), ...(servedTime && { servedTime }) };

    it('writes down what is back while it waits for a target that cannot be seen', () => {
      const unseen = { unseen: true as const, problem: { reason: 'Unauthorized', message: 'the cloud' } };
      const action = later(
        [entry, { ...entry, target: 'api' }],
        seen(to),
        seen(from, { target: 'api', coming: unseen, leaving: unseen }),
      );
      expect(action).toMatchObject({ waitFor: 'the cloud' });
      expect(stateOf(action)).toEqual([settled, entry.state]);
    });

    it('is blocked by endpoints that do not follow, and by nothing once all is back, however long it took', () => {
      const waiting: Entry = { ...entry, ...times(), state: 'Pending' };
      expect(later([waiting], seen(to, { serving: false }))).toMatchObject({ blocked: { reason: 'NotServing' } });
      const done = { ...entry, ...times(settled === 'Held' ? undefined : at(2)), state: settled as Entry['state'] };
      expect(later([done], seen(to))).toBeUndefined();
    });
  }

  it('goes on by itself when it is set back', () => {
    expect(act(one({ ...entry, state: 'Reverted' }, from))).toMatchObject(moving(from, to));
  });
});

function gone(): Partial<TargetView> {
  const message = 'Service edge/www does not exist';
  return { now: {}, unseen: true, gone: true, serving: false, problem: { reason: 'TargetNotFound', message } };
}

describe('a foreign change', () => {
  it('is told with where the target is, where it was, and where it should be', () => {
    expect(hold.act(one(held({ from: { app: 'blue' }, to: { app: 'green' } }), foreign))).toEqual({
      failed: {
        reason: 'ForeignChange',
        message:
          'traffic target www is at app=foreign: this cutover found it at app=blue, holds it at app=maintenance and wants it at app=green. Somebody else changed it: set it back to one of these',
      },
    });
  });
});

describe('a target that is at another place of its way than expected', () => {
  it.each<[string, Step, 'act' | 'undo', SwitchState, SwitchState]>([
    ['put back before Release', release, 'act', blue, green],
    ['let through before Hold', hold, 'act', green, maintenance],
    ['put back while Release is undone: it is held while migrations are', release, 'undo', blue, maintenance],
    ['let through while Hold is undone', hold, 'undo', green, blue],
  ])('%s is moved to where the step wants it', (_, step, what, now, goal) => {
    expect(step[what](one(held(), now))).toMatchObject(moving(now, goal));
  });

  it('is not called what it no longer is (S11)', () => {
    expect(stateOf(release.act(one(held({ state: 'Verified' }), blue)))).toEqual(['Pending']);
    expect(stateOf(switchTraffic.act(one(direct({ state: 'Switched' }), blue)))).toEqual(['Pending']);
  });
});

describe('how long a target was held', () => {
  it('is counted from before the first move, whatever comes of it', () => {
    expect(hold.act(one(held(), blue))).toMatchObject({ journal: { switches: [held({ heldTime: at(60) })] } });
  });

  it('and from then on, when it is moved once more', () => {
    const action = hold.act(one(held({ heldTime: at(5), state: 'Held' }), blue));
    expect(action).toMatchObject({ journal: { switches: [{ heldTime: at(5) }] } });
  });

  it('also when somebody has held it already', () => {
    expect(hold.act(one(held(), maintenance))).toMatchObject({ journal: { switches: [{ heldTime: at(60) }] } });
  });

  it.each<[string, Step, 'act' | 'undo', SwitchState]>([
    ['on the new generation', release, 'act', green],
    ['back on the old one', hold, 'undo', blue],
  ])('ends when it is first seen to serve %s', (_, step, what, now) => {
    const entry = held({ heldTime: at(5), state: 'Held' });
    const servedTime = (action: Action | undefined) =>
      action && 'journal' in action ? action.journal?.switches?.[0]?.servedTime : undefined;
    expect(servedTime(step[what](one(entry, now, { serving: false })))).toBeUndefined();
    expect(servedTime(step[what](one(entry, now)))).toBe(at(60));
    expect(servedTime(step[what](one({ ...entry, servedTime: at(30) }, now)))).toBe(at(30));
  });

  it('does not end behind the maintenance responder', () => {
    const action = release.undo(one(held({ heldTime: at(5), state: 'Verified' }), maintenance));
    expect(action).toMatchObject({ journal: { switches: [{ state: 'Held', heldTime: at(5) }] } });
    expect(JSON.stringify(action)).not.toContain('servedTime');
  });

  it.each<[string, Step, 'act' | 'undo', SwitchState]>([
    ['on its way back, from before the move', release, 'undo', green],
    ['on its way back, as it is seen', release, 'undo', maintenance],
    ['by one that has taken over', hold, 'act', blue],
  ])('begins anew when it is held once more %s, and what was before is kept', (_, step, what, now) => {
    const earlierHolds = [{ heldTime: at(1), servedTime: at(2) }];
    const entry = held({ earlierHolds, heldTime: at(5), servedTime: at(30), state: 'Verified' });
    const switches = (action: Action | undefined) =>
      action && 'journal' in action ? action.journal?.switches : undefined;
    const again = switches(step[what](one(entry, now)));
    expect(again).toMatchObject([
      { heldTime: at(60), earlierHolds: [...earlierHolds, { heldTime: at(5), servedTime: at(30) }] },
    ]);
    expect(again?.[0]).not.toHaveProperty('servedTime');
    // Once only, however often it is looked at.
    expect(switches(step[what](one(again![0]!, now))) ?? again).toMatchObject(
      again!.map(({ state: _, ...rest }) => rest),
    );
  });

  it('has room for as many holds as the API', () => {
    const earlierHolds = Array.from({ length: 16 }, (_, n) => ({ heldTime: at(2 * n), servedTime: at(2 * n + 1) }));
    const entry = held({ earlierHolds, heldTime: at(40), servedTime: at(50), state: 'Verified' });
    expect(release.undo(one(entry, maintenance))).toMatchObject({
      journal: { switches: [{ earlierHolds: [...earlierHolds.slice(1), { heldTime: at(40), servedTime: at(50) }] }] },
    });
  });

  it('is not said of what was never held', () => {
    expect(JSON.stringify(switchTraffic.act(one(direct(), green)))).not.toMatch(/heldTime|servedTime/);
  });
});

describe('requests are not sent where nobody is ready (S1)', () => {
  const dead = { nobody: true as const, problem: { reason: 'NoReadyEndpoints', message: 'no ready pod' } };
  const none = { problem: { reason: 'NoMaintenancePods', message: 'no responder' } };

  it('forth', () => {
    expect(hold.act(one(held(), blue, { hold: none }))).toEqual({ waitFor: 'no responder' });
    expect(switchTraffic.act(one(direct(), blue, { coming: dead }))).toEqual({ waitFor: 'no ready pod' });
    expect(release.act(one(held({ state: 'Held' }), maintenance, { coming: dead }))).toEqual({
      waitFor: 'no ready pod',
    });
  });

  it('forth, even from where nobody is either', () => {
    const nowhere = { serving: false };
    expect(hold.act(one(held(), blue, { ...nowhere, hold: none }))).toEqual({ waitFor: 'no responder' });
    expect(switchTraffic.act(one(direct(), blue, { ...nowhere, coming: dead }))).toEqual({ waitFor: 'no ready pod' });
  });

  it('but what is owned by another manager meanwhile is moved: it was compared', () => {
    const problem = { reason: 'SelectorOwnedByAnother', message: 'kubectl' };
    expect(switchTraffic.act(one(direct(), blue, { coming: { problem } }))).toMatchObject(moving(blue, green));
  });

  it('back, from where somebody is', () => {
    expect(hold.undo(one(held({ state: 'Held' }), maintenance, { leaving: dead }))).toEqual({
      waitFor: 'no ready pod',
    });
    expect(switchTraffic.undo(one(direct({ state: 'Verified' }), green, { leaving: dead }))).toEqual({
      waitFor: 'no ready pod',
    });
    expect(release.undo(one(held({ state: 'Verified' }), green, { hold: none }))).toEqual({ waitFor: 'no responder' });
  });

  it('and back from where nobody is either: it is as it was found, and that is said', () => {
    const entry = direct({ state: 'Switched' });
    expect(switchTraffic.undo(one(entry, green, { leaving: dead, serving: false }))).toMatchObject(moving(green, blue));
    const action = switchTraffic.undo(one(entry, blue, { leaving: dead, serving: false }));
    expect(stateOf(action)).toEqual(['Reverted']);
    expect(action).toMatchObject({
      message: expect.stringContaining(
        'traffic target www is back where it was, and nothing serves there: endpoints of www',
      ),
    });
  });

  it('is not concluded from machines that could not be seen', () => {
    const clouded = { reason: 'Unauthorized', message: 'the cloud' };
    const coming = switchTraffic.act(
      one(direct({ state: 'Switched' }), green, { coming: dead, serving: false }, { members: clouded }),
    );
    expect(coming).toEqual({ blocked: clouded });
    const leaving = switchTraffic.undo(one(direct(), green, { leaving: dead }, { left: clouded }));
    expect(leaving).toEqual({ blocked: clouded });
    expect(hold.act(one(held(), blue, {}, { members: clouded, left: clouded }))).toMatchObject(
      moving(blue, maintenance),
    );
  });
});

describe('what was found on another way than the old generation’s', () => {
  const web = { app: 'web' };

  it('goes back there though the machines of the old one cannot be seen: they say nothing about it', () => {
    const left = { reason: 'Unauthorized', message: 'the cloud' };
    const input = one(direct({ from: web, state: 'Verified' }), green, {}, { left });
    expect(switchTraffic.undo(input)).toMatchObject(moving(green, web));
  });

  it('is back as soon as it is at that', () => {
    expect(stateOf(switchTraffic.undo(one(direct({ from: web, state: 'Verified' }), web, { serving: false })))).toEqual(
      ['Reverted'],
    );
  });

  it('a Service without a selector, goes back to the generation that is live', () => {
    const entry = direct({ from: {}, state: 'Verified' });
    expect(switchTraffic.undo(one(entry, green))).toMatchObject(moving(green, blue));
    expect(stateOf(switchTraffic.undo(one(entry, blue, { serving: false })))).not.toEqual(['Reverted']);
    expect(stateOf(switchTraffic.undo(one(entry, blue)))).toEqual(['Reverted']);
    // Somebody was ready there when it was moved back, and is not now.
    const dead = { nobody: true as const, problem: { reason: 'NoReadyEndpoints', message: 'no ready pod' } };
    expect(stateOf(switchTraffic.undo(one(entry, blue, { leaving: dead, serving: false })))).toEqual(['Reverted']);
    const clouded = { reason: 'Unauthorized', message: 'the cloud' };
    expect(switchTraffic.undo(one(entry, green, { leaving: dead }, { left: clouded }))).toEqual({ blocked: clouded });
  });

  it('or else to selecting nobody: without a selector its endpoints would stay', () => {
    const entry = direct({ from: {}, state: 'Verified' });
    const dead = { nobody: true as const };
    expect(switchTraffic.act(one(entry, {}))).toMatchObject(moving({}, green));
    expect(switchTraffic.undo(one(entry, green, { leaving: dead }))).toMatchObject(moving(green, nobody));
    for (const there of [nobody, {}]) {
      const action = switchTraffic.undo(one(entry, there, { serving: false }));
      expect(stateOf(action)).toEqual(['Reverted']);
      expect(action).toMatchObject({ message: 'www is where it has to be' });
    }
  });

  it('is seen for the new generation when there is no old one', () => {
    const first = one(direct({ from: {}, state: 'Verified' }), green, {}, { back: [], from: undefined });
    expect(switchTraffic.undo(first)).toMatchObject(moving(green, nobody));
  });
});

describe('endpoints that do not follow', () => {
  const blockedBy = (status: 'True' | 'False', reason: string, seconds: number) =>
    aCondition({ type: 'Blocked', status, reason, lastTransitionTime: at(seconds) });
  const waiting = (
    seconds: number,
    conditions: Cutover['status']['conditions'] = [],
    entry = direct({ state: 'Switched' }),
  ) =>
    given([entry], [seen(entry.state === 'Switched' ? green : blue, { serving: false })], {
      now: EPOCH + seconds * 1000,
      cutover: aCutover({
        from: 'blue',
        status: { switches: [entry], conditions, steps: [{ name: 'Switch', state: 'Running', startTime: at(0) }] },
      }),
    });
  const failure = { failed: { reason: 'NotServing', message: 'for 5m in vain: endpoints of www' } };

  it('are waited for five minutes, from the beginning of the step', () => {
    expect(switchTraffic.act(waiting(300))).toEqual({ waitFor: 'endpoints of www' });
    expect(switchTraffic.act(waiting(301))).toEqual(failure);
  });

  it('five declared ones, and 90 real seconds at least', () => {
    const drill = { scaled: (ms: number) => ms / 100 };
    expect(switchTraffic.act({ ...waiting(90), ...drill })).toEqual({ waitFor: 'endpoints of www' });
    expect(switchTraffic.act({ ...waiting(91), ...drill })).toEqual(failure);
  });

  it('and so is a target that does not stay where it is moved', () => {
    expect(switchTraffic.act(waiting(300, [], direct()))).toMatchObject(moving(blue, green));
    expect(switchTraffic.act(waiting(301, [], direct()))).toMatchObject({
      failed: { reason: 'NotServing', message: expect.stringContaining('for 5m in vain: www from ') },
    });
  });

  it('not counting the time in which it was blocked by something else', () => {
    expect(switchTraffic.act(waiting(900, [blockedBy('True', 'Unauthorized', 10)]))).toEqual({
      waitFor: 'endpoints of www',
    });
    expect(switchTraffic.act(waiting(900, [blockedBy('False', 'NotBlocked', 700)]))).toEqual({
      waitFor: 'endpoints of www',
    });
    expect(switchTraffic.act(waiting(1001, [blockedBy('False', 'NotBlocked', 700)]))).toEqual(failure);
  });

  it('past the point of no return stay a failure, and it goes on by itself when there is something to do', () => {
    const blocked = [blockedBy('True', 'NotServing', 301)];
    expect(switchTraffic.act(waiting(900, blocked))).toEqual(failure);
    expect(switchTraffic.act(waiting(900, blocked, direct()))).toMatchObject(moving(blue, green));
  });

  it('on the way back block it, five minutes after the last step was undone', () => {
    const undoing = (seconds: number) => {
      const input = waiting(seconds, [], direct({ state: 'Reverted' }));
      const entry = direct({ state: 'Pending' });
      return switchTraffic.undo({
        ...input,
        cutover: aCutover({
          from: 'blue',
          status: {
            switches: [entry],
            undo: { reason: 'Abort', message: '', time: at(0) },
            steps: [{ name: 'Point', state: 'Undone', endTime: at(100) }],
          },
        }),
      });
    };
    expect(undoing(400)).toEqual({ waitFor: 'endpoints of www' });
    expect(undoing(401)).toEqual({ blocked: failure.failed });
  });
});

describe('a target of several addresses', () => {
  const from = { a: 'i-old1', b: 'i-old2' };
  const to = { a: 'i-1', b: 'i-2' };
  const entry: Entry = { target: 'ips', from, to, state: 'Pending' };
  const view = (now: SwitchState, changes: Partial<TargetView> = {}) => {
    const { nowhere: _, hold: __, ...rest } = aView({ target: 'ips', now, wanted: to, parts: true, ...changes });
    return rest;
  };
  const input = (now: SwitchState, changes: Partial<Entry> = {}, wanted = to): CutoverInput =>
    aCutoverInput({
      cutover: aCutover({ from: 'blue', status: { switches: [{ ...entry, ...changes }] } }),
      platform: aPlatform({ live: 'blue', spec: { traffic: [anAddressTarget({ name: 'ips' })] } }),
      targets: [view(now, { wanted, serving: sameState(now, wanted), choices: ['i-0', 'i-1', 'i-2'] })],
      back: [view(now, { wanted: from, serving: sameState(now, from) })],
    });

  it('has the rest of it moved, forth and back', () => {
    const between = { a: 'i-1', b: 'i-old2' };
    expect(switchTraffic.act(input(between))).toMatchObject(moving(between, to, 'ips'));
    expect(switchTraffic.undo(input(between))).toMatchObject(moving(between, from, 'ips'));
  });

  it('keeps to the machines that were journalled, though another would now be the first', () => {
    expect(stateOf(switchTraffic.act(input(to, {}, { a: 'i-0', b: 'i-1' })))).toEqual(['Verified']);
  });

  it('is changed by somebody else when one of them is', () => {
    expect(switchTraffic.act(input({ a: 'i-1', b: 'i-foreign' }))).toMatchObject({
      failed: { reason: 'ForeignChange', message: expect.stringMatching(/^b of traffic target ips is at i-foreign: /) },
    });
    expect(switchTraffic.act(input({ a: 'i-1' }))).toMatchObject({ failed: { reason: 'ForeignChange' } });
  });

  it('and the others of them go back', () => {
    const strayed = { a: 'i-1', b: 'i-foreign' };
    const action = switchTraffic.undo(input(strayed));
    expect(action).toMatchObject(moving(strayed, { a: 'i-old1', b: 'i-foreign' }, 'ips'));
    const note = 'b of traffic target ips is at i-foreign, where somebody else has put it: it is left there';
    expect(action).toMatchObject({ message: expect.stringContaining(note) });
    const back = switchTraffic.undo(input({ a: 'i-old1', b: 'i-foreign' }));
    expect(back).toMatchObject({ effects: [], message: expect.stringContaining(note) });
    expect(stateOf(back)).toEqual(['Reverted']);
    expect(switchTraffic.undo(input({ a: 'i-old1', b: 'i-foreign' }, { state: 'Reverted' }))).toBeUndefined();
  });

  it('leaves one where it is that pointed nowhere before, and says so', () => {
    const partly = { from: { a: '', b: 'i-old2' } };
    const note = 'a of traffic target ips pointed at nothing before, and cannot be made to: it stays at i-1';
    expect(switchTraffic.act(input({ a: '', b: 'i-old2' }, partly))).toMatchObject(
      moving({ a: '', b: 'i-old2' }, to, 'ips'),
    );
    expect(switchTraffic.undo(input(to, partly))).toMatchObject({
      ...moving(to, { a: 'i-1', b: 'i-old2' }, 'ips'),
      message: expect.stringContaining(note),
    });
    expect(switchTraffic.undo(input({ a: 'i-1', b: 'i-old2' }, partly))).toMatchObject({
      effects: [],
      message: expect.stringContaining(note),
    });
    expect(stateOf(switchTraffic.undo(input({ a: '', b: 'i-old2' }, partly)))).toEqual(['Reverted']);
  });

  it('stays where it serves as long as the machines to go back to are too few', () => {
    const problem = { reason: 'TooFewMachines', message: 'too few' };
    const back = [view(to, { wanted: from, serving: false, nobody: true, problem })];
    expect(switchTraffic.undo({ ...input(to), back })).toMatchObject({ waitFor: 'too few' });
    const neither = { back, targets: [view(to, { wanted: to, serving: false })] };
    expect(switchTraffic.undo({ ...input(to), ...neither })).toMatchObject(moving(to, from, 'ips'));
  });

  it('is back only when it is seen to serve there', () => {
    const back = [view(from, { wanted: from, serving: false })];
    expect(switchTraffic.undo({ ...input(from), back })).toEqual({ waitFor: expect.any(String) });
    expect(stateOf(switchTraffic.undo(input(from)))).toEqual(['Reverted']);
  });

  it('fails when the account has not got one of them any more', () => {
    const { a: _, ...rest } = from;
    const action = switchTraffic.act(input(rest, { from: { a: '', b: 'i-old2' } }));
    expect(action).toMatchObject({ failed: { reason: 'ForeignChange' } });
  });

  it('does not mind an address that was added to it meanwhile', () => {
    expect(switchTraffic.act(input({ ...from, c: 'i-9' }))).toMatchObject(moving(from, to, 'ips'));
    expect(switchTraffic.undo(input({ ...to, c: 'i-9' }))).toMatchObject(moving(to, from, 'ips'));
  });
});

describe('many moves', () => {
  it('are named, the first three with where they go', () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const entries = names.map((target) => direct({ target, from: { n: 'old' }, to: { n: 'new' } }));
    const sights = names.map((target) => seen({ n: 'old' }, { target }));
    expect(switchTraffic.act(given(entries, sights))).toMatchObject({
      message: 'switch a from n=old to n=new; b from n=old to n=new; c from n=old to n=new; and 2 more: d, e',
    });
  });
});
