import { describe, expect, it } from '@jest/globals';
import { aCutover, aPlatform, at } from '../../../test/builders/index.ts';
import type { Cutover, Platform } from '../../api/v1alpha1/index.ts';
import { downtimeOf } from './downtime.ts';

type Step = NonNullable<Cutover['status']['steps']>[number];

const roles = [
  { name: 'web', handover: 'Beside' as const },
  { name: 'cron', handover: 'Follow' as const },
  { name: 'tasks', handover: 'Singleton' as const },
  { name: 'queue', handover: 'Singleton' as const, quiesce: 'AllFirst' as const },
];
const site = (quiesced?: Platform['status']['quiesced']) =>
  aPlatform({ live: 'blue', spec: { roles }, status: quiesced ? { quiesced } : {} });

describe('downtime of traffic', () => {
  const held = (target: string, heldTime?: string, servedTime?: string) => ({
    ...{ target, from: {}, to: {}, state: 'Held' as const },
    ...(heldTime && { heldTime }),
    ...(servedTime && { servedTime }),
  });
  const planned = (...targets: string[]) => ({
    ...{ hash: '', changed: [], machines: [], migrations: [], checks: [], rollback: '', blockers: [] },
    switches: targets.map((target) => ({ target, role: 'web', from: {}, to: {} })),
  });
  const of = (status: Partial<Cutover['status']>) => downtimeOf(aCutover({ status }), site()).downtime;
  const plan = planned('www', 'api');

  it('is the time in which any target of the role was held: two at once count once', () => {
    expect(of({ plan, switches: [held('www', at(10), at(50)), held('api', at(12), at(73))] })).toEqual([
      { role: 'web', traffic: '1m3s' },
    ]);
    expect(of({ plan, switches: [held('www', at(10), at(50)), held('api', at(20), at(30))] })).toEqual([
      { role: 'web', traffic: '40s' },
    ]);
  });

  it('leaves out what was served between two holds', () => {
    const again = { ...held('www', at(60), at(64)), earlierHolds: [{ heldTime: at(10), servedTime: at(16) }] };
    expect(of({ plan, switches: [again] })).toEqual([{ role: 'web', traffic: '10s' }]);
    expect(of({ plan, switches: [held('api', at(62), at(70)), again] })).toEqual([{ role: 'web', traffic: '16s' }]);
  });

  it('is not claimed before it has ended, nor for what was never held', () => {
    expect(of({ plan, switches: [held('www', at(10), at(50)), held('api', at(12))] })).toBeUndefined();
    expect(of({ plan, switches: [held('www')] })).toBeUndefined();
  });
});

