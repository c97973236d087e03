/**
 * runtime/ is the engine room of any operator: time, work queues, controllers, and the order in which a process
 * starts and stops. In go keys and functions that reconcile them; out come calls to those functions, paced and
 * bounded. It knows nothing of Kubernetes nor of generations and imports nothing of ours.
 */

/** A timer that has not fired yet. Cancelling one that has fired does nothing. */
export type Timer = { cancel(): void };

/** Where time and chance come from. Everything that waits or draws takes one, so that tests decide both. */
export type Clock = {
  /** Wall-clock time, ms since the epoch. Never scaled: what is written to status and logs is real. */
  now(): number;
  /** Ms since an arbitrary start; never jumps when the wall clock is set. For measuring durations. */
  monotonic(): number;
  /** How many declared seconds pass in a real one; 1 outside drills and tests. */
  readonly scale: number;
  /** Real ms that a declared duration of `ms` takes. */
  scaled(ms: number): number;
  /** Real events per second for a declared rate per second. */
  rate(perSecond: number): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** Resolves after `ms` real ms; rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `callback` once after `ms` real ms, unless cancelled. */
  setTimer(ms: number, callback: () => void): Timer;
};

/** A clock whose time only moves when told. */
export type ManualClock = Clock & {
  /** Moves time by `ms`, firing what falls due in order of time, and lets promises settle between the firings. */
  advance(ms: number): Promise<void>;
  /** Timers and sleeps that have not fired. */
  readonly pending: number;
};

// Node's timers take a 32-bit number of ms; a longer wait (24.8 days) is made of several.
const LONGEST_TIMER = 2 ** 31 - 1;

/** The machine's own clock. `scale` 60 makes a declared minute take a real second. Throws on a scale that is not above 0. */
export function systemClock(scale = 1): Clock {
  const setTimer = (ms: number, callback: () => void): Timer => {
    let handle: NodeJS.Timeout;
    const arm = (left: number) => {
      const step = Math.min(Math.max(0, left), LONGEST_TIMER);
      handle = setTimeout(() => (left > step ? arm(left - step) : callback()), step);
    };
    arm(ms);
    return { cancel: () => clearTimeout(handle) };
  };
  return {
    ...scaling(scale),
    now: () => Date.now(),
    monotonic: () => performance.now(),
    random: () => Math.random(),
    setTimer,
    sleep: (ms, signal) => sleepOn(setTimer, ms, signal),
  };
}

/** A clock for tests: starts at `now` (ms since the epoch), draws its random numbers from `seed`. */
export function manualClock(options: { now?: number; scale?: number; seed?: number } = {}): ManualClock {
  const start = options.now ?? Date.UTC(2026, 0, 1);
  const timers = new Map<number, { at: number; callback: () => void }>();
  const random = seededRandom(options.seed ?? 1);
  let elapsed = 0;
  let created = 0;
  const setTimer = (ms: number, callback: () => void): Timer => {
    const id = created++;
    timers.set(id, { at: elapsed + Math.max(0, ms), callback });
    return { cancel: () => void timers.delete(id) };
  };
  const nextDue = (until: number) => {
    let due: [number, { at: number; callback: () => void }] | undefined;
    for (const entry of timers) if (entry[1].at <= until && (!due || entry[1].at < due[1].at)) due = entry;
    return due;
  };
  return {
    ...scaling(options.scale ?? 1),
    now: () => start + elapsed,
    monotonic: () => elapsed,
    random,
    setTimer,
    sleep: (ms, signal) => sleepOn(setTimer, ms, signal),
    get pending() {
      return timers.size;
    },
    async advance(ms) {
      const until = elapsed + ms;
      await settled();
      for (let due = nextDue(until); due; due = nextDue(until)) {
        timers.delete(due[0]);
        elapsed = Math.max(elapsed, due[1].at);
        due[1].callback();
        await settled();
      }
      elapsed = until;
    },
  };
}

function scaling(scale: number): Pick<Clock, 'scale' | 'scaled' | 'rate'> {
  if (!(scale > 0 && Number.isFinite(scale))) throw new RangeError(`time scale must be a number above 0, not ${scale}`);
  return { scale, scaled: (ms) => ms / scale, rate: (perSecond) => perSecond * scale };
}

function sleepOn(setTimer: Clock['setTimer'], ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = setTimer(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** One turn of the event loop, so that every promise callback due by now has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Numbers in [0, 1) that are the same for the same seed: a 32-bit Weyl sequence put through a mixing function. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
