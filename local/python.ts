import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory, ensureEntry } from './cache.ts';
import { type CommandResult, runCommand } from './command.ts';
import { SetupError } from './errors.ts';
import { paths } from './paths.ts';

/**
 * Returns the path of a Python that has the packages of a requirements file: a virtual environment in the cache outside the tree, named by
 * the hash of the file and Python's version, made the first time it is asked for.
 *
 * @throws SetupError when there is no python3 with venv; Error when pip fails, with the end of what it said
 */
export async function ensurePython(options: { log: (line: string) => void; requirements?: string }): Promise<string> {
  const { log, requirements = paths.pythonRequirements } = options;
  const version = await pythonVersion();
  const hash = createHash('sha256')
    .update(version)
    .update(await readFile(requirements))
    .digest('hex');
  const directory = await ensureEntry({
    directory: join(cacheDirectory(), 'python', hash),
    log,
    async build(into) {
      log('installing the Python packages that check the simulator, first time only, about a minute ...');
      check(
        await python(['-m', 'venv', into]),
        'python3 -m venv',
        new SetupError('Python is there but cannot make virtual environments: install python3-venv.'),
      );
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
      check(await runCommand(join(into, 'bin', 'python'), pip, { limitMs: 15 * 60_000 }), 'pip install');
      await relocate(into, join(cacheDirectory(), 'python', hash));
    },
  });
  return join(directory, 'bin', 'python');
}

async function pythonVersion(): Promise<string> {
  return check(await python(['-c', 'import sys; print(sys.version)']), 'python3').stdout;
}

async function python(args: string[]): Promise<CommandResult> {
  try {
    return await runCommand('python3', args, { limitMs: 120_000 });
  } catch {
    throw new SetupError(
      'Python 3 is missing: the tests of the simulator need it. Install python3 and put it on the PATH.',
    );
  }
}

function check(result: CommandResult, what: string, failure?: Error): CommandResult {
  if (result.status === 0) return result;
  throw failure ?? new Error(`${what} failed:\n${result.stderr.trimEnd().split('\n').slice(-12).join('\n')}`);
}

/** Scripts in a virtual environment name its path; it was made beside the place where it will stand. */
async function relocate(from: string, to: string): Promise<void> {
  const files = await readdir(join(from, 'bin'), { withFileTypes: true });
  for (const file of files.filter((entry) => entry.isFile())) {
    const path = join(from, 'bin', file.name);
    const text = await readFile(path, 'utf8');
    if (text.includes(from)) await writeFile(path, text.replaceAll(from, to));
  }
}
