import { describe, expect, it } from '@jest/globals';
import { keepRunning } from './keeper.ts';
import type { RunningProcess } from './process-group.ts';

/** A program whose processes run for so many ms each, the last for ever, on a clock that moves by what passes. */
function kept(lifetimes: number[]) {
  let now = 0;
  const lines: string[] = [];
  const pauses: number[] = [];
  const steady = Promise.withResolvers<void>();
  const begin = (): RunningProcess => {
    const lifetime = lifetimes.shift();
    if (lifetime === undefined) steady.resolve();
    const ended = async () => {
      now += lifetime ?? 0;
      return { code: 1, signal: null };
    };
    const exited = lifetime === undefined ? new Promise<never>(() => {}) : Promise.resolve().then(ended);
    const about = { name: 'operator', logFile: 'operator.log', lastLines: () => 'the lease was lost' };
    return { ...about, exited } as unknown as RunningProcess;
  };
  let running = begin();
  const time = {
    now: () => now,
    sleep: async (ms: number) => {
      pauses.push(ms);
      now += ms;
    },
  };
  const start = () => {
    const program = {
      process: () => running,
      restart: async () => {
        running = begin();
      },
    };
    return keepRunning(program, { log: (line) => lines.push(line), time });
  };
  return { start, steady: steady.promise, lines, pauses, pass: (ms: number) => (now += ms) };
}

describe('a program that is kept running', () => {
  it('is started again when it ends, and that is said', async () => {
    const { start, steady, lines, pauses } = kept([90_000]);
    const keeper = start();
    await steady;
    expect(keeper.restarts()).toBe(1);
    expect(pauses).toEqual([1_000]);
    expect(lines).toEqual(['the operator ended (status 1), and is started again in 1 s. Its log: operator.log']);
    expect(keeper.trouble()).toBeUndefined();
  });

  it('is started again later and later, within a bound, and at once again after it has stayed up', async () => {
    const { start, steady, pauses } = kept([0, 0, 0, 0, 0, 0, 0, 60_000, 0]);
    start();
    await steady;
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 1_000, 2_000]);
  });

  it('is a failure when it ends again and again, with the end of its log, until it stays up', async () => {
    const { start, steady, lines, pass } = kept([0, 0, 0, 0, 0, 0, 0, 0]);
    const keeper = start();
    await steady;
    const trouble =
      'the operator does not stay up: it has ended 8 times in a row, the last time with status 1. The end of its log:\nthe lease was lost';
    expect(keeper.trouble()).toBe(trouble);
    expect(lines.at(-1)).toBe(trouble);
    pass(60_000);
    expect(keeper.trouble()).toBeUndefined();
  });

  it('stays down once it is told to', async () => {
    const { start, lines, pauses } = kept([0]);
    start().stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect([lines, pauses]).toEqual([[], []]);
  });
});
