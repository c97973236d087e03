import type { Clock, Timer } from '../../runtime/clock.ts';

type Entry = { at: number; order: number; act: (at: number) => void };

/**
 * What will happen at the cloud without anybody's request: machines boot, stop, vanish. Entries run in order of
 * time, by a timer or, so that an answer is never behind, when a request asks for what is due.
 */
export class Agenda {
  readonly #clock: Clock;
  readonly #heap: Entry[] = [];
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #order = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `act` with `at` (ms since the epoch) once that time has come. */
  at(at: number, act: (at: number) => void): void {
    push(this.#heap, { at, order: this.#order++, act });
    this.#arm();
  }

  /** Runs everything due now. */
  runDue(): void {
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first && first.at <= now; first = this.#heap[0]) {
      pop(this.#heap);
      first.act(first.at);
    }
    this.#arm();
  }

  /** Forgets everything. */
  stop(): void {
    this.#heap.length = 0;
    this.#timer?.cancel();
  }

  #arm(): void {
    const next = this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
    if (next === this.#timerAt) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = next;
    if (next === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#clock.setTimer(Math.max(0, next - this.#clock.now()), () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.runDue();
    });
  }
}

const before = (a: Entry, b: Entry) => a.at < b.at || (a.at === b.at && a.order < b.order);

function push(heap: Entry[], entry: Entry): void {
  let index = heap.length;
  heap.push(entry);
  while (index > 0) {
    const up = (index - 1) >> 1;
    const parent = heap[up];
    if (!parent || before(parent, entry)) break;
    heap[index] = parent;
    heap[up] = entry;
    index = up;
  }
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let index = 0;
  for (;;) {
    const [left, right] = [heap[2 * index + 1], heap[2 * index + 2]];
    const child = right && left && before(right, left) ? right : left;
    if (!child || before(last, child)) break;
    heap[index] = child;
    index = child === left ? 2 * index + 1 : 2 * index + 2;
  }
  heap[index] = last;
}
