import { describe, expect, it } from '@jest/globals';
import { manualClock } from '../runtime/clock.ts';
import { silent } from '../runtime/logger.ts';
import type { KubeClient } from './client.ts';
import { ApiError } from './errors.ts';
import { type EventInput, type RecorderOptions, recorder } from './events.ts';

function aRecorder(options: Partial<RecorderOptions> = {}) {
  const clock = manualClock();
  const created: { note?: string; metadata: { namespace?: string } }[] = [];
  const patched: unknown[] = [];
  const state = { failing: undefined as Error | undefined, hanging: false };
  const client = {
    async create(_: unknown, event: (typeof created)[number]) {
      if (state.failing) throw state.failing;
      if (state.hanging) await new Promise(() => {});
      created.push(event);
    },
    async patch(_: unknown, __: string, body: unknown) {
      if (state.failing) throw state.failing;
      patched.push(body);
    },
  } as unknown as KubeClient;
  const subject = recorder({ client, clock, log: silent, controller: 'example.com/x', instance: 'x-0', ...options });
  const record = (event: Partial<EventInput> = {}) =>
    subject.record({
      regarding: { kind: 'Node', name: 'node-1', uid: 'u1' },
      type: 'Normal',
      reason: 'Seen',
      action: 'Look',
      note: 'seen',
      ...event,
    });
  return { clock, created, patched, state, record, subject };
}

describe('a recorder', () => {
  it('counts equal events in one, and writes the count now and then', async () => {
    const one = aRecorder();
    for (let i = 0; i < 10; i++) one.record();
    await one.clock.advance(29_999);
    expect([one.created.length, one.patched.length]).toEqual([1, 0]);
    await one.clock.advance(1);
    expect(one.patched).toEqual([{ series: { count: 10, lastObservedTime: '2026-01-01T00:00:30.000000Z' } }]);
    one.record();
    await one.clock.advance(30_000);
    expect(one.patched[1]).toMatchObject({ series: { count: 11 } });
  });

  it('starts anew after a long pause, and for a different note or object', async () => {
    const one = aRecorder();
    one.record();
    one.record({ note: 'other' });
    one.record({ regarding: { kind: 'Node', name: 'node-2', uid: 'u2' } });
    await one.clock.advance(360_000);
    one.record();
    await one.subject.flush();
    expect(one.created).toHaveLength(4);
  });

  it('gives an object 25 events at once and then one a minute, without touching others', async () => {
    const one = aRecorder();
    for (let i = 0; i < 100; i++) one.record({ note: `note ${i}` });
    one.record({ regarding: { kind: 'Node', name: 'node-2', uid: 'u2' } });
    await one.subject.flush();
    expect(one.created).toHaveLength(26);
    await one.clock.advance(60_000);
    for (let i = 100; i < 110; i++) one.record({ note: `note ${i}` });
    await one.subject.flush();
    expect(one.created).toHaveLength(27);
  });

  it('never throws into its caller, and recovers', async () => {
    const one = aRecorder();
    one.state.failing = new Error('unreachable');
    one.record();
    one.record({ regarding: undefined as unknown as EventInput['regarding'] });
    await one.subject.flush();
    one.state.failing = undefined;
    one.record({ note: 'later' });
    await one.subject.flush();
    expect(one.created.map(({ note }) => note)).toEqual(['later']);
  });

  it('writes its counts when it is flushed, and does not wait for ever', async () => {
    const one = aRecorder();
    one.record();
    one.record();
    await one.subject.flush();
    expect(one.patched).toEqual([{ series: expect.objectContaining({ count: 2 }) }]);
    expect(one.clock.pending).toBe(0);
    one.state.hanging = true;
    one.record({ note: 'never sent' });
    const flushed = one.subject.flush(5_000).then(() => 'given up');
    await one.clock.advance(5_000);
    expect(await flushed).toBe('given up');
  });

  it('creates an event anew when the one that it counted in has expired', async () => {
    const one = aRecorder();
    one.record();
    one.record();
    await one.clock.advance(0);
    one.state.failing = new ApiError({ status: 404, reason: 'NotFound', message: 'gone' });
    await one.clock.advance(30_000);
    one.state.failing = undefined;
    one.record();
    await one.subject.flush();
    expect(one.created).toHaveLength(2);
  });
});
