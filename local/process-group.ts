import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, killProcess, type ProcessIdentity, startTime } from './process-table.ts';
import { startReaper } from './reaper.ts';
import { waitFor } from './wait.ts';

export interface ProcessOptions {
  /** Names the log file and appears in messages: `kube-apiserver`. */
  name: string;
  command: string;
  args: ReadonlyArray<string>;
  /** Added to this process's own environment. */
  env?: Record<string, string>;
}

/** A program that was started, and its log. */
export interface RunningProcess extends ProcessIdentity {
  readonly name: string;
  readonly logFile: string;
  /** Settles when the program has ended, however that came about. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  running(): boolean;
  /** SIGKILL, then waits until it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL when it is still there after `graceMs` real ms. */
  terminate(graceMs: number): Promise<void>;
  /** What it has written since it was started, stdout and stderr together. */
  output(): string;
  /** The end of that. */
  lastLines(count: number): string;
}

/**
 * The programs that one owner starts and ends together. In: a directory. In it: a log per program under `logs/`, and the file
 * `processes`, a line "name pid start-time" each. None outlives the owner: when the owner ends without `killAll`, even by SIGKILL,
 * a small shell that was watching a pipe to it kills them all.
 */
export class ProcessGroup {
  readonly directory: string;
  readonly #list: string;
  readonly #processes = new Set<RunningProcess>();
  readonly #reaper: { release(): Promise<void> };

  /** @param removeOnDeath directories that the shell removes when the owner died without `killAll`; they must be the owner's own */
  constructor(directory: string, removeOnDeath: ReadonlyArray<string> = []) {
    this.directory = directory;
    this.#list = join(directory, 'processes');
    // The logs of an earlier group in the same directory would be taken for this one's.
    rmSync(join(directory, 'logs'), { recursive: true, force: true });
    mkdirSync(join(directory, 'logs'), { recursive: true });
    writeFileSync(this.#list, '');
    this.#reaper = startReaper(this.#list, removeOnDeath);
  }

  /** Starts a program. Its output is added to `logs/<name>.log`. */
  start({ name, command, args, env }: ProcessOptions): RunningProcess {
    const logFile = join(this.directory, 'logs', `${name}.log`);
    const log = openSync(logFile, 'a');
    const from = statSync(logFile).size;
    const child = spawn(command, [...args], { env: { ...process.env, ...env }, stdio: ['ignore', log, log] });
    closeSync(log);
    const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      child.once('error', (error) => {
        appendFileSync(logFile, `${error.message}\n`);
        resolve({ code: null, signal: null });
      });
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    const pid = child.pid ?? 0;
    const identity = { pid, started: startTime(pid) };
    if (pid !== 0) appendFileSync(this.#list, `${name} ${pid} ${identity.started}\n`);
    const output = () => readFileSync(logFile).subarray(from).toString();
    const running: RunningProcess = {
      ...identity,
      name,
      logFile,
      exited,
      running: () => child.exitCode === null && child.signalCode === null && isRunning(identity),
      kill: async () => {
        killProcess(identity);
        await exited;
      },
      terminate: async (graceMs) => {
        killProcess(identity, 'SIGTERM');
        const timer = setTimeout(() => killProcess(identity), graceMs);
        await exited;
        clearTimeout(timer);
      },
      output,
      lastLines: (count) => output().trimEnd().split('\n').slice(-count).join('\n'),
    };
    this.#processes.add(running);
    void exited.then(() => this.#processes.delete(running));
    return running;
  }

  /** Kills everything that was started here and still runs, and waits until it is gone. The group cannot be used again. */
  async killAll(): Promise<void> {
    await Promise.all([...this.#processes].map((running) => running.kill()));
    await this.#reaper.release();
  }
}

/**
 * How long a program may take to be ready, real ms. Each takes a few seconds on an idle machine. What ends or says no is seen at once:
 * this is only for what hangs, and far above what two cores need that others keep busy.
 */
export const readyLimitMs = 300_000;

/**
 * Waits until `look` finds what shows that a program is ready.
 *
 * @throws Error with the last lines of its log when the program ends first, or the limit passes
 */
export async function waitUntilReady<T>(
  running: RunningProcess,
  limitMs: number,
  look: () => Promise<T | undefined>,
): Promise<T> {
  try {
    return await waitFor(`${running.name} to be ready`, { limitMs }, async () => {
      const found = await look();
      if (found !== undefined || running.running()) return found;
      await running.exited;
      throw new Error(`${running.name} ended at its start`);
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${message}. The end of its log:\n${running.lastLines(12)}`, { cause: error });
  }
}
