import { expect, it } from '@jest/globals';
import { aPlatform, at } from '../../test/builders/index.ts';
import { CONSISTENT, freezeOf, standstillOf } from './freeze.ts';

const withCondition = (status: 'True' | 'False' | 'Unknown') =>
  aPlatform({
    status: { conditions: [{ type: CONSISTENT, status, reason: 'R', message: 'why', lastTransitionTime: at(0) }] },
  });

it('freezes a platform only while the two sides are seen to disagree', () => {
  expect(freezeOf(withCondition('False'))).toBe('why');
  expect(freezeOf(withCondition('True'))).toBeUndefined();
  expect(freezeOf(withCondition('Unknown'))).toBeUndefined();
  expect(freezeOf(aPlatform())).toBeUndefined();
});

it('lets nothing begin before the two sides were compared', () => {
  const { protected: _, ...status } = aPlatform().status;
  expect(standstillOf({ ...aPlatform(), status })).toContain('has not compared it with the cloud');
  expect(standstillOf(withCondition('False'))).toBe('why');
  expect(standstillOf(withCondition('True'))).toBeUndefined();
});
