import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aCondition, at, EPOCH } from '../../test/builders/index.ts';
import { conditionOf, isTrue, kstatus, type Verdict, withConditions } from './conditions.ts';

const about = { generation: 4, now: EPOCH + 60_000 };
const ready = (changes: Partial<Verdict> = {}): Verdict => ({
  type: 'Ready',
  status: true,
  reason: 'AllReady',
  message: 'three machines',
  ...changes,
});

describe('conditions after a decision', () => {
  it('state the verdict with the time and the generation that it is about', () => {
    expect(withConditions(undefined, [ready()], about)).toEqual([
      {
        type: 'Ready',
        status: 'True',
        reason: 'AllReady',
        message: 'three machines',
        lastTransitionTime: at(60),
        observedGeneration: 4,
      },
    ]);
  });

  it('keep the time of the last change while only the message changes', () => {
    const before = [aCondition({ lastTransitionTime: at(1) })];
    const [after] = withConditions(before, [ready({ message: 'four' })], about);
    expect(after).toMatchObject({ message: 'four', lastTransitionTime: at(1) });
  });

  it.each([false, 'Unknown'] as const)('move the time when the status becomes %s', (status) => {
    const [after] = withConditions([aCondition({ lastTransitionTime: at(1) })], [ready({ status })], about);
    expect(after).toMatchObject({ status: status === false ? 'False' : status, lastTransitionTime: at(60) });
  });

  it('leave those of others alone and drop what is cleared', () => {
    const others = [aCondition({ type: 'GuardEffective' }), aCondition({ type: 'Old' })];
    const after = withConditions(others, [ready()], { ...about, cleared: ['Old'] });
    expect(after.map(({ type }) => type)).toEqual(['GuardEffective', 'Ready']);
    expect(after[0]).toBe(others[0]);
  });

  it('cut a message at what the API takes', () => {
    expect(withConditions([], [ready({ message: 'x'.repeat(5000) })], about)[0]?.message).toHaveLength(4096);
  });

  it('of an unchanged decision are an unchanged object, however much later', () => {
    const verdict = fc.record({
      type: fc.constantFrom('Ready', 'Live', 'Accepted'),
      status: fc.constantFrom<Verdict['status']>(true, false, 'Unknown'),
      reason: fc.string(),
      message: fc.string({ maxLength: 5000 }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(verdict, { selector: ({ type }) => type }), fc.nat(), (verdicts, later) => {
        const once = withConditions([aCondition({ type: 'Other' })], verdicts, about);
        const twice = withConditions(once, verdicts, { ...about, now: about.now + later });
        expect(twice).toEqual(once);
        expect(JSON.stringify(twice)).toBe(JSON.stringify(once));
      }),
    );
  });
});

describe('kstatus', () => {
  it.each([
    ['Current', false, false],
    ['Reconciling', true, false],
    ['Stalled', false, true],
  ] as const)('of %s', (progress, reconciling, stalled) => {
    const verdicts = kstatus(progress, 'Why', 'because');
    expect(verdicts.map(({ type, status }) => [type, status])).toEqual([
      ['Reconciling', reconciling],
      ['Stalled', stalled],
    ]);
    for (const { status, reason, message } of verdicts)
      expect([reason, message]).toEqual(status ? ['Why', 'because'] : ['No', '']);
  });
});

describe('reading a condition', () => {
  const object = { status: { conditions: [aCondition({ status: 'Unknown' }), aCondition({ type: 'Live' })] } };
  it('finds it by type, and takes only True for true', () => {
    expect(conditionOf(object, 'Ready')?.status).toBe('Unknown');
    expect(isTrue(object, 'Ready')).toBe(false);
    expect(isTrue(object, 'Live')).toBe(true);
    expect(isTrue(object, 'Absent')).toBe(false);
    expect(isTrue({ status: {} }, 'Ready')).toBe(false);
  });
});
