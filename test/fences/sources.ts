import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The sources as text, and what they import: what fences are made of. Tests and what only they use are left out. */

const root = new URL('../../', import.meta.url).pathname;

export interface Source {
  /** From the root: `src/guard/destroy.ts`. */
  path: string;
  text: string;
}

export interface Import {
  from: string;
  /** From the root for a file of ours, else the name of a package or of a part of Node. */
  to: string;
  /** A file of ours. */
  ours: boolean;
  /** By import(). */
  lazy: boolean;
}

export const sourcesUnder = (folder: string): Source[] =>
  globSync(`${folder}/**/*.ts`, { cwd: root })
    .filter((path) => !path.endsWith('.test.ts') && !path.endsWith('/testing.ts'))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(`${root}${path}`, 'utf8') }));

/** Every import, of types as well, in whatever form: from, a bare import, import(). */
export const importsOf = (sources: readonly Source[]): Import[] =>
  sources.flatMap(({ path, text }) =>
    [...text.matchAll(/\b(?:from|import)\s*(\(?)\s*['"]([^'"\n]+)['"]/g)].map(([, lazy, name = '']) => ({
      from: path,
      to: name.startsWith('.') ? join(dirname(path), name) : name,
      ours: name.startsWith('.'),
      lazy: lazy === '(',
    })),
  );
