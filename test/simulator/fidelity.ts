import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Fidelity = {
  /** What a row's source stands for. */
  sources: Record<string, string>;
  errors: {
    operation: string;
    situation: string;
    code: string;
    status: number;
    /** What of it was seen on EC2 or is documented; the rest is assumed. */
    confirmed: ('code' | 'status')[];
    source: string;
  }[];
  /** Members, as botocore names them, that must be there in those situations. */
  members: { operation: string; situations: string[]; members: string[]; source: string }[];
  behaviour: { what: string; confirmed: boolean; source: string }[];
};

/** What the simulator is measured by, and where each measure is known from. */
export const fidelity: Fidelity = JSON.parse(readFileSync(join(import.meta.dirname, 'fidelity.json'), 'utf8'));

/** The tables of docs/simulator.md. */
export function fidelityTables(): string {
  const numbers = new Map(Object.keys(fidelity.sources).map((name, index) => [name, index + 1]));
  const source = (name: string) => `[${numbers.get(name)}]`;
  const table = (head: string[], rows: string[][]) =>
    [head, head.map(() => '-'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
  return [
    '### Behaviour',
    table(
      ['what', 'confirmed', 'source'],
      fidelity.behaviour.map((row) => [row.what, row.confirmed ? 'yes' : 'NO', source(row.source)]),
    ),
    '### Errors',
    table(
      ['operation', 'situation', 'code', 'status', 'confirmed', 'source'],
      fidelity.errors.map((row) => [
        row.operation,
        row.situation,
        row.code,
        String(row.status),
        row.confirmed.join(', ') || 'NO',
        source(row.source),
      ]),
    ),
    '### Members that must be there',
    table(
      ['operation', 'situations', 'members', 'source'],
      fidelity.members.map((row) => [
        row.operation,
        row.situations.join(', '),
        row.members.join(', '),
        source(row.source),
      ]),
    ),
    '### Sources',
    Object.values(fidelity.sources)
      .map((text, index) => `${index + 1}. ${text}`)
      .join('\n'),
  ].join('\n\n');
}
