import { describe, expect, it } from '@jest/globals';
import { aCutover, aCutoverInput, aPlatform, at, EPOCH } from '../../../../test/builders/index.ts';
import type { TaskCensus } from '../input.ts';
import { quiesce } from './quiesce.ts';
import { restore } from './restore.ts';

const us = { name: 'to-green', uid: 'uid-to-green' };
const roles = [
  { name: 'web', handover: 'Beside' as const },
  { name: 'cron', handover: 'Follow' as const },
  { name: 'tasks', handover: 'Singleton' as const },
  { name: 'queue', handover: 'Singleton' as const, quiesce: 'AllFirst' as const },
];
const site = (status: object = {}) => aPlatform({ live: 'blue', spec: { roles }, status });
const quiesced = (uid = us.uid) => site({ quiesced: { cutover: { ...us, uid }, stop: ['queue'], time: at(0) } });
const census = (changes: Partial<TaskCensus> = {}): TaskCensus => ({
  role: 'queue',
  handover: 'Singleton',
  total: 3,
  waiting: 3,
  starting: 0,
  running: 0,
  arriving: 3,
  on: {},
  startsPerSecond: 20,
  ...changes,
});
const at10 = { steps: [{ name: 'Quiesce' as const, state: 'Running' as const, startTime: at(0) }] };
const cutover = aCutover({ from: 'blue', status: at10 });
type Changes = Parameters<typeof aCutoverInput>[0];
const input = (changes: Changes = {}) => aCutoverInput({ cutover, platform: site(), tasks: [census()], ...changes });

describe('Quiesce', () => {
  it('has nothing to do where nothing follows the live pointer', () => {
    expect(quiesce.skip?.(aCutoverInput())).toBe('no role is Follow or Singleton');
    expect(quiesce.skip?.(input())).toBeUndefined();
  });

  it('stops all starts, and names the roles that stop as a whole', () => {
    expect(quiesce.act(input())).toMatchObject({
      effects: [{ do: 'writePlatform', status: { quiesced: { cutover: us, stop: ['queue'], time: at(60) } } }],
    });
  });

  it('of a Decommission stops every singleton', () => {
    const ending = aCutover({ from: 'blue', spec: { mode: 'Decommission' } });
    delete ending.spec.to;
    expect(quiesce.act(input({ cutover: ending }))).toMatchObject({
      effects: [{ status: { quiesced: { stop: ['tasks', 'queue'] } } }],
    });
  });

  it('of a Recovery that migrates nothing waits for no machine that does not answer', () => {
    const tasks = [census({ running: 1, trouble: 'node-1 does not answer' })];
    const recovery = (migrations: object[] = []) =>
      aCutover({ from: 'blue', spec: { mode: 'Recovery', migrations: migrations as never }, status: at10 });
    expect(quiesce.done(input({ cutover: recovery(), platform: quiesced(), tasks }))).toBe(true);
    expect(quiesce.done(input({ cutover: recovery(), tasks }))).toBe(false);
    expect(quiesce.done(input({ cutover: recovery([{ name: 'schema' }]), platform: quiesced(), tasks }))).toBe(false);
  });

  it('is done when those are seen to be gone, not before', () => {
    const tasks = [census({ running: 1, trouble: 'node-1 does not answer' }), census({ role: 'tasks', running: 9 })];
    expect(quiesce.done(input({ platform: quiesced(), tasks }))).toBe(false);
    expect(quiesce.act(input({ platform: quiesced(), tasks }))).toEqual({
      waitFor: 'waiting for 1 pods of queue to end (node-1 does not answer)',
    });
    expect(quiesce.done(input({ platform: quiesced(), tasks: [census(), tasks[1]!] }))).toBe(true);
    expect(quiesce.done(input())).toBe(false);
    expect(quiesce.done(input({ platform: quiesced('another') }))).toBe(false);
  });

  it('fails after ten minutes: traffic is held for as long as it waits', () => {
    const stuck = { platform: quiesced(), tasks: [census({ starting: 1 })] };
    expect(quiesce.act(input({ ...stuck, now: EPOCH + 600_001 }))).toMatchObject({
      failed: { reason: 'SingletonsDoNotEnd' },
    });
    expect(quiesce.act(input({ ...stuck, now: EPOCH + 600_000 }))).toHaveProperty('waitFor');
  });

  it('gives pods 90 real seconds in a drill: they end no faster there', () => {
    const stuck = { platform: quiesced(), tasks: [census({ starting: 1 })], scaled: (ms: number) => ms / 12 };
    expect(quiesce.act(input({ ...stuck, now: EPOCH + 90_000 }))).toHaveProperty('waitFor');
    expect(quiesce.act(input({ ...stuck, now: EPOCH + 90_001 }))).toHaveProperty('failed');
  });

  it('undone lets them start again, where the pointer is', () => {
    const action = quiesce.undo(input({ platform: quiesced() }));
    expect(action).toMatchObject({ effects: [{ what: 'let scheduled and always-on tasks start on blue' }] });
    expect(action).not.toHaveProperty('effects.0.status.quiesced');
    expect(quiesce.undo(input())).toBeUndefined();
    expect(quiesce.undo(input({ platform: quiesced('another') }))).toBeUndefined();
  });
});

