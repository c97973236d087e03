import { describe, expect, it } from '@jest/globals';
import { manualClock } from './clock.ts';
import { type ControllerOptions, controller } from './controller.ts';
import type { Logger } from './logger.ts';
import { LeadershipLost } from './runnable.ts';

type Reconcile = ControllerOptions['reconcile'];

function aController(reconcile: Reconcile, options: Partial<ControllerOptions> = {}, scale = 1) {
  const clock = manualClock({ scale });
  const lines: { level: string; message: string; fields: Record<string, unknown> | undefined }[] = [];
  const at = (level: string) => (message: string, fields?: Record<string, unknown>) =>
    void lines.push({ level, message, fields });
  const log: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log };
  const outcomes: string[] = [];
  const subject = controller({
    name: 'test',
    clock,
    log,
    reconcile,
    observer: { reconciled: (_, outcome) => outcomes.push(outcome) },
    ...options,
  });
  const abort = new AbortController();
  let ended = false;
  const running = subject.start(abort.signal).then(() => {
    ended = true;
  });
  return { clock, subject, abort, running, outcomes, lines, hasEnded: () => ended };
}

/** Work that ends when the test says so. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return { passed: promise, open: () => resolve(undefined) };
}

describe('a controller', () => {
  it('reconciles keys, also those put in before it started', async () => {
    const seen: string[] = [];
    const one = aController(async (key) => void seen.push(key) as undefined);
    one.subject.enqueue('a');
    one.subject.enqueueAfter('b', 10);
    await one.clock.advance(9);
    expect(seen).toEqual(['a']);
    await one.clock.advance(1);
    expect(seen).toEqual(['a', 'b']);
    expect(one.outcomes).toEqual(['success', 'success']);
  });

  it('works on as many keys at once as it may, and never twice on one', async () => {
    const doors = [gate(), gate(), gate()];
    const working: string[] = [];
    let runs = 0;
    const one = aController(
      async (key) => {
        working.push(key);
        await doors[runs++]?.passed;
        working.splice(working.indexOf(key), 1);
        return undefined;
      },
      { concurrency: 2 },
    );
    for (const key of ['a', 'b', 'c']) one.subject.enqueue(key);
    await one.clock.advance(0);
    expect(working).toEqual(['a', 'b']);
    one.subject.enqueue('a');
    doors[1]?.open();
    await one.clock.advance(0);
    expect(working).toEqual(['a', 'c']);
    doors[0]?.open();
    await one.clock.advance(0);
    expect(runs).toBe(4);
  });

  it('comes back after requeueAfter', async () => {
    let runs = 0;
    const one = aController(async () => (++runs === 1 ? { requeueAfter: 500 } : undefined));
    one.subject.enqueue('a');
    await one.clock.advance(499);
    expect(runs).toBe(1);
    await one.clock.advance(1);
    expect(runs).toBe(2);
    await one.clock.advance(100_000);
    expect(runs).toBe(2);
  });

  it('logs a failure once with its key, tries again with growing delay, and goes on with other keys', async () => {
    const times: number[] = [];
    const one = aController(
      async (key) => {
        if (key === 'good') return undefined;
        times.push(one.clock.monotonic());
        throw new Error('broken');
      },
      { minBackoff: 100, maxBackoff: 1_000 },
    );
    one.subject.enqueue('bad');
    one.subject.enqueue('good');
    await one.clock.advance(10_000);
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    for (const [i, gap] of gaps.entries()) {
      expect(gap).toBeGreaterThanOrEqual(Math.min(1_000, 100 * 2 ** i) / 2);
      expect(gap).toBeLessThanOrEqual(Math.min(1_000, 100 * 2 ** i));
    }
    const errors = one.lines.filter(({ level }) => level === 'error');
    expect(errors).toHaveLength(times.length);
    expect(errors[0]?.fields).toMatchObject({ key: 'bad', error: new Error('broken') });
    expect(one.outcomes.filter((outcome) => outcome === 'success')).toHaveLength(1);
  });

  it('survives a reconcile that throws before it returns a promise', async () => {
    const one = aController(() => {
      throw new Error('at once');
    });
    one.subject.enqueue('a');
    await one.clock.advance(0);
    expect(one.outcomes).toEqual(['error']);
  });

  it('scales its backoff with time', async () => {
    let runs = 0;
    const failing: Reconcile = async () => {
      runs++;
      throw new Error('broken');
    };
    const one = aController(failing, { minBackoff: 6_000, maxBackoff: 6_000 }, 60);
    one.subject.enqueue('a');
    await one.clock.advance(100);
    expect(runs).toBe(2);
  });

  it('aborts a reconcile at its deadline', async () => {
    const one = aController(
      (_, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
      { deadline: 1_000 },
    );
    one.subject.enqueue('a');
    await one.clock.advance(999);
    expect(one.outcomes).toEqual([]);
    await one.clock.advance(1);
    expect(one.outcomes).toEqual(['timeout']);
    expect(String(one.lines.at(-1)?.fields?.error)).toContain('longer than its deadline of 1000 ms');
    expect(one.subject.stuck()).toEqual([]);
  });

  it('frees the worker, but not the key, of a reconcile that ignores its deadline', async () => {
    const door = gate();
    const seen: string[] = [];
    const one = aController(
      async (key) => {
        seen.push(key);
        return key === 'stuck' && seen.length === 1 ? door.passed : undefined;
      },
      { deadline: 1_000 },
    );
    one.subject.enqueue('stuck');
    one.subject.enqueue('next');
    await one.clock.advance(3_000);
    expect(one.outcomes).toEqual(['timeout', 'success']);
    expect(one.subject.stuck()).toEqual(['stuck']);
    one.subject.enqueue('stuck');
    await one.clock.advance(60_000);
    expect(seen).toEqual(['stuck', 'next']);
    door.open();
    await one.clock.advance(0);
    expect(seen).toEqual(['stuck', 'next', 'stuck']);
    expect(one.subject.stuck()).toEqual([]);
  });
});

describe('a controller that is stopped', () => {
  it('finishes what it has begun and begins nothing more', async () => {
    const door = gate();
    const seen: string[] = [];
    const one = aController(async (key) => {
      seen.push(key);
      return door.passed;
    });
    one.subject.enqueue('a');
    one.subject.enqueue('b');
    await one.clock.advance(0);
    one.abort.abort(new Error('stop'));
    await one.clock.advance(1_000);
    expect(one.hasEnded()).toBe(false);
    door.open();
    await one.running;
    expect(seen).toEqual(['a']);
    expect(one.outcomes).toEqual(['success']);
    expect(one.clock.pending).toBe(0);
  });

  it('aborts what has not finished after its time to drain', async () => {
    let aborted = false;
    const one = aController(
      (_, signal) =>
        new Promise((_, reject) =>
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(signal.reason);
          }),
        ),
      { drain: 5_000 },
    );
    one.subject.enqueue('a');
    await one.clock.advance(0);
    one.abort.abort(new Error('stop'));
    await one.clock.advance(4_999);
    expect(aborted).toBe(false);
    await one.clock.advance(1);
    await one.running;
    expect(aborted).toBe(true);
    expect(one.lines.some(({ level }) => level === 'error')).toBe(false);
  });

  it('aborts everything at once when it has lost leadership', async () => {
    let reason: unknown;
    const one = aController(
      (_, signal) =>
        new Promise((_, reject) =>
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(signal.reason);
          }),
        ),
    );
    one.subject.enqueue('a');
    await one.clock.advance(0);
    one.abort.abort(new LeadershipLost('the lease was lost'));
    await one.running;
    expect(reason).toBeInstanceOf(LeadershipLost);
  });

  it('ends even when a reconcile ignores its signal', async () => {
    const one = aController(() => new Promise(() => {}), { drain: 1_000 });
    one.subject.enqueue('a');
    await one.clock.advance(0);
    one.abort.abort(new Error('stop'));
    await one.clock.advance(3_000);
    await one.running;
    expect(one.subject.stuck()).toEqual(['a']);
  });
});
