import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, jest } from '@jest/globals';

// Hours go by in each of them, on a machine that may have other work.
jest.setTimeout(120_000);

const folder = new URL('./', import.meta.url);

/** Compares a log with test/golden/<name>.golden; with UPDATE_GOLDEN=1 in the environment it becomes that file. */
export function expectGolden(name: string, log: readonly string[]): void {
  const file = new URL(`${name}.golden`, folder);
  const text = `${log.join('\n')}\n`;
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, text);
  }
  expect(text).toBe(readFileSync(file, 'utf8'));
}
