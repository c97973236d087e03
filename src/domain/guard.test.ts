import { describe, expect, it } from '@jest/globals';
import { aCondition, aPlatform, at, EPOCH } from '../../test/builders/index.ts';
import type { Platform } from '../api/v1alpha1/index.ts';
import { guardTrouble } from './guard.ts';

type Guard = NonNullable<Platform['status']['guard']>;
const trouble = (guard: Guard | undefined, now = EPOCH, scale = 1) =>
  guardTrouble(withGuard(guard), { now, scaled: (ms) => ms / scale });
function withGuard(guard: Guard | undefined): Platform {
  const platform = aPlatform();
  const { guard: _, ...status } = platform.status;
  return { ...platform, status: { ...status, ...(guard && { guard }) } };
}
const denied = { target: 'ClusterGeneration blue', verb: 'delete', outcome: 'Denied', policy: 'a' } as const;
const report = (changes: Partial<Guard> = {}): Guard => ({
  effective: true,
  lastProbeTime: at(0),
  probes: [denied],
  ...changes,
});

describe('the guard', () => {
  it('that was never probed is not relied on', () => expect(trouble(undefined)).toContain('has not been probed yet'));

  it('is relied on for three minutes of declared time', () => {
    expect(trouble(report(), EPOCH + 180_000)).toBeUndefined();
    expect(trouble(report(), EPOCH + 180_001)).toContain(`was last probed at ${at(0)}`);
    expect(trouble(report(), EPOCH + 150_001, 1.2)).toContain('was last probed');
  });

  it('is relied on for two minutes of real time, however fast a drill runs: a busy API server answers no faster', () => {
    expect(trouble(report(), EPOCH + 120_000, 12)).toBeUndefined();
    expect(trouble(report(), EPOCH + 120_001, 12)).toContain('was last probed');
  });

  it('that could not be proved says why', () => {
    const platform = withGuard(report({ effective: false }));
    const message = 'what matters most could not be tried';
    const conditions = [aCondition({ type: 'GuardEffective', status: 'False', reason: 'NotProved', message })];
    expect(
      guardTrouble({ ...platform, status: { ...platform.status, conditions } }, { now: EPOCH, scaled: (ms) => ms }),
    ).toBe(`the guard of Platform us is not proved: ${message}`);
  });

  it('is not relied on when its report comes from the future: a clock is wrong', () =>
    expect(trouble(report({ lastProbeTime: at(7200) }))).toContain('was last probed'));

  it('with a hole says where', () =>
    expect(trouble(report({ effective: false, probes: [denied, { ...denied, outcome: 'Hole' }] }))).toBe(
      'the guard of Platform us has a hole: delete ClusterGeneration blue was not refused by a policy',
    ));
});
