import { describe, expect, it } from '@jest/globals';
import type { Sample } from './measure.ts';
import { median, report } from './report.ts';

const samples = (ms: number[], mib: number): Sample[] =>
  ms.map((each) => ({ items: 5_000, ms: each, cpuMs: each, peakKiB: mib * 1024 }));
const judge = (kit: Sample[]) =>
  report(
    { baseline: samples([100, 900, 110], 90), kit, go: samples([90], 85) },
    { nodes: 5_000, nodeBytes: 3_072, flags: ['--a-flag'] },
  );

describe('the report of bench-kit', () => {
  it('compares medians, so that one slow run decides nothing', () => {
    const { text, met } = judge(samples([140, 140, 5_000], 129));
    expect(met).toBe(true);
    expect(text).toContain('time: 1.27 x the bare fetch');
    expect(text).toContain('--a-flag');
  });

  it.each([
    ['time', samples([150, 150, 150], 100), 'time: 1.36 x'],
    ['memory', samples([100, 100, 100], 131), 'memory: 131.0 MiB'],
  ])('says that the target of %s is missed', (_, kit, line) => {
    const { text, met } = judge(kit);
    expect(met).toBe(false);
    expect(text.split('\n').find((each) => each.startsWith(line))).toContain('MISSED');
  });
});

it('a median is the middle, or the mean of two', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
});
