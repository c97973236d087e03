import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fidelityTables } from './fidelity.ts';

/** Writes the tables of fidelity.json into docs/simulator.md, between their two markers. */
const path = join(import.meta.dirname, '../../docs/simulator.md');
const [before, rest = ''] = readFileSync(path, 'utf8').split(/(?<=<!-- tables:[^\n]*-->\n)/);
const end = rest.slice(rest.indexOf('<!-- end of tables -->'));
writeFileSync(path, `${before}\n${fidelityTables()}\n\n${end}`);
