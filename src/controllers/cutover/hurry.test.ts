import { describe, expect, it } from '@jest/globals';
import type { KubeClient, ReadOptions } from '../../kube/client.ts';
import { pods } from '../../kube/resources.ts';
import { hurried } from './hurry.ts';

/** A client that answers nothing until it is told to stop. */
function hanging(): KubeClient {
  const hang = (options: ReadOptions = {}) =>
    new Promise<never>((_, reject) =>
      options.signal?.addEventListener('abort', () => reject(options.signal?.reason), { once: true }),
    );
  return {
    get: (_resource: unknown, _name: unknown, options: ReadOptions) => hang(options),
    list: (_resource: unknown, options: ReadOptions) => hang(options),
  } as unknown as KubeClient;
}

describe('a client in a hurry', () => {
  it('gives a read up', async () => {
    const client = hurried(hanging(), 10);
    await expect(client.list(pods)).rejects.toMatchObject({ name: 'TimeoutError' });
    await expect(client.get(pods, 'a', { namespace: 'b' })).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('gives it up before that when it is told to', async () => {
    const given = AbortSignal.abort(new Error('the operator stops'));
    const asked = new AbortController();
    const reading = hurried(hanging(), 60_000).list(pods, { signal: asked.signal });
    asked.abort(given.reason);
    await expect(reading).rejects.toThrow('the operator stops');
  });
});
