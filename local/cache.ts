import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

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
 * beside it and renamed. A lock keeps a second process from doing the same work meanwhile.
 */
export async function ensureEntry(options: EntryOptions): Promise<string> {
  const { directory } = options;
  if (await exists(directory)) return directory;
  await mkdir(dirname(directory), { recursive: true });
  const unlock = await lock(options);
  try {
    if (await exists(directory)) return directory;
    await removeUnfinished(directory);
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

/**
 * Holds a socket in Linux's abstract namespace, named after the entry: two cannot hold it, and the kernel lets go of it when its holder
 * ends, whatever that dies of.
 */
async function lock({ directory, log }: EntryOptions): Promise<() => Promise<void>> {
  const name = `\0cluster-generations-${createHash('sha256').update(directory).digest('hex').slice(0, 32)}`;
  const deadline = Date.now() + lockLimitMs;
  for (let told = false; ; told = true) {
    const server = await tryToListen(name);
    if (server !== undefined) return () => new Promise((closed) => server.close(() => closed()));
    if (Date.now() > deadline) throw new Error(`another process has been preparing ${directory} for too long: end it`);
    if (!told) log(`waiting for another process that is preparing ${basename(dirname(directory))} already`);
    await sleep(200);
  }
}

function tryToListen(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('listening', () => resolve(server));
    server.once('error', (error) => {
      if ('code' in error && error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(name);
  });
}

/** What somebody who was interrupted left: only the holder of the lock builds. */
async function removeUnfinished(directory: string): Promise<void> {
  const prefix = `${basename(directory)}.building-`;
  const names = await readdir(dirname(directory));
  for (const name of names.filter((other) => other.startsWith(prefix))) {
    await rm(join(dirname(directory), name), { recursive: true, force: true });
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
