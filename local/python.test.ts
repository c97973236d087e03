import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCommand } from './command.ts';
import { ensurePython } from './python.ts';

let folder: string;
const cache = process.env.XDG_CACHE_HOME;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'python-test-'));
  process.env.XDG_CACHE_HOME = folder;
});
afterEach(async () => {
  if (cache === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cache;
  await rm(folder, { recursive: true });
});

describe('the Python of the tests', () => {
  it('is made once, stands outside the tree and knows its own place', async () => {
    const requirements = join(folder, 'requirements.txt');
    await writeFile(requirements, '# nothing\n');
    const lines: string[] = [];
    const ensure = () => ensurePython({ requirements, log: (line) => lines.push(line) });
    const python = await ensure();
    expect(await ensure()).toBe(python);
    expect(lines).toEqual([expect.stringContaining('first time only')]);
    const { stdout } = await runCommand(python, ['-c', 'import sys; print(sys.prefix)']);
    expect(stdout.trim()).toBe(dirname(dirname(python)));
    // A script names the interpreter by its path.
    expect(await runCommand(join(dirname(python), 'pip'), ['--version'])).toMatchObject({ status: 0 });
  }, 60_000);
});