describe('Restore', () => {
  const begun = aCutover({
    from: 'blue',
    status: { steps: [{ name: 'Restore', state: 'Running', startTime: at(0) }] },
  });
  const restoring = (changes: Changes = {}) => input({ cutover: begun, ...changes });

  it('has nothing to do where nothing moves', () => {
    expect(restore.skip?.(aCutoverInput())).toBe('no role is Follow or Singleton');
    expect(restore.skip?.(input())).toBeUndefined();
    const ending = aCutover({ from: 'blue', spec: { mode: 'Decommission', to: undefined as never } });
    expect(restore.skip?.(input({ cutover: ending }))).toBe('no generation is live');
  });

  it('lets the tasks start, also those that a superseded cutover had stopped', () => {
    expect(restore.act(restoring({ platform: quiesced() }))).toMatchObject({ effects: [{ do: 'writePlatform' }] });
    const superseded = aCutover({ name: 'old' });
    expect(restore.act(restoring({ platform: quiesced('uid-old'), superseded }))).toMatchObject({
      effects: [{ do: 'writePlatform' }],
    });
  });

  it.each([
    ['every task has started on the new one', { waiting: 0, running: 3, arriving: 0, on: { green: 3 } }, true],
    ['one waits', { waiting: 1, running: 2, arriving: 1, on: { green: 2 } }, false],
    ['one starts', { waiting: 0, starting: 1, running: 2, arriving: 1, on: { green: 3 } }, false],
    ['only runs of Jobs wait and start', { waiting: 4, starting: 5, running: 3, arriving: 0, on: { green: 3 } }, true],
    ['one is on the old one', { waiting: 0, running: 3, arriving: 0, on: { green: 2, blue: 1 } }, false],
    ['there is none', { total: 0, waiting: 0, arriving: 0 }, true],
  ])('when %s: done %s', (_, changes, done) => {
    expect(restore.done(restoring({ tasks: [census(changes)] }))).toBe(done);
  });

  it('is not done before it has begun, nor while starts are stopped', () => {
    const tasks = [census({ waiting: 0, running: 3, arriving: 0, on: { green: 3 } })];
    expect(restore.done(input({ cutover: aCutover({ from: 'blue' }), tasks }))).toBe(false);
    expect(restore.done(restoring({ platform: quiesced(), tasks }))).toBe(false);
  });

  it('says what is not yet where it belongs', () => {
    const tasks = [census({ waiting: 1, starting: 1, running: 1, on: { green: 1, blue: 1 }, trouble: 'no room' })];
    expect(restore.act(restoring({ tasks }))).toEqual({
      waitFor: 'queue: of 3 tasks 1 wait and 1 start, 1 on blue (no room)',
    });
  });

  describe('when a task cannot start', () => {
    const MINUTE = 60_000;
    const stuck = census({
      waiting: 0,
      starting: 1,
      running: 2,
      arriving: 1,
      on: { green: 3 },
      trouble: 'Pod tasks/mailer does not start: container main, ImagePullBackOff',
    });
    const late = (ms: number, tasks = [stuck], changes: Changes = {}) =>
      restore.act(restoring({ tasks, now: EPOCH + ms, ...changes }));

    it('waits for it ten minutes, and as long as the pace takes for all of them', () => {
      const pace = { total: 600, startsPerSecond: 5 };
      expect(late(10 * MINUTE + 150)).toHaveProperty('waitFor');
      expect(late(12 * MINUTE, [census({ ...stuck, ...pace })])).toHaveProperty('waitFor');
      expect(late(12 * MINUTE + 1, [census({ ...stuck, ...pace })])).toHaveProperty('blocked');
    });

    it('is Blocked then, with role, pod and cause, and neither fails nor goes back', () => {
      const action = late(11 * MINUTE);
      expect(action).toMatchObject({ blocked: { reason: 'TasksDoNotStart' } });
      const message = 'blocked' in action ? action.blocked.message : '';
      expect(message).toContain(
        'queue: of 3 tasks 0 wait and 1 start (Pod tasks/mailer does not start: container main, ImagePullBackOff)',
      );
      expect(message).toContain('goes on by itself');
    });

    it('goes on when it has started', () => {
      const tasks = [census({ waiting: 0, running: 3, arriving: 0, on: { green: 3 } })];
      expect(restore.done(restoring({ tasks, now: EPOCH + 60 * MINUTE }))).toBe(true);
    });

    it('lets them start first, however late', () => {
      expect(late(60 * MINUTE, [stuck], { platform: quiesced() })).toMatchObject({
        effects: [{ do: 'writePlatform' }],
      });
    });

    it('gives pods three real minutes in a drill', () => {
      const drill = { scaled: (ms: number) => ms / 600 };
      expect(late(3 * MINUTE, [stuck], drill)).toHaveProperty('waitFor');
      expect(late(3 * MINUTE + 1000, [stuck], drill)).toHaveProperty('blocked');
    });
  });

  it('undone stops them again, and is undone when they are gone', () => {
    expect(restore.undo(restoring())).toMatchObject({ effects: [{ status: { quiesced: { stop: ['queue'] } } }] });
    const platform = quiesced();
    expect(restore.undo(restoring({ platform, tasks: [census({ running: 2 })] }))).toEqual({
      waitFor: 'waiting for 2 pods of queue to end',
    });
    expect(restore.undo(restoring({ platform }))).toBeUndefined();
  });

  it('says so when tasks do not end: it would wait for them for ever', () => {
    const tasks = [census({ running: 2, trouble: 'Pod tasks/mailer may still run' })];
    const late = restoring({ platform: quiesced(), tasks, now: EPOCH + 601_000 });
    expect(restore.undo(late)).toMatchObject({
      blocked: { reason: 'SingletonsDoNotEnd', message: expect.stringContaining('tasks/mailer may still run') },
    });
  });

  it('counts from when they were told to end, not from when the step began', () => {
    const platform = site({ quiesced: { cutover: us, stop: ['queue'], time: at(900) } });
    const late = input({
      cutover: aCutover({ from: 'blue', status: at10 }),
      platform,
      tasks: [census({ running: 2 })],
    });
    expect(quiesce.act({ ...late, now: EPOCH + 905_000 })).toHaveProperty('waitFor');
  });
});