describe('downtime of singletons', () => {
  const us = { name: 'to-green', uid: 'uid-to-green' };
  const old = { name: 'old', uid: 'uid-old' };
  const stopped = (seconds: number, cutover = us) => site({ cutover, stop: ['queue'], time: at(seconds) });
  const step = (name: Step['name'], state: Step['state'], start: number, end?: number): Step => ({
    ...{ name, state, startTime: at(start) },
    ...(end !== undefined && { endTime: at(end) }),
  });

  /** What is told after each look in turn: what the journal has and the platform shows then. */
  function told(looks: [Partial<Cutover['status']>, Platform][], before: Partial<Cutover['status']> = {}) {
    let status: Partial<Cutover['status']> = before;
    for (const [change, platform] of looks) {
      status = { ...status, ...change };
      const cutover = aCutover({ spec: { supersedes: old }, status });
      status = { ...status, ...downtimeOf(cutover, platform) };
      // Looked at once more, nothing is counted twice.
      expect(downtimeOf(aCutover({ spec: { supersedes: old }, status }), platform).downtime).toEqual(status.downtime);
    }
    return Object.fromEntries((status.downtime ?? []).map(({ role, singletons }) => [role, singletons]));
  }

  const stopping: [Partial<Cutover['status']>, Platform] = [{ steps: [step('Quiesce', 'Running', 0)] }, stopped(0)];
  const quiesce = step('Quiesce', 'Done', 0, 5);
  const restoring: [Partial<Cutover['status']>, Platform] = [
    { steps: [quiesce, step('Restore', 'Running', 60)] },
    stopped(0),
  ];
  const restored: [Partial<Cutover['status']>, Platform] = [
    { steps: [quiesce, step('Restore', 'Done', 60, 180)] },
    site(),
  ];
  const undo = { reason: 'CheckFailed', message: 'smoke', time: at(3_780) };

  it('counts from where they stop until all have started: all first, or each on its own', () => {
    expect(told([stopping, restoring, restored])).toEqual({ tasks: '2m', queue: '3m' });
  });

  it('is not claimed before it has ended', () => {
    expect(told([stopping, restoring])).toEqual({ tasks: undefined, queue: undefined });
    expect(told([])).toEqual({});
  });

  it('ends with the undoing as well', () => {
    const undone = { undo: { ...undo, time: at(40) }, steps: [step('Quiesce', 'Undone', 0, 45)] };
    expect(told([stopping, [undone, site()]])).toEqual({ queue: '45s' });
  });

  it('leaves out the soak that fails: they ran', () => {
    const turned = { undo, steps: [quiesce, step('Restore', 'Done', 60, 180)] };
    const stoppedAgain = { undo, steps: [quiesce, step('Restore', 'Undone', 60, 3_785)] };
    const undone = { undo, steps: [step('Quiesce', 'Undone', 0, 3_800), step('Restore', 'Undone', 60, 3_785)] };
    expect(
      told([
        stopping,
        restoring,
        restored,
        [turned, site()],
        [turned, stopped(3_781)],
        [stoppedAgain, stopped(3_781)],
        [undone, site()],
      ]),
    ).toEqual({ tasks: '2m', queue: '3m19s' });
  });

  it('goes on when they are stopped again in the moment in which they were restored', () => {
    const turned = { undo: { ...undo, time: at(180) }, steps: [quiesce, step('Restore', 'Done', 60, 180)] };
    const undone = { ...turned, steps: [step('Quiesce', 'Undone', 0, 200), step('Restore', 'Undone', 60, 190)] };
    const looks = [stopping, restoring, restored, [turned, stopped(180)], [undone, site()]] as const;
    expect(told(looks.map(([status, platform]) => [status, platform]))).toEqual({ tasks: '2m', queue: '3m20s' });
  });

  it('ends with Restore when what follows fails in the same look', () => {
    const turned = { undo: { ...undo, time: at(180) }, steps: [quiesce, step('Restore', 'Done', 60, 180)] };
    expect(told([stopping, restoring, [turned, site()]])).toEqual({ tasks: '2m', queue: '3m' });
  });

  it('of the last generation has no end, for all that were told to end and no others', () => {
    const all = site({ cutover: us, stop: ['queue', 'tasks'], time: at(0) });
    const steps = [quiesce, step('Restore', 'Skipped', 20, 20)];
    const stops = (platform: Platform) => downtimeOf(aCutover({ status: { steps } }), platform).downtime;
    const forEver = [{ stoppedTime: at(0) }];
    expect(stops(all)).toEqual([
      { role: 'tasks', stops: forEver },
      { role: 'queue', stops: forEver },
    ]);
    expect(stops(stopped(0))).toEqual([{ role: 'queue', stops: forEver }]);
  });

  it('begins when the superseded cutover stopped them, and nobody else', () => {
    const taken: [Partial<Cutover['status']>, Platform] = [
      { steps: [step('Quiesce', 'Running', 100)] },
      stopped(40, old),
    ];
    const steps = [step('Quiesce', 'Done', 100, 101), step('Restore', 'Done', 150, 160)];
    expect(told([taken, [{ steps }, site()]])).toEqual({ tasks: '10s', queue: '2m' });
    const foreign: typeof taken = [taken[0], stopped(40, { name: 'x', uid: 'uid-x' })];
    expect(told([foreign, [taken[0], stopped(100)], [{ steps }, site()]])).toMatchObject({ queue: '1m' });
    // Before it has begun with it, it has stopped nothing.
    expect(told([[{ steps: [] }, stopped(40, old)]])).toEqual({});
  });

  it('goes on where that one had let them start and not all had', () => {
    const downtime = [
      { role: 'tasks', stops: [{ stoppedTime: at(60) }] },
      { role: 'queue', stops: [{ stoppedTime: at(0) }] },
    ];
    const steps = [step('Quiesce', 'Done', 100, 101), step('Restore', 'Done', 150, 160)];
    const running = { steps: [step('Quiesce', 'Running', 100)] };
    expect(
      told(
        [
          [running, stopped(100)],
          [{ steps }, site()],
        ],
        { downtime },
      ),
    ).toEqual({ tasks: '1m40s', queue: '2m40s' });
  });
});
