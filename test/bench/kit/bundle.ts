import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Bundles an entry point as the operator's own is: one minified file of ECMAScript, dependencies included. */
export async function bundle(name: string, into: string): Promise<string> {
  const outfile = join(into, `${name}.mjs`);
  await build({
    entryPoints: [join(import.meta.dirname, `${name}.ts`)],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'error',
    // Dependencies in CommonJS call `require` for Node's own modules.
    banner: { js: "import{createRequire as r}from'node:module';const require=r(import.meta.url);" },
  });
  return outfile;
}

/** The flags with which the chart starts the operator: `[node, --flag, dist/main.js]` has one. */
export async function shippedFlags(): Promise<string[]> {
  const chart = join(import.meta.dirname, '../../../charts/cluster-generations/templates/deployment.yaml');
  const command = /command: \[(.+)\]/
    .exec(await readFile(chart, 'utf8'))?.[1]
    ?.split(',')
    .map((part) => part.trim());
  if (command?.[0] !== 'node') throw new Error(`${chart} has no line "command: [node, ...]"`);
  return command.slice(1, -1);
}
