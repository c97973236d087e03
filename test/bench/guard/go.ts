import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { go, goVersion } from '../../../local/binaries/go.ts';
import { cacheDirectory, ensureEntry } from '../../../local/cache.ts';

const FLAGS = ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w'];

/** Path of the program in go/, controller-runtime's webhook and the client of both, built once per state of its sources. */
export async function buildGo(say: (line: string) => void): Promise<string> {
  const folder = join(import.meta.dirname, 'go');
  const names = (await readdir(folder)).toSorted();
  const files = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  const inputs = JSON.stringify([FLAGS, await goVersion(folder), names, ...files]);
  const directory = join(cacheDirectory(), 'bench-guard', createHash('sha256').update(inputs).digest('hex'));
  await ensureEntry({
    directory,
    log: say,
    async build(into) {
      say('building the controller-runtime webhook, first time only, about two minutes');
      await go(folder, [...FLAGS, '-o', join(into, 'bench'), '.']);
    },
  });
  return join(directory, 'bench');
}
