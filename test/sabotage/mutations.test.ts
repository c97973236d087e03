import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { targets } from './mutations/index.ts';
import { sabotaged } from './sabotage.ts';

const root = join(import.meta.dirname, '..', '..');

describe('the list of sabotages', () => {
  it.each(targets.map(({ file, sabotages }) => ({ file, sabotages })))(
    'fits $file as it is now',
    ({ file, sabotages }) => {
      const text = readFileSync(join(root, file), 'utf8');
      for (const sabotage of sabotages) expect(sabotaged(text, file, sabotage)).not.toBe(text);
    },
  );

  it('refuses a search text that is not there exactly once', () => {
    const sabotage = { what: 'a', find: 'b', replace: 'c' };
    expect(sabotaged('abc', 'x.ts', sabotage)).toBe('acc');
    expect(() => sabotaged('abcb', 'x.ts', sabotage)).toThrow('x.ts has 2 times, not once: b');
    expect(() => sabotaged('a', 'x.ts', sabotage)).toThrow('x.ts has 0 times');
  });
});
