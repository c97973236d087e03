import { describe, expect, it } from '@jest/globals';
import { sameState, stateText } from './target.ts';

describe('the state of a target', () => {
  it.each([
    [{}, {}, true],
    [{ a: '1', b: '2' }, { b: '2', a: '1' }, true],
    [{ a: '1' }, { a: '2' }, false],
    [{ a: '1' }, {}, false],
    [{}, { a: '1' }, false],
    [{ a: '1' }, { b: '1' }, false],
  ])('%j is the same as %j: %s', (a, b, same) => expect(sameState(a, b)).toBe(same));

  it('reads well', () => {
    expect(stateText({ web: 'green', tier: '' })).toBe('web=green, tier=(nothing)');
    expect(stateText({})).toBe('(nothing)');
  });
});
