import { describe, expect, it } from '@jest/globals';
import { aCutover, aPlatform, at } from '../../../test/builders/index.ts';
import type { Cutover } from '../../api/v1alpha1/index.ts';
import { downtimeOf } from './downtime.ts';

const roles = [
  { name: 'web', handover: 'Beside' as const },
  { name: 'tasks', handover: 'Singleton' as const },
  { name: 'queue', handover: 'Singleton' as const, quiesce: 'AllFirst' as const },
];
const platform = aPlatform({ live: 'blue', spec: { roles } });
const held = (target: string, heldTime?: string, servedTime?: string) => ({
  ...{ target, from: {}, to: {}, state: 'Held' as const },
  ...(heldTime && { heldTime }),
  ...(servedTime && { servedTime }),
});
const planned = (...targets: string[]) => ({
  ...{ hash: '', changed: [], machines: [], migrations: [], checks: [], rollback: '', blockers: [] },
  switches: targets.map((target) => ({ target, role: 'web', from: {}, to: {} })),
});
const of = (status: Partial<Cutover['status']>) => downtimeOf(aCutover({ status }), platform).downtime;
const plan = planned('www', 'api');

describe('downtime', () => {
  it('of traffic is from the first target held to the last one served', () => {
    const switches = [held('www', at(10), at(50)), held('api', at(12), at(73))];
    expect(of({ plan, switches })).toEqual([{ role: 'web', traffic: '1m3s' }]);
  });

  it('is not claimed before it has ended, nor for what was never held', () => {
    expect(of({ plan, switches: [held('www', at(10), at(50)), held('api', at(12))] })).toBeUndefined();
    expect(of({ plan, switches: [held('www')] })).toBeUndefined();
  });

  it('of singletons counts from where they stop: all first, or each on its own', () => {
    const steps = [
      { name: 'Quiesce' as const, state: 'Done' as const, startTime: at(0), endTime: at(5) },
      { name: 'Restore' as const, state: 'Done' as const, startTime: at(60), endTime: at(180) },
    ];
    expect(of({ steps })).toEqual([
      { role: 'tasks', singletons: '2m' },
      { role: 'queue', singletons: '3m' },
    ]);
  });

  it('ends with the undoing as well', () => {
    expect(of({ steps: [{ name: 'Quiesce', state: 'Undone', startTime: at(0), endTime: at(45) }] })).toEqual([
      { role: 'queue', singletons: '45s' },
    ]);
  });
});
