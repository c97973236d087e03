import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SetupError } from '../errors.ts';

/** Ours on top of the caller's: what decides about the result must not depend on a person's Go settings. */
const settings = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off', GOOS: 'linux', GOARCH: 'amd64' };

/**
 * Runs the Go command in a module's folder and returns what it wrote to stdout.
 *
 * @throws SetupError when there is no `go` on the PATH; Error with the last lines of its output when it fails
 */
export async function go(folder: string, args: ReadonlyArray<string>): Promise<string> {
  const child = spawn('go', [...args], {
    cwd: folder,
    env: { ...process.env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', () =>
      reject(
        new SetupError(
          'Go is missing: the local control plane is built with it. Install Go from https://go.dev/dl and put it on the PATH.',
        ),
      ),
    );
    child.once('close', resolve);
  });
  if (status === 0) return stdout;
  const tail = stderr.trimEnd().split('\n').slice(-12).join('\n');
  throw new Error(`go ${args.slice(0, 2).join(' ')} failed in ${folder}:\n${tail}`);
}

/**
 * The version of Go that builds in this folder, such as `go1.26.8` (a newer toolchain than the installed one if Go is set to fetch it).
 *
 * @throws SetupError when Go is missing, or older than the `go` line of go.mod and not allowed to fetch a newer one
 */
export async function goVersion(folder: string): Promise<string> {
  try {
    return (await go(folder, ['env', 'GOVERSION'])).trim();
  } catch (error) {
    if (error instanceof SetupError) throw error;
    const needed = /^go (\S+)$/m.exec(await readFile(join(folder, 'go.mod'), 'utf8'))?.[1] ?? 'a newer version';
    throw new SetupError(
      `Go is too old: the local control plane needs Go ${needed}. Install it from https://go.dev/dl, or allow Go to fetch it with GOTOOLCHAIN=auto.`,
    );
  }
}
