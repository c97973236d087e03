import { type Access, callApi } from './access.ts';
import * as components from './components.ts';
import { type ProcessGroup, type RunningProcess, readyLimitMs } from './process-group.ts';
import { killProcess } from './process-table.ts';
import { waitFor } from './wait.ts';

/** One of the API servers of a control plane, as a test has it in hand: who asks it, and what may befall it. */
export interface ApiServer extends Access {
  /** The current process, or the last one. */
  process(): RunningProcess;
  /** SIGSTOP: it holds its connections and answers nothing, as a server does whose machine stalls. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** SIGKILL, and waits until it is gone: a crash. On SIGTERM it would linger for minutes. */
  kill(): Promise<void>;
  /** Starts it again on the same port and does not wait for it; kills it first if it still runs. */
  restart(): Promise<void>;
  /** Waits until it says that it is ready. */
  ready(): Promise<void>;
}

/** Takes an API server that runs in hand. `settings` are those it was started with. */
export function apiServerOf(
  group: ProcessGroup,
  { settings, access, first }: { settings: components.Settings; access: Access; first: RunningProcess },
): ApiServer {
  let running = first;
  const server = `https://127.0.0.1:${settings.ports.apiServer}`;
  const itself = { ...access, server };
  return {
    ...itself,
    process: () => running,
    pause: () => killProcess(running, 'SIGSTOP'),
    resume: () => killProcess(running, 'SIGCONT'),
    kill: () => running.kill(),
    async restart() {
      await running.kill();
      running = group.start({ ...components.apiServer(settings), name: first.name });
    },
    ready: async () => {
      await waitFor(`${first.name} to be ready`, { limitMs: readyLimitMs }, async () => {
        const answer = await callApi(itself, 'admin', 'GET', '/readyz').catch(() => undefined);
        return answer?.status === 200 || undefined;
      });
    },
  };
}
