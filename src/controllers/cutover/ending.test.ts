import { describe, expect, it } from '@jest/globals';
import { aCondition, aCutover, aCutoverInput, at } from '../../../test/builders/index.ts';
import { kstatusOf } from '../../../test/builders/kstatus.ts';
import type { Cutover } from '../../api/v1alpha1/index.ts';
import { conditionOf, kstatus, withConditions } from '../../domain/conditions.ts';
import { decide } from './decide.ts';

describe.each([
  ['Succeeded', 'True', 'True', 'Current'],
  ['RolledBack', 'False', 'False', 'Failed'],
  ['Aborted', 'False', 'False', 'Failed'],
  ['Superseded', 'True', 'False', 'Current'],
] as const)('a cutover that is %s', (outcome, ready, succeeded, forTools) => {
  const told = (status: Cutover['status']) =>
    ['Ready', 'Succeeded'].map((type) => {
      const found = conditionOf({ status }, type);
      return `${found?.status} ${found?.reason}: ${found?.message}`;
    });
  const conditions = [aCondition({ type: 'Ready', status: ready, reason: outcome, message: 'why' })];
  const status = { outcome, retainUntil: at(0), observedGeneration: 1, conditions };
  const look = (of: Cutover['status']) => decide(aCutoverInput({ cutover: aCutover({ from: 'blue', status: of }) }));

  it(`says so to whom waits: Ready ${ready}, Succeeded ${succeeded}, ${forTools}`, () => {
    const now = look(status).status;
    expect(told(now)).toEqual([`${ready} ${outcome}: why`, `${succeeded} ${outcome}: why`]);
    expect(kstatusOf(now)).toBe(forTools);
  });

  it('says the same again after the API server has refused what came after its end', () => {
    const refused = withConditions(
      look(status).status.conditions,
      [{ type: 'Ready', status: false, reason: 'Forbidden', message: 'no' }, ...kstatus('Stalled', 'Forbidden', 'no')],
      { generation: 1, now: 0 },
    );
    const now = look({ ...status, conditions: refused }).status;
    expect(told(now)).toEqual([`${ready} ${outcome}: why`, `${succeeded} ${outcome}: why`]);
    expect(kstatusOf(now)).toBe(forTools);
  });

  it('does nothing any more', () => {
    const decision = look(status);
    expect(decision).toMatchObject({ effects: [], requeueAfter: undefined });
    expect(look(decision.status)).toEqual(decision);
  });
});
