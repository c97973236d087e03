import { describe, expect, it } from '@jest/globals';
import { backoff } from './backoff.ts';
import { manualClock } from './clock.ts';
import { workQueue } from './workqueue.ts';

function aQueue() {
  const clock = manualClock();
  const depths: number[] = [];
  const queue = workQueue({ clock, backoff: backoff({ clock, min: 100, max: 1_000 }), onDepth: (n) => depths.push(n) });
  /** What a worker would get by now. */
  const taken: (string | undefined)[] = [];
  const take = async () => {
    void queue.get().then((key) => taken.push(key));
    await clock.advance(0);
    return taken.at(-1);
  };
  return { clock, queue, taken, take, depths };
}

describe('a work queue', () => {
  it('hands out keys in order, each once however often it was added', async () => {
    const { queue, take } = aQueue();
    for (const key of ['a', 'b', 'a', 'b', 'a']) queue.add(key);
    expect(queue.size).toBe(2);
    expect(await take()).toBe('a');
    expect(await take()).toBe('b');
    expect(queue.size).toBe(0);
  });

  it('does not hand out a key that is in work, but again when it was added meanwhile', async () => {
    const { queue, take, taken, clock } = aQueue();
    queue.add('a');
    await take();
    queue.add('a');
    queue.add('a');
    await take();
    expect(taken).toEqual(['a']);
    queue.done('a');
    await clock.advance(0);
    expect(taken).toEqual(['a', 'a']);
    queue.done('a');
    expect(queue.size).toBe(0);
  });

  it('adds after a time, the earliest of several', async () => {
    const { queue, clock } = aQueue();
    queue.addAfter('a', 100);
    queue.addAfter('a', 50);
    queue.addAfter('a', 80);
    await clock.advance(49);
    expect(queue.size).toBe(0);
    await clock.advance(1);
    expect(queue.size).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('waits longer after each failure of a key, up to a limit, and starts over when told', async () => {
    const { queue } = aQueue();
    const delays = Array.from({ length: 6 }, () => queue.addRateLimited('a'));
    for (const [i, delay] of delays.entries()) {
      const full = Math.min(1_000, 100 * 2 ** i);
      expect(delay).toBeGreaterThanOrEqual(full / 2);
      expect(delay).toBeLessThanOrEqual(full);
    }
    expect(queue.addRateLimited('b')).toBeLessThanOrEqual(100);
    queue.forget('a');
    expect(queue.addRateLimited('a')).toBeLessThanOrEqual(100);
  });

  it('lets its workers go when it is shut down, and keeps no timer', async () => {
    const { queue, take, taken, clock } = aQueue();
    queue.addAfter('later', 100);
    await take();
    queue.shutDown();
    queue.add('refused');
    await clock.advance(1_000);
    expect(taken).toEqual([undefined]);
    expect(clock.pending).toBe(0);
    expect(await take()).toBeUndefined();
  });

  it('hands out what is ready after a shut-down that drains, nothing after one that does not', async () => {
    const draining = aQueue();
    draining.queue.add('a');
    draining.queue.shutDown({ drain: true });
    expect(await draining.take()).toBe('a');
    expect(await draining.take()).toBeUndefined();
    const dropping = aQueue();
    dropping.queue.add('a');
    dropping.queue.shutDown();
    expect(await dropping.take()).toBeUndefined();
  });

  it('tells how many keys wait', () => {
    const { queue, depths } = aQueue();
    queue.add('a');
    queue.add('b');
    expect(depths.slice(-2)).toEqual([1, 2]);
  });
});

describe('a work queue with lanes', () => {
  it('has one key of a lane in work at a time, and lets those of other lanes go before', async () => {
    const clock = manualClock();
    const queue = workQueue({
      clock,
      backoff: backoff({ clock, min: 100, max: 1_000 }),
      laneOf: (key) => key.charAt(0),
    });
    const taken: (string | undefined)[] = [];
    for (let worker = 0; worker < 3; worker++) void queue.get().then((key) => taken.push(key));
    for (const key of ['a1', 'a2', 'a3', 'b1']) queue.add(key);
    await clock.advance(0);
    expect(taken).toEqual(['a1', 'b1']);
    queue.add('a1');
    queue.done('a1');
    await clock.advance(0);
    // In their order: the one that was asked for again is behind those that waited.
    expect(taken).toEqual(['a1', 'b1', 'a2']);
    void queue.get().then((key) => taken.push(key));
    queue.done('a2');
    await clock.advance(0);
    expect(taken).toEqual(['a1', 'b1', 'a2', 'a3']);
  });
});
