import { describe, expect, it } from '@jest/globals';
import { aCondition, aCutover, aGeneration, aPlatform, aPool, at } from '../../test/builders/index.ts';
import { type Scene, textOf } from './pulse.ts';

const scene = (changes: Partial<Scene> = {}): Scene => ({
  platforms: [aPlatform()],
  generations: [aGeneration()],
  pools: [aPool()],
  cutovers: [aCutover()],
  pods: [],
  instances: [],
  ...changes,
});
const step = (state: 'Running' | 'Done', attempts: number, message: string) => ({
  ...{ name: 'Hold' as const, startTime: at(0) },
  ...{ state, attempts, message },
});
const cutover = (...steps: ReturnType<typeof step>[]) => scene({ cutovers: [aCutover({ status: { steps } })] });
const pool = (ready: number) =>
  scene({ pools: [aPool({ status: { machines: { launched: 3, registered: 3, ready } } })] });

describe('what moves', () => {
  it('shows when a machine comes, a step is done, a reason changes', () => {
    expect(textOf(pool(1))).not.toBe(textOf(pool(2)));
    expect(textOf(cutover(step('Running', 1, '')))).not.toBe(textOf(cutover(step('Done', 1, ''))));
    const blocked = aCondition({ type: 'Blocked', status: 'True', reason: 'GuardNotEffective' });
    expect(textOf(scene({ cutovers: [aCutover({ status: { conditions: [blocked] } })] }))).not.toBe(textOf(scene()));
  });

  it('does not show in attempts, messages and times that go on while nothing comes of them', () => {
    expect(textOf(cutover(step('Running', 1, 'a')))).toBe(textOf(cutover(step('Running', 9, 'b'))));
    const probed = aPlatform({ status: { guard: { effective: true, lastProbeTime: at(99), probes: [] } } });
    expect(textOf(scene({ platforms: [probed] }))).toBe(textOf(scene()));
  });
});
