import { describe, expect, it } from '@jest/globals';
import { report } from './report.ts';

describe('the report of make sabotage', () => {
  it('names what caught each sabotage, and counts what nothing caught', () => {
    const { text, survived } = report([
      { where: 'a.ts', without: 'this', caughtBy: ['one', 'two'] },
      { where: 'a.ts', without: 'that', caughtBy: [], trouble: 'all 3 tests passed' },
    ]);
    expect(survived).toBe(1);
    expect(text).toBe(
      [
        'a.ts',
        '  without this',
        '    caught: one (and 1 more)',
        '  without that',
        '    SURVIVED: all 3 tests passed',
        '',
        '2 sabotages, 1 caught, 1 survived',
      ].join('\n'),
    );
  });
});
