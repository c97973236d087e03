import { readFileSync } from 'node:fs';

/** What one run of a subject prints, as one line of JSON. */
export type Sample = {
  items: number;
  /** Wall time from before the request to the last item, ms. */
  ms: number;
  /** CPU time of the process meanwhile, ms. */
  cpuMs?: number;
  /** Most memory that was ever resident, KiB. */
  peakKiB: number;
  /** The same before the request. */
  startKiB?: number;
};

/** VmHWM of this process, KiB. */
export function peakKiB(): number {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  if (!match) throw new Error('/proc/self/status has no VmHWM');
  return Number(match[1]);
}

/** Starts measuring; the function returned ends it and prints the sample. */
export function measure(): (items: number) => void {
  const startKiB = peakKiB();
  const cpu = process.cpuUsage();
  const began = performance.now();
  return (items) => {
    const ms = performance.now() - began;
    const { user, system } = process.cpuUsage(cpu);
    const sample: Sample = { items, ms, cpuMs: (user + system) / 1000, peakKiB: peakKiB(), startKiB };
    console.log(JSON.stringify(sample));
  };
}
