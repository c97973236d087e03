import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, startTime } from './process-table.ts';

/** Where this machine keeps what is expensive to build: `$XDG_CACHE_HOME/cluster-generations`, outside the tree. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(base, 'cluster-generations');
}

export interface EntryOptions {
  /** Final path of the entry. Its name must be a hash of everything that goes into it: an entry that exists is never looked into. */
  directory: string;
  /** Fills the directory it is given; that directory becomes the entry when this has returned. */
  build: (directory: string) => Promise<void>;
  /** Told once when another process is building the same entry. */
  log: (line: string) => void;
}

/**
 * Returns the entry's path, building it first if it is not there. An entry is either whole or absent: it is built in a directory
 * beside it and renamed. A lock keeps a second process from doing the same work; correctness rests on the rename alone, so a lock
 * whose owner has died is simply removed.
 */
export async function ensureEntry(options: EntryOptions): Promise<string> {
  const { directory } = options;
  if (await exists(directory)) return directory;
  await mkdir(dirname(directory), { recursive: true });
  const unlock = await lock(options);
  try {
    if (await exists(directory)) return directory;
    const temporary = await mkdtemp(`${directory}.building-`);
    try {
      await options.build(temporary);
      await publish(temporary, directory);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    return directory;
  } finally {
    await unlock();
  }
}

async function publish(temporary: string, directory: string): Promise<void> {
  try {
    await rename(temporary, directory);
  } catch (error) {
    // Somebody else was first: theirs is made of the same things.
    if (!(await exists(directory))) throw error;
  }
}

/** The slowest entry takes some minutes on two cores; whoever waits longer than this has found a builder that hangs. */
const lockLimitMs = 45 * 60_000;

async function lock({ directory, log }: EntryOptions): Promise<() => Promise<void>> {
  const file = `${directory}.lock`;
  const mine = `${process.pid} ${startTime(process.pid)}`;
  const deadline = Date.now() + lockLimitMs;
  for (let told = false; ; ) {
    try {
      await writeFile(file, mine, { flag: 'wx' });
      return () => rm(file, { force: true });
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    const owner = await readFile(file, 'utf8').catch(() => '');
    const [pid, started] = owner.split(' ');
    if (owner !== '' && !isRunning({ pid: Number(pid), started: started ?? '' })) {
      await rm(file, { force: true });
      continue;
    }
    if (Date.now() > deadline) throw new Error(`process ${pid} holds ${file} for too long: end it, or remove the file`);
    if (!told) log(`waiting for process ${pid}, which is preparing ${basename(dirname(directory))} already`);
    told = true;
    await sleep(200);
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
