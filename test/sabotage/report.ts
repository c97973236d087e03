import type { Verdict } from './sabotage.ts';

/** A table of sabotages and what caught them, and how many survived. */
export function report(verdicts: readonly Verdict[]): { text: string; survived: number } {
  const survivors = verdicts.filter(({ caughtBy }) => caughtBy.length === 0);
  const lines: string[] = [];
  let last = '';
  for (const { where, without, caughtBy, trouble } of verdicts) {
    if (where !== last) lines.push('', where);
    last = where;
    const [first = '', ...others] = caughtBy;
    const more = others.length > 0 ? ` (and ${others.length} more)` : '';
    lines.push(
      `  without ${without}`,
      caughtBy.length > 0 ? `    caught: ${first}${more}` : `    SURVIVED: ${trouble ?? 'nothing noticed'}`,
    );
  }
  const total = `${verdicts.length} sabotages, ${verdicts.length - survivors.length} caught, ${survivors.length} survived`;
  return { text: [...lines.slice(1), '', total].join('\n'), survived: survivors.length };
}
