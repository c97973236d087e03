import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { customResourceDefinition } from './crd.ts';
import { definitions } from './v1alpha1/index.ts';

/** Writes `crds/`, a file per kind: `node src/api/generate.ts [directory]`. */
const directory = process.argv[2] ?? 'crds';
mkdirSync(directory, { recursive: true });
for (const file of readdirSync(directory)) rmSync(join(directory, file));
for (const definition of definitions) {
  const text = stringify(customResourceDefinition(definition), { lineWidth: 0, aliasDuplicateObjects: false });
  writeFileSync(
    join(directory, `${definition.plural}.yaml`),
    `# Generated from src/api by make generate; do not edit.\n${text}`,
  );
}
