import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { paths } from './paths.ts';

/**
 * Bundles a program as the operator is shipped: minified ECMAScript for Node 24 with all dependencies included; what is imported on
 * demand, such as the AWS SDK, stays in chunks of its own. Takes about a second.
 *
 * @param entry path of the program's TypeScript file
 * @param directory where the result goes; it has to be of this bundle's own
 * @returns path of the file to run
 */
export async function bundle(entry: string, directory: string): Promise<string> {
  await rm(directory, { recursive: true, force: true });
  await build({
    entryPoints: { main: entry },
    outdir: directory,
    bundle: true,
    splitting: true,
    minify: true,
    platform: 'node',
    // Packages in ECMAScript where they have it: the AWS SDK's CommonJS takes 50 MB more memory.
    mainFields: ['module', 'main'],
    format: 'esm',
    target: 'node24',
    logLevel: 'error',
    // Dependencies in CommonJS call `require` for Node's own modules.
    banner: {
      js: "import{createRequire as $createRequire}from'node:module';const require=$createRequire(import.meta.url);",
    },
  });
  return join(directory, 'main.js');
}

/** The flags with which the chart starts the operator: `[node, --flag, dist/main.js]` has one. What runs here runs with the same. */
export function shippedFlags(): string[] {
  const deployment = join(paths.chart, 'templates', 'deployment.yaml');
  const command = /command: \[(.+)\]/
    .exec(readFileSync(deployment, 'utf8'))?.[1]
    ?.split(',')
    .map((part) => part.trim());
  if (command?.[0] !== 'node') throw new Error(`${deployment} has no line "command: [node, ...]"`);
  return command.slice(1, -1);
}

/** `npm run build`: the operator in dist/, run as `node dist/main.js`. */
if (process.argv[1] === import.meta.filename) await bundle(paths.operator, join(paths.root, 'dist'));
