import { describe, expect, it } from '@jest/globals';
import {
  aCutover,
  aCutoverInput,
  aGeneration,
  aMember,
  aPlatform,
  aPoolSpec,
  aView,
} from '../../../test/builders/index.ts';
import { LABEL } from '../../api/v1alpha1/index.ts';
import { differences } from '../../domain/plan-hash.ts';
import type { CutoverInput } from './input.ts';
import { planOf } from './plan.ts';

const machine = (id: string, pool = 'web') => ({ id, state: 'running' as const, tags: { [LABEL.pool]: pool } });
const job = { spec: { template: { spec: { containers: [{ name: 'main' }] } } } };
const input = (changes: Partial<CutoverInput> = {}) =>
  aCutoverInput({ machines: [machine('i-3'), machine('i-1'), machine('i-9', 'other')], ...changes });
const changes = (a: Partial<CutoverInput>, b: Partial<CutoverInput>) =>
  differences(planOf(input(a)).hash, planOf(input(b)).hash);
const counts = { waiting: 0, starting: 0, running: 2000, arriving: 0, on: {} };
const census = { role: 'tasks', handover: 'Singleton' as const, ...counts };

describe('a plan', () => {
  it('lists machines, switches, migrations, checks, and what is retired', () => {
    const migrations = [{ name: 'schema', reversible: false, jobTemplate: job }];
    const verify = [{ name: 'smoke', jobTemplate: job }];
    const jobs = { namespace: 'releases', serviceAccountName: 'cutover' };
    const hold = { wanted: { app: 'm' }, serving: false, waitingFor: '' };
    const plan = planOf(
      input({
        cutover: aCutover({ from: 'blue', spec: { migrations, verify } }),
        platform: aPlatform({ live: 'blue', spec: { jobs } }),
        targets: [aView({ hold })],
      }),
    );
    expect(plan).toMatchObject({
      machines: [{ pool: 'web', role: 'web', machines: 3, instances: ['i-1', 'i-3'] }],
      switches: [{ target: 'www', role: 'web', from: aView().now, to: aView().wanted, hold: { app: 'm' } }],
      migrations: [{ name: 'schema', hash: expect.stringMatching(/^[0-9a-f]{12}$/), reversible: false }],
      checks: [{ name: 'smoke' }],
      retires: 'blue',
      blockers: [],
      changed: [],
    });
  });

  it('says what is kept of the one that is left, and for how long', () => {
    const stopped = { standby: 'Stopped' as const, for: '1h' };
    expect(planOf(input({ platform: aPlatform({ live: 'blue', spec: { retention: stopped } }) }))).toMatchObject({
      retention: stopped,
    });
    expect(planOf(input({ platform: undefined }))).not.toHaveProperty('retention');
  });

  it('of a first cutover retires nothing', () => {
    expect(planOf(input({ cutover: aCutover(), from: undefined }))).not.toHaveProperty('retires');
  });

  it('says how many singletons move and how long that takes', () => {
    expect(planOf(input({ tasks: [{ ...census, total: 2000, startsPerSecond: 20 }] })).singletons).toEqual({
      total: 2000,
      startsPerSecond: 20,
      estimatedDuration: '1m40s',
    });
    expect(planOf(input()).singletons).toBeUndefined();
  });

  it('changes its hash in the part that has changed, and in no other', () => {
    expect(changes({}, {})).toEqual([]);
    expect(changes({}, { machines: [machine('i-1')] })).toEqual(['machines']);
    expect(changes({}, { targets: [aView({ now: { app: 'x' } })] })).toEqual(['switches']);
    expect(changes({}, { to: aGeneration({ metadata: { uid: 'x' } }) })).toEqual(['generations']);
    const migrating = (image: string) => ({
      cutover: aCutover({
        from: 'blue',
        spec: { migrations: [{ name: 'schema', reversible: true, jobTemplate: { image } }] },
      }),
    });
    expect(changes(migrating('a'), migrating('b'))).toEqual(['migrations']);
    expect(changes({}, { cutover: aCutover({ from: 'blue', spec: { soak: '1h' } }) })).toEqual(['checks']);
    const stopped = aPlatform({ live: 'blue', spec: { retention: { standby: 'Stopped', for: '48h' } } });
    expect(changes({}, { platform: stopped })).toEqual(['retention']);
  });

  it('keeps its hash when only what people do meanwhile changes: tasks, an ETA, blockers', () => {
    expect(changes({}, { tasks: [{ ...census, total: 1, startsPerSecond: 1 }], members: [] })).toEqual([]);
  });

  it('of a Recovery holds for whatever is left then', () => {
    const cutover = aCutover({ from: 'blue', spec: { mode: 'Recovery' } });
    expect(changes({ cutover }, { cutover, machines: [], targets: [aView({ now: {} })] })).toEqual([]);
    expect(changes({ cutover }, { cutover, to: aGeneration({ metadata: { uid: 'x' } }) })).toEqual(['generations']);
  });

  it.each<[string, Partial<CutoverInput>, string]>([
    ['a first cutover', { cutover: aCutover(), from: undefined }, 'none: no generation is live'],
    [
      'a Decommission',
      { cutover: aCutover({ from: 'blue', spec: { mode: 'Decommission', to: undefined as never } }), to: undefined },
      'none: after it no generation is live',
    ],
    [
      'a running standby',
      {},
      'a Cutover of mode Rollback to blue within 2d after it has succeeded: 1 traffic switches',
    ],
    [
      'a stopped standby',
      {
        platform: aPlatform({
          live: 'blue',
          spec: { retention: { standby: 'Stopped', for: '1h' }, traffic: [{ name: 'www', role: 'web' }] },
        }),
        from: aGeneration({ name: 'blue', live: true, spec: { pools: [aPoolSpec({ machines: 60 })] } }),
      },
      'within 1h after it has succeeded: 60 stopped machines to start (about 3m), then 1 traffic switches',
    ],
    [
      'nothing kept',
      { platform: aPlatform({ live: 'blue', spec: { retention: { standby: 'None', for: '1h' } } }) },
      'none: spec.retention.standby of Platform us is None',
    ],
    [
      'an irreversible migration',
      {
        cutover: aCutover({
          from: 'blue',
          spec: { migrations: [{ name: 'schema', reversible: false, jobTemplate: job }] },
        }),
      },
      'none: migration schema is not reversible',
    ],
    [
      'what it supersedes has committed such a migration',
      {
        superseded: aCutover({
          from: 'blue',
          status: { migrations: [{ name: 'drop', hash: 'h', reversible: false, state: 'Committed' }] },
        }),
      },
      'none: migration drop is not reversible',
    ],
  ])('says what a rollback would cost after %s', (_, changes, text) => {
    const traffic = [{ name: 'www', role: 'web' }];
    const platform = changes.platform ?? aPlatform({ live: 'blue', spec: { traffic } });
    expect(planOf(input({ ...changes, platform })).rollback).toContain(text);
  });

  it('of a Decommission switches nothing', () => {
    const cutover = aCutover({ from: 'blue', spec: { mode: 'Decommission', to: undefined as never } });
    expect(planOf(input({ cutover, to: undefined })).switches).toEqual([]);
  });

  it('of a Rollback to a stopped standby says how long it takes to start', () => {
    const retention = { until: '', standby: 'Stopped' as const, cutover: { name: 'x', uid: 'y' } };
    const to = aGeneration({ live: true, status: { retention } });
    const off = [{ ...machine('i-1'), state: 'stopped' as const }, machine('i-2')];
    const members = [aMember({ machine: 'i-2' })];
    const cutover = aCutover({ from: 'blue', spec: { mode: 'Rollback' } });
    expect(planOf(input({ cutover, to, machines: off, members })).estimatedStartDuration).toBe('3m');
    expect(planOf(input({ cutover, to, machines: off.slice(1), members })).estimatedStartDuration).toBe('0s');
    expect(planOf(input({ to, machines: off })).estimatedStartDuration).toBeUndefined();
  });

  it('says what is in the way, and what has changed since somebody approved it', () => {
    const hash = planOf(input()).hash;
    const old = hash.split('-').with(2, '000000000000').join('-');
    const approved = (...hashes: string[]) =>
      planOf(
        input({
          cutover: aCutover({
            from: 'blue',
            spec: { approvals: hashes.map((planHash, n) => ({ user: `${n}@example.com`, planHash })) },
          }),
        }),
      ).changed;
    expect(approved(old)).toEqual(['switches']);
    expect(approved(old, hash)).toEqual([]);
    expect(planOf(input({ members: [] })).blockers).toMatchObject([
      { object: 'ClusterGeneration green', reason: 'TargetNotReady', message: expect.stringContaining('0 of 3') },
    ]);
  });

  it('of a Recovery stays approved when the object of the live generation is lost as well', () => {
    const cutover = aCutover({ from: 'blue', spec: { mode: 'Recovery' } });
    const { hash } = planOf(aCutoverInput({ cutover }));
    expect(planOf(aCutoverInput({ cutover, from: undefined, left: [], back: [] })).hash).toBe(hash);
  });

  it('of a Decommission switches no target, and is not kept from it by one that is gone', () => {
    const { spec, ...rest } = aCutover({ from: 'blue', spec: { mode: 'Decommission' } });
    const { to: _, ...without } = spec;
    const targets = [aView({ problem: { reason: 'TargetNotFound', message: 'gone' } })];
    const plan = planOf(input({ cutover: { ...rest, spec: without }, to: undefined, targets, back: targets }));
    expect(plan).toMatchObject({ switches: [], blockers: [] });
  });
});
