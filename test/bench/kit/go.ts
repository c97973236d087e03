import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { go, goVersion } from '../../../local/binaries/go.ts';
import { cacheDirectory, ensureEntry } from '../../../local/cache.ts';

const FLAGS = ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w'];

/** Path of the controller-runtime program in go/, built once per state of its sources and kept outside the tree. */
export async function buildGo(say: (line: string) => void): Promise<string> {
  const folder = join(import.meta.dirname, 'go');
  const files = await Promise.all(['go.mod', 'go.sum', 'main.go'].map((file) => readFile(join(folder, file), 'utf8')));
  const inputs = JSON.stringify([FLAGS, await goVersion(folder), ...files]);
  const directory = join(cacheDirectory(), 'bench-kit', createHash('sha256').update(inputs).digest('hex'));
  await ensureEntry({
    directory,
    log: say,
    async build(into) {
      say('building the controller-runtime program, first time only, about two minutes');
      await go(folder, [...FLAGS, '-o', join(into, 'bench'), '.']);
    },
  });
  return join(directory, 'bench');
}
