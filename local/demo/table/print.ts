import { type Narrator, wrapped } from '../narration.ts';
import type { Line } from './judge.ts';

/**
 * Prints the table and the verdict.
 *
 * @param scale declared seconds in a real one
 * @param columns characters in a line
 * @returns whether there are lines and every one holds
 */
export function printTable(
  { print }: Pick<Narrator, 'print'>,
  lines: ReadonlyArray<Line>,
  { scale, columns }: { scale: number; columns: number },
): boolean {
  const room = columns - margin.length - mark - 3;
  const widths = [Math.floor(room * 0.3), Math.floor(room * 0.22), Math.floor(room * 0.48)];
  const row = (first: string, cells: [string, string, string]) => print(rowOf(first, cells, widths));
  const rule = `${margin}${'-'.repeat(columns - margin.length)}`;
  print('');
  row('', ['', '9 October 2023', 'here']);
  print(rule);
  for (const { what, in2023, here, holds } of lines) row(holds ? 'ok' : 'FAILED', [what, in2023, here]);
  print(rule);
  const note = `Minutes are scaled back: ${scale} seconds passed in a real one. The API server, watches and leases know no scale: a real second of theirs reads as ${scale} here, so that these minutes are more than it would take. Consoles, notebooks and scheduled tasks are their machines here: what ran on them is not replayed.`;
  for (const text of wrapped(note, columns - margin.length)) print(margin + text);

  const failed = lines.filter(({ holds }) => !holds);
  print('');
  if (failed.length === 0)
    print(`All ${lines.length} lines hold, checked against the API server and the cloud's ledger.`);
  else
    print(
      `FAILED: ${failed.length} of ${lines.length} lines do not hold: ${failed.map(({ what }) => what).join('; ')}.`,
    );
  return lines.length > 0 && failed.length === 0;
}

const margin = '  ';
/** Characters for `ok` or `FAILED`. */
const mark = 6;

function rowOf(first: string, cells: ReadonlyArray<string>, widths: ReadonlyArray<number>): string {
  const wraps = cells.map((cell, index) => wrapped(cell, widths[index] ?? 1));
  const height = Math.max(...wraps.map((texts) => texts.length));
  return Array.from({ length: height }, (_, at) => {
    const texts = wraps.map((wrap, index) => (wrap[at] ?? '').padEnd(widths[index] ?? 1));
    return `${margin}${(at === 0 ? first : '').padEnd(mark)} ${texts.join(' ')}`.trimEnd();
  }).join('\n');
}
