import { describe, expect, it } from '@jest/globals';
import type { Latencies } from './policies.ts';
import { reportPolicies, reportWebhooks } from './report.ts';
import type { Turn, Turns } from './webhook.ts';

const pair = (unbound: number, bound: number) => ({ unbound: [unbound, 100, unbound], bound: [bound, bound, 100] });
const turn = (p99: number, perSecond: number): Turn => ({ requests: 9, perSecond, p50: 1, p99 });

describe('the report of bench-guard', () => {
  it('compares medians, and says where the target is missed', () => {
    const latencies: Latencies = { generation: pair(2, 3), pool: pair(2, 4), node: pair(2, 3.9) };
    const lines = reportPolicies(latencies, 2).split('\n');
    expect(lines.slice(2).map((line) => line.endsWith('MISSED'))).toEqual([false, true, false]);
    expect(lines[2]).toMatch(/^generation\s+2\.00\s+3\.00\s+1\.00\s/);
  });

  it('compares p99 one at a time, and throughput sixteen at a time', () => {
    const slow: Turns['node'] = { 1: [turn(2, 900)], 16: [turn(1, 900)] };
    const fast: Turns['node'] = { 1: [turn(1, 100)], 16: [turn(2, 1000)] };
    const missed = (turns: Turns) => reportWebhooks(turns).match(/MISSED/g)?.length ?? 0;
    expect(missed({ node: fast, go: slow })).toBe(0);
    expect(missed({ node: slow, go: fast })).toBe(2);
  });
});
