import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningProcess } from './process-group.ts';

/**
 * Starts a program again when it ends, as a Deployment's pod is: after a second, then two, then four, up to thirty. In: the program,
 * and where to say so. Out: whether it is one that ends again and again, which is a failure however often it is started.
 */
export interface Keeper {
  /** Why it is of no use to wait for the program, with the end of its log; undefined while it runs, or may come back. */
  trouble(): string | undefined;
  /** How often it was started again. */
  restarts(): number;
  /** From now on its end is its end. */
  stop(): void;
}

export interface Kept {
  /** The current process, or the last one. */
  process(): RunningProcess;
  /** Starts it again and does not wait for it. */
  restart(): Promise<void>;
}

export interface KeeperOptions {
  log(line: string): void;
  /** Another clock, for tests: ms of any steady one. */
  time?: { now(): number; sleep(ms: number): Promise<unknown> };
}

/** Real ms. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;
/** A process that has run for so long has come up, whatever ends it then. Real ms. */
const STEADY = 60_000;
/**
 * Ends in a row, each of a process that had not come up, that make a crash loop: a minute and a half of crashes at the start. An operator that
 * loses its lease now and then, because the machine is so busy, is none.
 */
const LOOP = 8;

export function keepRunning(
  kept: Kept,
  { log, time = { now: () => performance.now(), sleep } }: KeeperOptions,
): Keeper {
  let stopped = false;
  let restarts = 0;
  let begin = time.now();
  /** Ends in a row without having come up. */
  let ends = 0;
  let loop: string | undefined;

  const keep = async (): Promise<void> => {
    for (;;) {
      const running = kept.process();
      const { code, signal } = await running.exited;
      if (stopped) return;
      ends = time.now() - begin >= STEADY ? 1 : ends + 1;
      const pause = Math.min(FIRST_PAUSE * 2 ** (ends - 1), LONGEST_PAUSE);
      const how = signal ?? `status ${code}`;
      const last = running.lastLines(12);
      log(
        `the ${running.name} ended (${how}), and is started again in ${pause / 1_000} s. Its log: ${running.logFile}`,
      );
      if (ends >= LOOP) {
        loop = `the ${running.name} does not stay up: it has ended ${ends} times in a row, the last time with ${how}. The end of its log:\n${last}`;
        log(loop);
      }
      await time.sleep(pause);
      if (stopped) return;
      begin = time.now();
      restarts++;
      await kept.restart();
    }
  };
  const keeping = keep().catch((error: unknown) => {
    loop = `it could not be started again: ${error instanceof Error ? error.message : error}`;
    log(loop);
  });
  void keeping;
  return {
    trouble: () => (loop !== undefined && ends >= LOOP && time.now() - begin < STEADY ? loop : undefined),
    restarts: () => restarts,
    stop() {
      stopped = true;
    },
  };
}
