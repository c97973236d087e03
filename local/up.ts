import { fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Binaries, ensureBinaries } from './binaries/build.ts';
import { describeFailure, SetupError } from './errors.ts';
import { paths } from './paths.ts';
import type { SupervisorMessage } from './supervisor.ts';
import { findSupervisor } from './supervisor-file.ts';

/**
 * `make up`: starts the local environment, prints what is happening, ends when it is ready. A supervisor stays behind until
 * `make down`. The last line is the one to copy into a shell.
 */
const { values } = parseArgs({
  options: {
    directory: { type: 'string', default: paths.state },
    'control-plane-only': { type: 'boolean', default: false },
    'time-scale': { type: 'string', default: '1' },
  },
});

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function usage(directory: string): string {
  return `export KUBECONFIG=${join(directory, 'kubeconfigs', 'admin.yaml')}`;
}

/** Puts kubectl and Helm, as built for this control plane, where people find them. */
function linkClients(directory: string, { kubectl, helm }: Binaries): void {
  const folder = join(directory, 'bin');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const program of [kubectl, helm]) symlinkSync(program, join(folder, basename(program)));
}

/** Starts the supervisor in a session of its own, and waits for its word. */
async function startSupervisor(
  directory: string,
  args: string[],
): Promise<Extract<SupervisorMessage, { type: 'ready' }>> {
  mkdirSync(directory, { recursive: true });
  const log = openSync(join(directory, 'up.log'), 'w');
  const program = join(import.meta.dirname, 'supervisor.ts');
  const child = fork(program, [directory, ...args], { detached: true, stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  try {
    return await new Promise((resolve, reject) => {
      child.on('message', (message: SupervisorMessage) => {
        if (message.type === 'log') print(message.line);
        else if (message.type === 'ready') resolve(message);
        else reject(message.status === 2 ? new SetupError(message.message) : new Error(message.message));
      });
      child.once('error', reject);
      child.once('exit', (code, signal) =>
        reject(new Error(`the supervisor ended (${signal ?? code}): see ${directory}/up.log`)),
      );
    });
  } finally {
    child.removeAllListeners();
    if (child.connected) child.disconnect();
    child.unref();
  }
}

try {
  const { directory } = values;
  const running = findSupervisor(directory);
  if (running === undefined) {
    // Here and not only in the supervisor, so that Ctrl-C ends a long build.
    const binaries = await ensureBinaries({ log: print });
    linkClients(directory, binaries);
    const parts = values['control-plane-only'] ? 'control-plane' : 'all';
    const { simulatorUrl } = await startSupervisor(directory, [parts, values['time-scale']]);
    if (simulatorUrl !== undefined)
      process.stdout.write(
        `The simulated cloud answers at ${simulatorUrl}; what happened there: ${simulatorUrl}/ledger\n`,
      );
    process.stdout.write(`kubectl and helm are in ${join(directory, 'bin')}\n`);
    process.stdout.write('Up until `make down`. To use it:\n');
  } else {
    process.stdout.write(`Already up (process ${running.pid}). To use it:\n`);
  }
  process.stdout.write(`${usage(directory)}\n`);
} catch (error) {
  const { message, status } = describeFailure(error);
  process.stderr.write(`${message}\n`);
  process.exitCode = status;
}
