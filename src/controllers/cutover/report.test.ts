import { describe, expect, it } from '@jest/globals';
import { aCondition, aCutover, aCutoverInput, aGeneration, at } from '../../../test/builders/index.ts';
import type { ClusterGeneration, Cutover } from '../../api/v1alpha1/index.ts';
import { conditionOf } from '../../domain/conditions.ts';
import { report, unfinishedIn } from './report.ts';

const us = { name: 'to-green', uid: 'uid-to-green' };
const generations = { from: { name: 'blue', uid: 'uid-blue' }, to: { name: 'green', uid: 'uid-green' } };
const kept = (status: Partial<ClusterGeneration['status']> = {}) =>
  aGeneration({
    name: 'blue',
    live: true,
    status: { retention: { until: at(600), standby: 'Running', cutover: us }, ...status },
  });

/** What a cutover that has succeeded says of the way back. */
function wayBack(
  from: ClusterGeneration | undefined,
  { spec = {}, status = {} }: { spec?: Partial<Cutover['spec']>; status?: Partial<Cutover['status']> } = {},
): string {
  const cutover = aCutover({ from: 'blue', spec, status: { generations, outcome: 'Succeeded', ...status } });
  const written = report(aCutoverInput({ cutover, from }), [], {});
  const condition = conditionOf({ ...cutover, status: written }, 'RollbackAvailable');
  return `${condition?.status} ${condition?.reason}`;
}

describe('a cutover that has succeeded', () => {
  const dropped = { name: 'drop', hash: 'h', reversible: false, state: 'Committed' as const };

  it.each<[string, string, string]>([
    ['is kept', wayBack(kept()), 'True Retained'],
    ['is retired', wayBack(kept({ retiredTime: at(60), retiredBy: us })), 'False Retired'],
    ['is gone', wayBack(undefined), 'False OldCapacityGone'],
    ['is a namesake', wayBack({ ...kept(), metadata: { ...kept().metadata, uid: 'other' } }), 'False OldCapacityGone'],
    ['is live again', wayBack(aGeneration({ name: 'blue', live: true })), 'False LiveAgain'],
    [
      'was the last one',
      wayBack(kept(), { spec: { mode: 'Decommission', to: undefined as never } }),
      'False Decommissioned',
    ],
    ['never was', wayBack(undefined, { spec: { from: '' } }), 'False FirstCutover'],
    [
      'would find data that it does not know',
      wayBack(kept(), { status: { migrations: [dropped] } }),
      'False IrreversibleMigrationCommitted',
    ],
    [
      'would find what was undone',
      wayBack(kept(), {
        status: {
          migrations: [
            { ...dropped, reversible: true },
            { ...dropped, state: 'Failed' },
          ],
        },
      }),
      'True Retained',
    ],
  ])('says of the way back, when the old generation %s', (_, found, expected) => {
    expect(found).toBe(expected);
  });
});

it('counts cutovers that have not ended, with what they hold', () => {
  const held = { target: 'www', from: { app: 'a' }, to: { app: 'b' }, state: 'Held' as const };
  const switches = [held, { ...held, target: 'api', state: 'Pending' as const }];
  const stuck = { generations, switches, conditions: [aCondition({ type: 'Blocked' })] };
  expect(
    unfinishedIn([
      aCutover({ from: 'blue', status: { generations, outcome: 'Succeeded' } }),
      aCutover({ from: 'blue', status: stuck }),
      aCutover({ name: 'later', from: 'blue' }),
    ]),
  ).toEqual([
    { platform: 'us', cutover: 'to-green', begun: true, blocked: true, held: 1 },
    { platform: 'us', cutover: 'later', begun: false, blocked: false, held: 0 },
  ]);
});
