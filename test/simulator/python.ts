import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensurePython } from '../../local/python.ts';

const execute = promisify(execFile);

/** Long enough for the first run, which installs the packages. Real ms. */
export const PYTHON_LIMIT = 10 * 60_000;

/** Runs a script of this folder with the packages of requirements.txt and returns the JSON that it prints. */
export async function runPython<T>(script: string, args: string[]): Promise<T> {
  const python = await ensurePython({ log: (line) => process.stderr.write(`${line}\n`) });
  const { stdout } = await execute(python, [join(import.meta.dirname, script), ...args], {
    maxBuffer: 64 * 1024 * 1024,
    timeout: 120_000,
    // Neither the user's configuration nor their credentials have a part in this.
    env: { PATH: process.env.PATH, AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' },
  });
  return JSON.parse(stdout) as T;
}
