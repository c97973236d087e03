import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as components from './components.ts';
import type { ProcessGroup, RunningProcess } from './process-group.ts';
import { killProcess } from './process-table.ts';

/** The etcd of a control plane, as a test has it in hand. */
export interface Etcd {
  process(): RunningProcess;
  /** Copies all that it has written into `directory`, which must not exist. It stands still meanwhile, some ms, and goes on. */
  snapshot(directory: string): Promise<void>;
  /** Kills it and starts it with what a snapshot holds. An API server on it must not run meanwhile: its caches would be from the future. */
  restore(directory: string): Promise<void>;
}

/** Takes an etcd that runs in hand. `settings` are those it was started with. */
export function etcdOf(group: ProcessGroup, settings: components.Settings, first: RunningProcess): Etcd {
  let running = first;
  const data = join(settings.directory, 'etcd');
  return {
    process: () => running,
    async snapshot(directory) {
      // Stopped at any instant, its files are what a crash would leave at worst, and it recovers from those.
      killProcess(running, 'SIGSTOP');
      try {
        await cp(data, directory, { recursive: true, errorOnExist: true, force: false });
      } finally {
        killProcess(running, 'SIGCONT');
      }
    },
    async restore(directory) {
      await running.kill();
      await rm(data, { recursive: true, force: true });
      await cp(directory, data, { recursive: true });
      running = group.start(components.etcd(settings));
    },
  };
}
