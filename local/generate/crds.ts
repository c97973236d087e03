import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { runCommand } from '../command.ts';

/** Below the tree's root: Helm never upgrades a chart's own crds/ folder, so the chart has them as templates. */
const chartFolder = join('charts', 'cluster-generations', 'templates', 'crds');

/** Writes `crds/` from the zod schemas, and from that the chart's templates. */
export async function writeCrds(root: string): Promise<void> {
  const { status, stderr } = await runCommand(process.execPath, [
    join(root, 'src', 'api', 'generate.ts'),
    join(root, 'crds'),
  ]);
  if (status !== 0) throw new Error(`src/api/generate.ts failed: ${stderr.trim()}`);

  const templates = join(root, chartFolder);
  await rm(templates, { recursive: true, force: true });
  await mkdir(templates, { recursive: true });
  for (const file of (await readdir(join(root, 'crds'))).sort()) {
    await writeFile(join(templates, file), crdTemplate(await readFile(join(root, 'crds', file), 'utf8')));
  }
}

/** A CRD as a template: it can be left out, and uninstalling the chart leaves it where it is, for all objects would go with it. */
export function crdTemplate(crd: string): string {
  const object = parse(crd) as { metadata: { annotations?: Record<string, string> } };
  object.metadata.annotations = { ...object.metadata.annotations, 'helm.sh/resource-policy': 'keep' };
  const text = stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });
  return `# Generated from crds/ by make generate; do not edit.\n{{- if .Values.crds.install }}\n${literally(text)}{{- end }}\n`;
}

/** Makes a template that renders as this very text. */
function literally(text: string): string {
  return text.replaceAll('{{', '{{ "{{" }}');
}
