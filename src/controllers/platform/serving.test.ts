import { describe, expect, it } from '@jest/globals';
import { aPlatform, aPlatformInput, aServiceTarget, at, EPOCH } from '../../../test/builders/index.ts';
import type { TrafficStatus } from '../../api/v1alpha1/index.ts';
import type { TargetSight } from '../../traffic/sight.ts';
import { decide } from './decide.ts';
import type { PlatformInput } from './input.ts';
import { RECOUNT, type Transit, trafficOf } from './serving.ts';
import { turns } from './turns.ts';

const platform = (traffic?: TrafficStatus[]) =>
  aPlatform({ live: 'green', spec: { traffic: [aServiceTarget()] }, status: { ...(traffic && { traffic }) } });
const aSight = (changes: Partial<TargetSight> = {}): TargetSight => ({
  target: 'www',
  role: 'web',
  place: 'live',
  generations: ['green'],
  leadsTo: 'generation green',
  ready: 3,
  minReady: 1,
  ...changes,
});
const down = (reason = 'WorkloadGone', message = 'no Deployment: apply it again') =>
  aSight({ ready: 0, problem: { reason, message } });
const input = (sight: TargetSight, changes: Partial<PlatformInput> = {}, traffic?: TrafficStatus[]): PlatformInput =>
  aPlatformInput({ platform: platform(traffic), targets: [sight], ...changes });
const entry = (sight: TargetSight, changes: Partial<PlatformInput> = {}, traffic?: TrafficStatus[]) =>
  trafficOf(input(sight, changes, traffic))?.[0];
const serving = (changes: Partial<TrafficStatus> = {}): TrafficStatus => ({
  ...{ name: 'www', state: 'Serving', leadsTo: 'generation green', generation: 'green', ready: 3, minReady: 1 },
  ...{ countedTime: at(-60), servingSince: at(-3600), ...changes },
});
const transit = (changes: Partial<Transit> = {}): Transit => ({
  ...{ cutover: 'to-green', generations: ['blue', 'green'], undoing: false, switches: [], ...changes },
});
const switched = (state: Transit['switches'][number]['state']): Transit['switches'] => [
  { target: 'www', to: {}, state },
];

describe('the entry of a target', () => {
  it('that was seen to serve says since when', () => {
    expect(entry(aSight())).toMatchObject({ state: 'Serving', ready: 3, servingSince: at(0) });
    expect(entry(aSight(), { now: EPOCH + 9e6 }, [serving()])).toEqual(serving());
  });

  it('that stops says when it was last seen to serve, and why it does not', () => {
    const stopped = entry(down(), {}, [serving()]);
    expect(stopped).toMatchObject({ state: 'NotServing', reason: 'WorkloadGone', lastServingTime: at(0) });
    expect(stopped).not.toHaveProperty('servingSince');
  });

  it('of addresses that stop has the time of the look before, as nobody has seen more', () => {
    const sight = aSight({ machines: ['i-9'], problem: { reason: 'AddressMoved', message: 'moved' } });
    const before = serving({ machines: ['i-1'] });
    expect(entry(sight, {}, [before])).toMatchObject({ state: 'NotServing', lastServingTime: at(-60) });
  });

  it('is not counted again at each endpoint that comes or goes', () => {
    const soon = { now: EPOCH - 60_000 + RECOUNT - 1 };
    expect(entry(aSight({ ready: 2 }), soon, [serving()])).toEqual(serving());
    expect(decide(input(aSight({ ready: 2 }), soon, [serving()])).requeueAfter).toBe(1);
    expect(entry(aSight({ ready: 2 }), {}, [serving()])).toMatchObject({
      ready: 2,
      countedTime: at(0),
      servingSince: at(-3600),
    });
  });

  it('that cannot be looked at for a moment stays as it was, and is not known after a while', () => {
    const unseen = (unseenFor?: number) =>
      aSight({
        place: 'unseen',
        ready: 0,
        problem: { reason: 'Throttled', message: 'later' },
        ...(unseenFor !== undefined && { unseenFor }),
      });
    expect(entry(unseen(30_000), {}, [serving()])).toEqual(serving());
    expect(entry(unseen(130_000), {}, [serving()])).toMatchObject({ state: 'Unknown', reason: 'Throttled' });
    expect(entry(unseen(), {}, [serving()])).toMatchObject({ state: 'Unknown' });
  });

  it.each<[string, TargetSight, Transit, string]>([
    [
      'behind its maintenance responder is held',
      aSight({ place: 'maintenance', generations: [], problem: { reason: 'LeftInMaintenance', message: '' } }),
      transit(),
      'Held',
    ],
    [
      'at the generation that becomes live is moving',
      aSight({ place: 'generation', generations: ['blue'], problem: { reason: 'SelectorChanged', message: '' } }),
      transit(),
      'Moving',
    ],
    [
      'just moved, whose endpoints have not followed, is moving',
      down('PodsNotReady'),
      transit({ switches: switched('Switched') }),
      'Moving',
    ],
    [
      'not moved yet, whose Deployment is gone, does not serve',
      down(),
      transit({ switches: switched('Pending') }),
      'NotServing',
    ],
    [
      'arrived, whose Deployment goes while it soaks, does not serve',
      down(),
      transit({ switches: switched('Verified') }),
      'NotServing',
    ],
    [
      'that somebody points at a third generation does not serve',
      aSight({ place: 'generation', generations: ['red'], problem: { reason: 'SelectorChanged', message: '' } }),
      transit(),
      'NotServing',
    ],
  ])('%s, while a cutover holds the platform', (_, sight, cutover, state) => {
    expect(entry(sight, { transit: cutover })).toMatchObject({ state });
  });

  it('at its maintenance responder, which no cutover holds there, does not serve', () => {
    const sight = aSight({ place: 'maintenance', problem: { reason: 'LeftInMaintenance', message: 'set it back' } });
    expect(entry(sight)).toMatchObject({ state: 'NotServing', reason: 'LeftInMaintenance' });
  });

  it('is not there while nothing is live', () => {
    expect(trafficOf(input(aSight(), { platform: aPlatform() }))).toBeUndefined();
  });
});

