import { describe, expect, it } from '@jest/globals';
import { aCondition, aPlatform, at, EPOCH } from '../../../test/builders/index.ts';
import type { Platform } from '../../api/v1alpha1/index.ts';
import type { Family } from '../../guard/canary/probe.ts';
import type { Result, Round } from '../../guard/canary/round.ts';
import type { EventInput } from '../../kube/events.ts';
import { silent } from '../../runtime/logger.ts';
import type { Context } from '../context.ts';
import { announce, reportOf } from './guard.ts';

const about = (seconds = 0) => ({ now: EPOCH + seconds * 1000, scaled: (ms: number) => ms });
const result = (family: Family, outcome: Result['outcome'] = 'Denied', changes: Partial<Result> = {}): Result => ({
  family,
  verb: 'delete',
  target: family,
  outcome,
  ...(outcome === 'Denied' && { policy: 'generations-guard-tested' }),
  ...(outcome === 'Skipped' && { reason: 'nothing is live' }),
  ...changes,
});
const round = (results: Result[], changes: Partial<Round> = {}): Round => ({
  results,
  time: EPOCH,
  live: true,
  overridden: false,
  ...changes,
});
const proofs = [result('delete-crd'), result('delete-generation'), result('delete-pool')];
const live = aPlatform({ live: 'green' });
const unprobed = (): Platform => {
  const platform = aPlatform({ live: 'green' });
  delete platform.status.guard;
  return platform;
};
const verdict = (platform: Platform, found: Round | undefined) => reportOf(platform, found, about()).verdict;

describe('a round of probes', () => {
  it('in which all is refused makes the guard effective, and is written down', () => {
    const report = reportOf(
      live,
      round([...proofs, result('delete-cutover', 'Skipped', { reason: 'none' })]),
      about(1),
    );
    expect(report.verdict).toEqual({
      type: 'GuardEffective',
      status: true,
      reason: 'Refused',
      message: '3 of 4 acts were tried and refused by policies; not tried: delete delete-cutover (none)',
    });
    expect(report.guard).toMatchObject({ effective: true, lastProbeTime: at(0) });
    expect(report.guard?.probes[0]).toEqual({
      target: 'delete-crd',
      verb: 'delete',
      outcome: 'Denied',
      policy: 'generations-guard-tested',
    });
    expect(report.next).toBe(49_000);
  });

  it('is written down as far as the CRD takes names', () => {
    const target = `Pod ${'n'.repeat(63)}/${'p'.repeat(253)}`;
    const report = reportOf(live, round([...proofs, result('start-pod', 'Denied', { target })]), about());
    expect(report.guard?.probes.at(-1)?.target).toBe(target.slice(0, 253));
  });

  it('with a hole names it and what to do', () => {
    const report = reportOf(
      live,
      round([...proofs, result('delete-node', 'Hole', { target: 'Node n at b' })]),
      about(),
    );
    expect(report.verdict).toMatchObject({ status: false, reason: 'Hole' });
    expect(report.verdict.message).toMatch(/^not refused by a policy: delete Node n at b\. Install the policies/);
    expect(report.guard?.effective).toBe(false);
  });

  it.each<Family>(['delete-crd', 'delete-generation', 'delete-pool'])('without %s proves nothing', (missing) => {
    const results = proofs.map((one) => (one.family === missing ? result(missing, 'Skipped') : one));
    expect(verdict(live, round(results))).toMatchObject({ status: false, reason: 'NotProved' });
    expect(reportOf(live, round(results), about()).guard?.effective).toBe(false);
  });

  it('of a platform where nothing is live needs the CRD alone', () => {
    const idle = { live: false };
    expect(verdict(aPlatform(), round([result('delete-crd')], idle))).toMatchObject({
      status: true,
      reason: 'NothingLive',
    });
    expect(verdict(aPlatform(), round([result('delete-crd', 'Skipped')], idle))).toMatchObject({ reason: 'NotProved' });
  });

  it('under an override does not ask for what two people have lifted', () =>
    expect(verdict(live, round([result('delete-crd')], { overridden: true }))).toMatchObject({
      status: true,
      reason: 'Overridden',
    }));
});

describe('without a round', () => {
  const said = (status: 'True' | 'False', seconds: number) =>
    aPlatform({
      live: 'green',
      status: {
        guard: { effective: status === 'True', lastProbeTime: at(seconds), probes: [] },
        conditions: [aCondition({ type: 'GuardEffective', status, reason: 'Before', message: 'as before' })],
      },
    });

  it('nothing is known of a platform that was never probed', () => {
    const report = reportOf(unprobed(), undefined, about());
    expect(report).toMatchObject({ guard: undefined, verdict: { status: 'Unknown', reason: 'NotProbed' } });
    expect(report.next).toBe(10_000);
  });

  it.each(['True', 'False'] as const)('the last word (%s) holds, and its time does not move', (status) => {
    const report = reportOf(said(status, 0), undefined, about(170));
    expect(report.verdict).toMatchObject({ status: status === 'True', reason: 'Before', message: 'as before' });
    expect(report.guard?.lastProbeTime).toBe(at(0));
  });

  it('an old word is no word', () =>
    expect(reportOf(said('True', 0), undefined, about(181)).verdict).toMatchObject({
      status: 'Unknown',
      reason: 'Stale',
    }));

  it('a hole stays one however old it is', () =>
    expect(reportOf(said('False', 0), undefined, about(1_000)).verdict).toMatchObject({ status: false }));
});

describe('people are told', () => {
  const seen = (status: 'True' | 'False' | undefined) =>
    aPlatform({
      status: status && {
        conditions: [aCondition({ type: 'GuardEffective', status, reason: 'Hole', message: 'why' })],
      },
    } as Parameters<typeof aPlatform>[0]);
  const said = (...statuses: ('True' | 'False' | undefined)[]) => {
    const events: EventInput[] = [];
    const gauges: boolean[] = [];
    const context = {
      log: silent,
      events: { record: (event: EventInput) => events.push(event) },
      canary: { judged: (_: string, report: { effective: boolean } | undefined) => gauges.push(report!.effective) },
    } as unknown as Context;
    for (const [at, status] of statuses.slice(1).entries()) announce(context, seen(statuses[at]), seen(status));
    return { events: events.map(({ type, reason }) => `${type} ${reason}`), gauges };
  };

  it('of a hole once, and once when it is closed', () =>
    expect(said(undefined, 'True', 'False', 'False', 'True', 'True')).toEqual({
      events: ['Warning GuardHole', 'Normal GuardEffective'],
      gauges: [true, false, false, true, true],
    }));
});
