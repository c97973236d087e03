import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cacheDirectory, ensureEntry } from './cache.ts';
import { waitFor } from './wait.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cache-test-'));
});
afterEach(() => rm(folder, { recursive: true }));

const quiet = () => {};

describe('the cache outside the tree', () => {
  it('follows XDG_CACHE_HOME, and is below the home directory without it', () => {
    expect(cacheDirectory({ XDG_CACHE_HOME: '/elsewhere' })).toBe('/elsewhere/cluster-generations');
    expect(cacheDirectory({})).toMatch(/\/\.cache\/cluster-generations$/);
  });

  it('builds an entry once, even for two who ask at the same time', async () => {
    const directory = join(folder, 'entry');
    const lines: string[] = [];
    let builds = 0;
    const ask = () =>
      ensureEntry({
        directory,
        log: (line) => lines.push(line),
        async build(into) {
          builds += 1;
          await writeFile(join(into, 'part'), 'one');
          // The other one must have come to the lock before this ends.
          await waitFor('the other', { limitMs: 4_000, everyMs: 5 }, async () => lines[0]);
          await writeFile(join(into, 'rest'), 'two');
        },
      });
    expect(await Promise.all([ask(), ask()])).toEqual([directory, directory]);
    expect(builds).toBe(1);
    expect(lines).toEqual([expect.stringMatching(/^waiting for another process/)]);
    expect(await readdir(directory)).toEqual(['part', 'rest']);
  });

  it('leaves nothing of a build that failed, and builds again the next time', async () => {
    const directory = join(folder, 'entry');
    const failing = async (into: string) => {
      await writeFile(join(into, 'part'), '');
      throw new Error('no compiler');
    };
    await expect(ensureEntry({ directory, log: quiet, build: failing })).rejects.toThrow('no compiler');
    expect(await readdir(folder)).toEqual([]);
    await ensureEntry({ directory, log: quiet, build: (into) => writeFile(join(into, 'whole'), 'yes') });
    expect(await readFile(join(directory, 'whole'), 'utf8')).toBe('yes');
  });

  it('removes what an interrupted build left beside the entry', async () => {
    const directory = join(folder, 'entry');
    await mkdtemp(`${directory}.building-`);
    await ensureEntry({ directory, log: quiet, build: (into) => writeFile(join(into, 'whole'), '') });
    expect(await readdir(folder)).toEqual(['entry']);
  });
});