describe('a platform', () => {
  const conditions = (sight: TargetSight, changes: Partial<PlatformInput> = {}) => {
    const generations = [{ metadata: { uid: 'uid-green' } }] as PlatformInput['generations'];
    const { status } = decide(
      input(sight, { generations: generations.map((one) => ({ ...one, spec: {}, status: {} }) as never), ...changes }),
    );
    return Object.fromEntries(
      (status.conditions ?? []).map(({ type, status: is, reason, message }) => [type, { is, reason, message }]),
    );
  };

  it('whose targets were all seen to serve is Serving', () => {
    expect(conditions(aSight())).toMatchObject({
      Ready: { is: 'True', reason: 'Serving' },
      Degraded: { is: 'False', reason: 'Complete' },
    });
  });

  it('with a target that does not is Degraded and not Ready: target, cause and remedy are named', () => {
    const said = { reason: 'WorkloadGone', message: 'www: no Deployment: apply it again' };
    expect(conditions(down())).toMatchObject({
      Ready: { is: 'False', ...said },
      Degraded: { is: 'True', ...said },
      Stalled: { is: 'True' },
    });
  });

  it('with a target that nobody has seen is neither', () => {
    const unseen = aSight({ place: 'unseen', problem: { reason: 'NotObserved', message: 'not yet' } });
    expect(conditions(unseen)).toMatchObject({
      Ready: { is: 'Unknown', reason: 'TrafficNotSeen' },
      Degraded: { is: 'Unknown', reason: 'TrafficNotSeen' },
    });
  });

  it('whose traffic a cutover holds says so, and raises no alarm', () => {
    const held = aSight({ place: 'maintenance', problem: { reason: 'LeftInMaintenance', message: '' } });
    expect(conditions(held, { transit: transit() })).toMatchObject({
      Ready: {
        is: 'False',
        reason: 'TrafficHeld',
        message: 'www: Cutover to-green holds it behind its maintenance responder',
      },
      Degraded: { is: 'False', reason: 'TrafficHeld' },
      Reconciling: { is: 'True' },
    });
  });
});

describe('people', () => {
  const told = (before: TrafficStatus[] | undefined, after: TrafficStatus[]) =>
    turns(platform(before), platform(after)).map(({ type, reason }) => `${type} ${reason}`);

  it('are told when a target stops, for another reason, and serves again', () => {
    const stopped = serving({ state: 'NotServing', reason: 'ScaledToZero' });
    expect(told([serving()], [stopped])).toEqual(['Warning TargetNotServing']);
    expect(told([stopped], [stopped])).toEqual([]);
    expect(told([stopped], [serving({ state: 'NotServing', reason: 'PodsNotReady' })])).toEqual([
      'Warning TargetNotServing',
    ]);
    expect(told([stopped], [serving()])).toEqual(['Normal TargetServing']);
    expect(told([serving()], [serving({ ready: 1 })])).toEqual([]);
  });
});
