import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { uniqueName } from '../../../local/testing.ts';
import { flips, protections } from './flips.ts';
import { eventually, type Ground, must, pathOf, type Server, startGround } from './ground.ts';
import { aGeneration, aSite, letsGo, protects, reserved, type Site } from './site.ts';

/** Protect early, unprotect late: shown on two API servers that share one etcd, one of which stalls when it hurts most. */

jest.setTimeout(120_000);

let ground: Ground;
let site: Site;

beforeAll(async () => {
  ground = await startGround();
}, 180_000);
afterAll(() => ground?.stop());
beforeEach(async () => {
  site = await aSite(ground, uniqueName('lag'));
});

/** Deletions that are sent while a server stands still. */
const WAITING = 6;
const ROUNDS = 15;

/**
 * The worst moment: `write` is acknowledged by the first API server while the second stands still, deletions reach the second, and
 * then it goes on, with a cache from before.
 */
async function stalled<T>(write: () => Promise<unknown>, act: () => Promise<T>): Promise<T[]> {
  const { api } = ground.second;
  api.pause();
  const acts: Promise<T>[] = [];
  try {
    await write();
    for (let sent = 0; sent < WAITING; sent++) acts.push(act());
    // The first server answers a request that was sent after them: they have left this process.
    await must(200, ground.first.admin.call('GET', pathOf.platform(site.platform)));
  } finally {
    api.resume();
  }
  return Promise.all(acts);
}

/** Opens the connections of a client, so that a deletion is only to be written when its server stands still. */
const warm = ({ admin }: Server) =>
  Promise.all(Array.from({ length: WAITING }, () => admin.call('GET', pathOf.platform(site.platform))));

const goes = (at: Server, path: string) => () => letsGo(at, path);

describe('a ClusterGeneration', () => {
  it.each([4, 5])('protected by its own status is never let go after that was written (%#)', async (index) => {
    const found = await flips(site, protections(ground)[index]!, 40);
    expect(found).toHaveLength(40);
    expect(found.filter(({ allowed }) => allowed > 0)).toEqual([]);
  });

  it('that was reserved while an API server stood still is not let go by it', async () => {
    const { first, second } = ground;
    for (let round = 0; round < ROUNDS; round++) {
      await reserved(first, site.generation, null);
      const path = pathOf.generation(site.generation);
      await eventually('the second server to let it go', goes(second, path));
      await warm(second);
      const let_ = await stalled(() => reserved(first, site.generation, 'to-next'), goes(second, path));
      expect(let_).toEqual(Array(WAITING).fill(false));
    }
  });

  it.each([
    ['without a finalizer', undefined],
    ['with one', ['generations.dev/machines']],
  ])('%s survives real deletions then', async (_, finalizers) => {
    const { first, second } = ground;
    for (let round = 0; round < ROUNDS; round++) {
      const generation = uniqueName('ga');
      const path = pathOf.generation(generation);
      const collection = path.slice(0, path.lastIndexOf('/'));
      const created = await must(
        201,
        first.admin.call('POST', collection, aGeneration({ platform: site.platform, generation }, finalizers)),
      );
      await eventually('the second server to have it', goes(second, path));
      await warm(second);
      const answers = await stalled(
        () => reserved(first, generation, 'to-next'),
        () => second.admin.call('DELETE', path),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array(WAITING).fill(403));
      const { metadata } = await must(200, first.admin.call('GET', path));
      expect([metadata.uid, metadata.deletionTimestamp]).toEqual([created.metadata.uid, undefined]);
    }
  });
});

/** Protects the generation, and returns when a deletion is refused at every API server: what the operator does before traffic moves. */
async function protectedEverywhere() {
  await protects(ground.first, site, [site.generation]);
  for (const server of [ground.first, ground.second])
    for (const path of [pathOf.pool(site.pool), pathOf.node(site.node)])
      await eventually(`the protection of ${path} to be seen`, async () => !(await letsGo(server, path)));
}

describe.each(['pool', 'node'] as const)('a %s, which only a parameter protects,', (kind) => {
  const path = () => pathOf[kind](site[kind]);

  it('is not let go by an API server that stalls after the protection was seen on all', async () => {
    const { first, second } = ground;
    for (let round = 0; round < ROUNDS; round++) {
      await protects(first, site, []);
      await eventually('the second server to let it go', goes(second, path()));
      await protectedEverywhere();
      await warm(second);
      // What the cutover writes next, with the second server still.
      const next = () => reserved(first, site.generation, `to-${round}`);
      expect(await stalled(next, goes(second, path()))).toEqual(Array(WAITING).fill(false));
      await reserved(first, site.generation, null);
    }
  });

  it('is not seen as protected at an API server that stands still', async () => {
    const { first, second } = ground;
    await protects(first, site, []);
    await eventually('the second server to let it go', goes(second, path()));
    await warm(second);
    let seen = false;
    second.api.pause();
    await protects(first, site, [site.generation]);
    const look = letsGo(second, path()).then((let_) => {
      seen = !let_;
    });
    await eventually('the first server to refuse', async () => !(await letsGo(first, path())));
    expect(seen).toBe(false);
    second.api.resume();
    await look;
    await protectedEverywhere();
    expect(await letsGo(second, path())).toBe(false);
  });

  it('is let go again only when the unprotecting write has been sent', async () => {
    const { first, second } = ground;
    for (let round = 0; round < ROUNDS; round++) {
      await protectedEverywhere();
      let written = Number.POSITIVE_INFINITY;
      const hammer = async (server: Server) => {
        for (;;) if (await letsGo(server, path())) return performance.now();
      };
      const hammers = Promise.all([hammer(first), hammer(second)]);
      // Late: what was protected is given up first, and only then the protection.
      await reserved(first, site.generation, null);
      written = performance.now();
      await protects(first, site, []);
      for (const let_ of await hammers) expect(let_).toBeGreaterThan(written);
    }
  });
});
