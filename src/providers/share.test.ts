import { describe, expect, it } from '@jest/globals';
import { manualClock } from '../runtime/clock.ts';
import { share, shareEach } from './share.ts';

/** An asker whose answers come when told, numbered from 1. */
function asker() {
  const waiting: { resolve(): void; reject(error: Error): void }[] = [];
  let asked = 0;
  return {
    ask: () => {
      const number = ++asked;
      return new Promise<number>((resolve, reject) => waiting.push({ resolve: () => resolve(number), reject }));
    },
    answer: () => waiting.shift()!.resolve(),
    fail: () => waiting.shift()!.reject(new Error('no')),
    get asked() {
      return asked;
    },
  };
}

describe('a shared answer', () => {
  it('is asked for once by all who ask at the same time', async () => {
    const questions = asker();
    const shared = share(manualClock(), questions.ask);
    const answers = [shared(0), shared(0), shared(1000)];
    questions.answer();
    expect(await Promise.all(answers)).toEqual([1, 1, 1]);
    expect(questions.asked).toBe(1);
  });

  it('serves again while it is young enough, counted from its question', async () => {
    const clock = manualClock();
    const questions = asker();
    const shared = share(clock, questions.ask);
    const first = shared(0);
    await clock.advance(600);
    questions.answer();
    await first;
    await clock.advance(400);
    expect(await shared(1000)).toBe(1);
    await clock.advance(1);
    const second = shared(1000);
    questions.answer();
    expect(await second).toBe(2);
  });

  it('that is under way but too old already is followed by one more, for all who wait', async () => {
    const clock = manualClock();
    const questions = asker();
    const shared = share(clock, questions.ask);
    const first = shared(0);
    await clock.advance(500);
    const later = [shared(0), shared(100)];
    expect(questions.asked).toBe(1);
    questions.answer();
    expect(await first).toBe(1);
    await clock.advance(0);
    questions.answer();
    expect(await Promise.all(later)).toEqual([2, 2]);
    expect(questions.asked).toBe(2);
  });

  it('that failed is nobody’s later answer', async () => {
    const clock = manualClock();
    const questions = asker();
    const shared = share(clock, questions.ask);
    const first = shared(1000);
    const waiting = clock.advance(5).then(() => shared(0));
    await clock.advance(10);
    questions.fail();
    await expect(first).rejects.toThrow('no');
    await clock.advance(0);
    questions.answer();
    expect(await waiting).toBe(2);
    expect(await shared(1000)).toBe(2);
  });

  it('is kept per key, and the longest unused key is forgotten', async () => {
    const asked: string[] = [];
    const each = shareEach(manualClock(), 2, async (key) => asked.push(key));
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await each(key, 1000);
    expect(asked).toEqual(['a', 'b', 'c', 'b']);
  });
});
