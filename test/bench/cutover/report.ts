import { cpus, loadavg } from 'node:os';
import type { Cutover } from '../../../src/api/v1alpha1/index.ts';
import type { Passed } from '../../sweep/proxy.ts';
import { changeOf } from '../../sweep/writes.ts';
import { type BareResult, kindOf } from './bare.ts';
import type { Looks } from './clients.ts';

/** From the end of Approve to the end of Release, ms since the epoch. */
export interface Window {
  from: number;
  until: number;
}

export interface Sample {
  cutover: Cutover;
  window: Window;
  /** The calls of the operator in the window. */
  passed: Passed[];
}

/** How much longer than the same calls, bare, it may take. */
const MOST = 2;

/** @throws Error when the cutover has no such steps */
export function windowOf({ metadata, status }: Cutover): Window {
  const endOf = (step: string) => {
    const end = status.steps?.find(({ name }) => name === step)?.endTime;
    if (end === undefined) throw new Error(`step ${step} of Cutover ${metadata.name} has no end`);
    return Date.parse(end);
  };
  return { from: endOf('Approve'), until: endOf('Release') };
}

/** The calls within a window. */
export const within = ({ from, until }: Window, passed: readonly Passed[]): Passed[] =>
  passed.filter((call) => call.from >= from && call.until <= until);

/** The least that has to be asked for: each write that was accepted, and one look at the EndpointSlices of each target. */
export function leastOf(passed: readonly Passed[]): Passed[] {
  const looked = new Set<string>();
  return passed.filter((call) => {
    if (call.url.includes('/events')) return false;
    if (changeOf(call)) return call.status < 300;
    const isLook = call.url.includes('/endpointslices?') && !looked.has(call.url);
    if (isLook) looked.add(call.url);
    return isLook;
  });
}

/** Real ms of the window in which no call was under way: time that was waited or thought. */
export function idleIn({ from, until }: Window, passed: readonly Passed[]): number {
  let covered = 0;
  let end = from;
  for (const call of passed.toSorted((a, b) => a.from - b.from)) {
    covered += Math.max(0, call.until - Math.max(end, call.from));
    end = Math.max(end, call.until);
  }
  return until - from - covered;
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
};

export interface Results {
  samples: Sample[];
  /** For each sample. */
  all: BareResult[];
  allParallel: BareResult[];
  least: BareResult[];
  leastParallel: BareResult[];
  looks: Looks;
  /** What the judge and the ledger object to. */
  problems: string[];
}

/** A table for people, and whether the targets are met. */
export function report(results: Results, setting: { machines: number; targets: number; scale: number }) {
  const { samples, looks, problems } = results;
  const times = samples.map(({ window }) => window.until - window.from);
  const own = median(times);
  const row = (name: string, bare: readonly BareResult[]) => {
    const ms = median(bare.map((one) => one.ms));
    const refused = Object.entries(bare.at(-1)?.refused ?? {}).map(([what, count]) => `${count} x ${what}`);
    const calls = median(bare.map((one) => one.calls));
    return `${name.padEnd(44)} ${calls.toFixed(0).padStart(6)} ${ms.toFixed(0).padStart(8)} ${(own / ms).toFixed(2).padStart(8)}${refused.length > 0 ? `   refused: ${refused.join(', ')}` : ''}`;
  };
  const ratio = own / median(results.all.map(({ ms }) => ms));
  const missed = Object.entries(looks.missed);
  const busy = (loadavg()[0] ?? 0) > cpus().length + 1;
  const verdict = (met: boolean) => (met ? 'met' : 'MISSED');
  const undisturbed = missed.length === 0 && problems.length === 0;
  const text = [
    `${setting.machines} machines a generation, ${setting.targets} targets, ${samples.length} cutovers; ${cpus().length} CPUs (${cpus()[0]?.model}); Node ${process.version}; time scale ${setting.scale}`,
    '                                              calls  median ms   ratio',
    `${'cutover, end of Approve to end of Release'.padEnd(44)} ${median(samples.map(({ passed }) => passed.length))
      .toFixed(0)
      .padStart(
        6,
      )} ${own.toFixed(0).padStart(8)}   (${Math.min(...times).toFixed(0)}-${Math.max(...times).toFixed(0)})`,
    row('the same calls, bare, one after the other', results.all),
    row('the same calls, bare, 20 at once', results.allParallel),
    row('the least: writes, a look at each target', results.least),
    row('the least, 20 at once', results.leastParallel),
    `without a call under way: ${median(samples.map(({ window, passed }) => idleIn(window, passed))).toFixed(0)} ms`,
    `calls: ${callsByKind(samples.at(-1)?.passed ?? [])}`,
    ...stepLines(samples.at(-1)),
    `time: ${ratio.toFixed(2)} x the same calls one after the other, target ${MOST}: ${verdict(ratio < MOST)}`,
    `traffic: ${looks.count} looks, ${missed.length === 0 ? 'none' : missed.map(([target, count]) => `${count} of ${target}`).join(', ')} without a ready endpoint on a machine that is there (longest pause ${looks.longestPause.toFixed(0)} ms): ${verdict(undisturbed)}`,
    ...problems,
    ...(busy ? [`the machine is busy (load ${loadavg()[0]?.toFixed(1)}): repeat when it is quiet`] : []),
  ].join('\n');
  return { text, met: ratio < MOST && undisturbed };
}

/** `144 GET pods, 20 PATCH services`: the most frequent first. */
function callsByKind(passed: readonly Passed[]): string {
  const counts = new Map<string, number>();
  for (const call of passed) counts.set(kindOf(call), (counts.get(kindOf(call)) ?? 0) + 1);
  const most = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, 12);
  return most.map(([kind, count]) => `${count} ${kind}`).join(', ');
}

/** Where the time went, step by step. */
function stepLines(sample: Sample | undefined): string[] {
  const steps = sample?.cutover.status.steps ?? [];
  return steps.flatMap(({ name, state, startTime, endTime }) => {
    if (state === 'Skipped' || !startTime || !endTime) return [];
    return [`  ${name.padEnd(10)} ${String(Date.parse(endTime) - Date.parse(startTime)).padStart(6)} ms`];
  });
}
