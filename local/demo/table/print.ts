import type { Narrator } from '../narration.ts';
import { wrapped } from '../narration.ts';
import type { Line } from './lines.ts';

/** Characters in each column. */
const columns = [34, 24, 52] as const;

/**
 * Prints the table and the verdict.
 *
 * @param scale declared seconds in a real one
 * @returns whether every line holds
 */
export function printTable({ print }: Pick<Narrator, 'print'>, lines: ReadonlyArray<Line>, scale: number): boolean {
  const rule = `  ${'-'.repeat(8 + columns[0] + columns[1] + columns[2])}`;
  print('');
  print(row('', ['', '9 October 2023', 'here']));
  print(rule);
  for (const { what, in2023, here, holds } of lines) print(row(holds ? 'ok' : 'FAILED', [what, in2023, here]));
  print(rule);
  print(
    `  Minutes are scaled back: ${scale} declared seconds passed in a real one. Leases, watches and the API server run in real time,`,
  );
  print('  so each second that they took reads as half a minute here: the minutes are upper bounds.');
  const failed = lines.filter(({ holds }) => !holds);
  print(
    failed.length === 0
      ? `\nAll ${lines.length} lines hold, checked against the API server and the cloud's ledger.`
      : `\nFAILED: ${failed.length} of ${lines.length} lines do not hold: ${failed.map(({ what }) => what).join('; ')}.`,
  );
  return failed.length === 0 && lines.length > 0;
}

function row(mark: string, cells: [string, string, string]): string {
  const wraps = cells.map((cell, index) => wrapped(cell, columns[index] ?? 20));
  const height = Math.max(...wraps.map((lines) => lines.length));
  return Array.from({ length: height }, (_, at) => {
    const texts = wraps.map((lines, index) => (lines[at] ?? '').padEnd(columns[index] ?? 20));
    return `  ${(at === 0 ? mark : '').padEnd(6)} ${texts.join(' ')}`.trimEnd();
  }).join('\n');
}
