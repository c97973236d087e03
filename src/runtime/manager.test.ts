import { describe, expect, it } from '@jest/globals';
import { manualClock } from './clock.ts';
import { silent } from './logger.ts';
import { type ManagerOptions, manager } from './manager.ts';
import { LeadershipLost, type Runnable } from './runnable.ts';

/** Parts that note what happens to them, and a manager over them. */
function aManager(options: Partial<ManagerOptions> = {}) {
  const clock = manualClock();
  const story: string[] = [];
  const part = (name: string, over?: Promise<unknown>): Runnable => ({
    name,
    start(signal) {
      story.push(`${name} starts`);
      return new Promise((resolve, reject) => {
        const stop = () => {
          story.push(`${name} stops`);
          resolve();
        };
        signal.addEventListener('abort', stop);
        over?.then(() => {
          signal.removeEventListener('abort', stop);
          resolve();
        }, reject);
      });
    },
  });
  const synced = Promise.withResolvers<void>();
  const elected = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<void>();
  const subject = manager({
    clock,
    log: silent,
    servers: [part('server')],
    caches: [Object.assign(part('cache'), { synced: synced.promise, lastError: new Error('no such kind') })],
    election: Object.assign(part('lease', lost.promise), { elected: elected.promise }),
    controllers: [part('controller')],
    ...options,
  });
  const abort = new AbortController();
  const ended = subject.run(abort.signal);
  const outcome = ended.then(
    () => 'stopped',
    (error: unknown) => error,
  );
  const settle = () => clock.advance(0);
  return { clock, story, synced, elected, lost, subject, abort, outcome, settle };
}

describe('a manager', () => {
  it('starts servers and caches, waits for them, then leads, then starts controllers; and stops in reverse', async () => {
    const one = aManager();
    await one.settle();
    expect(one.story).toEqual(['server starts', 'cache starts']);
    expect(one.subject.ready()).toBe(false);
    one.synced.resolve();
    await one.settle();
    expect(one.story.slice(2)).toEqual(['lease starts']);
    expect([one.subject.ready(), one.subject.leading()]).toEqual([true, false]);
    one.elected.resolve();
    await one.settle();
    expect(one.story.slice(3)).toEqual(['controller starts']);
    expect(one.subject.leading()).toBe(true);
    one.story.length = 0;
    one.abort.abort(new Error('SIGTERM'));
    expect(await one.outcome).toBe('stopped');
    expect(one.story).toEqual(['controller stops', 'lease stops', 'cache stops', 'server stops']);
    expect([one.subject.ready(), one.subject.leading()]).toEqual([false, false]);
    expect(one.clock.pending).toBe(0);
  });

  it('stops controllers and reports it when the lease is lost', async () => {
    const one = aManager();
    one.synced.resolve();
    one.elected.resolve();
    await one.settle();
    one.lost.resolve();
    expect(await one.outcome).toBeInstanceOf(LeadershipLost);
    expect(one.story.slice(-3)).toEqual(['controller stops', 'cache stops', 'server stops']);
  });

  it('can be stopped while it waits for caches', async () => {
    const one = aManager();
    await one.settle();
    one.abort.abort(new Error('SIGTERM'));
    expect(await one.outcome).toBe('stopped');
    expect(one.story).toEqual(['server starts', 'cache starts', 'cache stops', 'server stops']);
    expect(one.clock.pending).toBe(0);
  });

  it('can be stopped while it waits to lead', async () => {
    const one = aManager();
    one.synced.resolve();
    await one.settle();
    one.abort.abort(new Error('SIGTERM'));
    expect(await one.outcome).toBe('stopped');
    expect(one.story.slice(-3)).toEqual(['lease stops', 'cache stops', 'server stops']);
  });

  it('gives up on caches that are not complete in time, and says which and why', async () => {
    const one = aManager({ syncTimeout: 1_000 });
    await one.clock.advance(1_000);
    expect(String(await one.outcome)).toContain('not read after 1 s: cache (no such kind)');
  });

  it('stops everything when one part fails, and names it', async () => {
    const failing = Promise.withResolvers<never>();
    const broken: Runnable = { name: 'port 80', start: () => failing.promise };
    const one = aManager({ servers: [broken] });
    failing.reject(new Error('address in use'));
    expect(String(await one.outcome)).toContain('port 80: address in use');
    expect(one.story).toContain('cache stops');
  });

  it('does not wait for ever for a part that does not stop', async () => {
    const deaf: Runnable = { name: 'deaf', start: () => new Promise(() => {}) };
    const one = aManager({ servers: [deaf], stopTimeout: 2_000 });
    await one.settle();
    one.abort.abort(new Error('SIGTERM'));
    await one.clock.advance(2_000);
    expect(String(await one.outcome)).toContain('not everything had stopped after 2000 ms');
  });
});
