import { describe, expect, it } from '@jest/globals';
import { aCutover, aCutoverInput, aGeneration, aMember, aPoolSpec, at } from '../../../test/builders/index.ts';
import { type Cutover, STEPS, type StepName } from '../../api/v1alpha1/index.ts';
import { lossOf } from './loss.ts';
import { noWayBack } from './way-back.ts';

type Status = Partial<Cutover['status']>;
const steps = (...names: StepName[]): Status => ({ steps: names.map((name) => ({ name, state: 'Running' as const })) });
const input = (status: Status, changes: Parameters<typeof aCutoverInput>[0] = {}, from = 'blue') =>
  aCutoverInput({ cutover: aCutover({ from, status }), ...changes });
const migration = (reversible: boolean, state: NonNullable<Status['migrations']>[number]['state']): Status => ({
  migrations: [{ name: 'schema', hash: 'h', reversible, state }],
});

describe('the point of no return', () => {
  it.each<[string, Status, Parameters<typeof aCutoverInput>[0], string | undefined]>([
    ['nothing has moved', {}, {}, undefined],
    ['everything but the end is done', steps('Soak'), {}, undefined],
    ['a reversible migration is committed', migration(true, 'Committed'), {}, undefined],
    ['an irreversible one is committed', migration(false, 'Committed'), {}, 'IrreversibleMigrationCommitted'],
    ['an irreversible one runs', migration(false, 'Running'), {}, 'IrreversibleMigrationRunning'],
    ['an irreversible one has failed, and so changed nothing', migration(false, 'Failed'), {}, undefined],
    ['it is finishing', steps('Retain'), {}, 'Finishing'],
    ['the source is gone, and nothing has moved yet', steps('Reserve'), { from: undefined }, undefined],
    ['the source is gone', steps('Hold'), { from: undefined }, 'OldCapacityGone'],
    ['the source is retired', steps('Hold'), { from: aGeneration({ name: 'blue', retired: true }) }, 'OldCapacityGone'],
    ['no machine of the source runs', steps('Switch', 'Hold'), { left: [] }, 'OldCapacityGone'],
    ['no machine of the source runs, and no target is held', steps('Switch'), { left: [] }, 'OldCapacityGone'],
    ['the cloud does not say', steps('Hold'), { left: { reason: 'Throttled', message: '' } }, undefined],
    [
      'a namesake of the source stands there',
      { ...steps('Hold'), generations: { from: { name: 'blue', uid: 'other' } } },
      {},
      'OldCapacityGone',
    ],
  ])('when %s: %#', (_, status, changes, reason) => {
    expect(noWayBack(input(status, changes))?.reason).toBe(reason);
  });

  it('of a first cutover is the pointer: there is nothing else to point at', () => {
    const first = (...names: StepName[]) => noWayBack(input(steps(...names), { from: undefined }, ''))?.reason;
    expect(first('Switch', 'Hold')).toBeUndefined();
    expect(first('Point')).toBe('FirstCutover');
    expect(first('Point', 'Retain')).toBe('FirstCutover');
  });

  it('of a Rollback that found no generation live is the pointer as well, and it says no more than that', () => {
    const { cutover } = input(steps('Point'), {}, '');
    cutover.spec.mode = 'Rollback';
    expect(noWayBack(aCutoverInput({ cutover, from: undefined }))).toEqual({
      reason: 'FirstCutover',
      message: 'no generation was live before it: there is none to go back to',
    });
  });

  it('of a Decommission likewise', () => {
    const last = (...names: StepName[]) => {
      const ending = input(steps(...names));
      ending.cutover.spec.mode = 'Decommission';
      return noWayBack(ending)?.reason;
    };
    expect(last('Quiesce')).toBeUndefined();
    expect(last('Point')).toBe('Decommissioned');
  });

  it('does not count a step that is undone', () => {
    const undone = { steps: [{ name: 'Hold' as const, state: 'Undone' as const, endTime: at(1) }] };
    expect(noWayBack(input(undone, { left: [] }))).toBeUndefined();
  });
});

describe('the new generation', () => {
  const begun = { generations: { to: { name: 'green', uid: 'uid-green' } } };
  it.each<[string, Parameters<typeof aCutoverInput>[0], RegExp | undefined]>([
    ['is there', {}, undefined],
    ['is gone', { to: undefined }, /does not exist any more/],
    ['is a namesake', { to: aGeneration({ metadata: { uid: 'x' } }) }, /made anew/],
    ['is being deleted', { to: aGeneration({ deleting: true }) }, /is being deleted/],
    ['has no Ready machine left', { members: [aMember({ ready: false })] }, /no machine of role web of green is ready/],
    ['has no machine left', { members: [] }, /no machine of role web of green is ready/],
    ['cannot be seen', { members: { reason: 'Throttled', message: '' } }, undefined],
    [
      'has a role without machines',
      { to: aGeneration({ spec: { pools: [aPoolSpec(), aPoolSpec({ name: 'x', role: 'x', machines: 0 })] } }) },
      undefined,
    ],
  ])('that %s', (_, changes, message) => {
    const found = lossOf(input(begun, changes), 'Migrate')?.message;
    if (message === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(message);
  });

  it('is asked for by every step that rests on it, not by those that come before, nor by the last', () => {
    const asking = STEPS.filter((step) => lossOf(input(begun, { to: undefined }), step) !== undefined);
    expect(asking).toEqual(STEPS.slice(STEPS.indexOf('Hold'), STEPS.indexOf('Retain')));
  });
});
