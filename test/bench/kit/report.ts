import { cpus, loadavg } from 'node:os';
import type { Sample } from './measure.ts';

export type Results = { baseline: Sample[]; kit: Sample[]; go: Sample[] };

/** The targets: how much longer than the baseline the kit may take, and how much memory it may have had, MiB. */
const MOST_TIME = 1.3;
const MOST_MEMORY = 130;

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** A table for people, and whether the targets are met. */
export function report(results: Results, setting: { nodes: number; nodeBytes: number; flags: string[] }) {
  const { nodes, nodeBytes, flags } = setting;
  const time = (samples: Sample[]) => median(samples.map(({ ms }) => ms));
  const memory = (samples: Sample[]) => median(samples.map(({ peakKiB }) => peakKiB)) / 1024;
  const row = (name: string, samples: Sample[]) => {
    const times = samples.map(({ ms }) => ms);
    const cpu = samples.flatMap(({ cpuMs }) => cpuMs ?? []);
    const start = samples.flatMap(({ startKiB }) => startKiB ?? []);
    return [
      name.padEnd(34),
      time(samples).toFixed(0).padStart(6),
      `${Math.min(...times).toFixed(0)}-${Math.max(...times).toFixed(0)}`.padStart(11),
      (cpu.length > 0 ? median(cpu).toFixed(0) : '').padStart(7),
      memory(samples).toFixed(1).padStart(9),
      (start.length > 0 ? (median(start) / 1024).toFixed(1) : '').padStart(9),
    ].join('  ');
  };
  const ratio = time(results.kit) / time(results.baseline);
  // In each round the two ran one after the other: pairs suffer less from what else the machine does.
  const paired = median(results.kit.map(({ ms }, round) => ms / (results.baseline[round]?.ms ?? Number.NaN)));
  const cpuOf = (samples: Sample[]) => median(samples.flatMap(({ cpuMs }) => cpuMs ?? []));
  const cpuRatio = cpuOf(results.kit) / cpuOf(results.baseline);
  const busy = (loadavg()[0] ?? 0) > cpus().length + 1;
  const peak = memory(results.kit);
  const verdict = (met: boolean) => (met ? 'met' : 'MISSED');
  const text = [
    `${nodes} nodes of ${(nodeBytes / 1024).toFixed(2)} KiB; ${results.kit.length} rounds; ${cpus().length} CPUs (${cpus()[0]?.model}); Node ${process.version} ${flags.join(' ')}`.trimEnd(),
    '                                    median ms     range     CPU ms  peak MiB  before it',
    row('bare fetch, lines, JSON.parse', results.baseline),
    row('kit: reflector, store, 2 indexes', results.kit),
    row('controller-runtime v0.24.1 cache', results.go),
    `time: ${ratio.toFixed(2)} x the bare fetch (round by round ${paired.toFixed(2)}, CPU time ${cpuRatio.toFixed(2)}), target ${MOST_TIME}: ${verdict(ratio <= MOST_TIME)}`,
    `memory: ${peak.toFixed(1)} MiB at peak, target ${MOST_MEMORY}: ${verdict(peak < MOST_MEMORY)}`,
    ...(busy
      ? [`the machine is busy (load ${loadavg()[0]?.toFixed(1)}): wall times say little, repeat when it is quiet`]
      : []),
  ].join('\n');
  return { text, met: ratio <= MOST_TIME && peak < MOST_MEMORY };
}
