import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from '../../src/kube/resources.ts';
import { tasks } from './cast.ts';
import type { Stage } from './stage.ts';

/** Somebody who keeps counting users' always-on tasks: how many run, and whether one ever runs twice. */
export interface TaskWatch {
  /** Ends the counting. */
  stop(): Promise<TaskLook[]>;
}

export interface TaskLook {
  /** Real ms since the epoch. */
  at: number;
  /** Tasks of which a copy runs. */
  running: number;
  /** Names of tasks of which more than one does. */
  twice: string[];
}

/** Real ms between looks. */
const everyMs = 300;

export function watchTasks(stage: Stage): TaskWatch {
  const ended = new AbortController();
  const looks: TaskLook[] = [];
  const counting = (async () => {
    while (!ended.signal.aborted) {
      const list = await stage
        .read<{ items: Pod[] }>(`/api/v1/namespaces/${tasks.namespace}/pods`)
        .catch(() => undefined);
      // An API server that is silent says nothing of tasks.
      if (list) looks.push({ at: Date.now(), ...countOf(list.items) });
      await sleep(everyMs, undefined, { signal: ended.signal }).catch(() => {});
    }
  })();
  return {
    async stop() {
      ended.abort();
      await counting;
      return looks;
    },
  };
}

/** A copy runs as long as a container of it does, whatever else its object says. */
export function countOf(pods: readonly Pod[]): Omit<TaskLook, 'at'> {
  const running = pods.filter(({ status }) => status?.containerStatuses?.some(({ state }) => state?.running));
  const byTask = Map.groupBy(running, ({ metadata }) => metadata.labels?.app ?? '');
  const twice = [...byTask].filter(([, copies]) => copies.length > 1).map(([task]) => task);
  return { running: byTask.size, twice };
}
