import { describe, expect, it } from '@jest/globals';
import { waitWhileProgressing } from './wait.ts';

/** A clock that moves by what is slept, and a wait on it that looks every second. */
function waiting(arrivesAt: number, markAt: (second: number) => string) {
  let now = 0;
  const time = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  const limits = { limitMs: 600_000, stallMs: 60_000, everyMs: 1_000, markEveryMs: 5_000, time };
  return waitWhileProgressing(
    'the machines',
    limits,
    async () => (now >= arrivesAt ? now : undefined),
    async () => markAt(now / 1_000),
  );
}

describe('a wait by progress', () => {
  it('goes on for as long as something moves, however slowly', async () =>
    expect(await waiting(590_000, (second) => String(Math.floor(second / 50)))).toBe(590_000));

  it('ends when nothing has moved for a time, and says so', async () => {
    const stalled = waiting(590_000, (second) => String(Math.min(second, 100)));
    await expect(stalled).rejects.toThrow('waited 160 s for the machines, and nothing has moved for 60 s');
  });

  it('ends when it moves for ever and does not arrive', async () =>
    await expect(waiting(Number.POSITIVE_INFINITY, String)).rejects.toThrow(/^waited 600 s for the machines$/));

  it('ends at once with what a look throws', async () => {
    const time = { now: () => 0, sleep: async () => {} };
    const limits = { limitMs: 1, stallMs: 1, markEveryMs: 1, time };
    const look = async () => {
      throw new Error('gone');
    };
    await expect(waitWhileProgressing('it', limits, look, async () => '')).rejects.toThrow('gone');
  });
});
