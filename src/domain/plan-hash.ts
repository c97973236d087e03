import { createHash } from 'node:crypto';

/** The hash of a plan: one digest for each of its parts, so that two hashes tell which parts differ. */

/** In the order in which their digests stand in the hash. A new part goes to the end. */
const PARTS = ['generations', 'machines', 'switches', 'migrations', 'checks', 'retention'] as const;

type Part = (typeof PARTS)[number];

/** Of a part that is not looked at. */
const ANY = 'any';

/** Hexadecimal digits: 48 bits a part, 77 characters in all, which still fits on a command line. */
const DIGITS = 12;

/** Hash of all parts; one that is undefined may be anything. */
export const hashOf = (parts: Record<Part, unknown>): string =>
  PARTS.map((part) => (parts[part] === undefined ? ANY : digest(parts[part]))).join('-');

/** Names of the parts in which two hashes differ; `all of it` when one is no such hash. */
export function differences(a: string, b: string): string[] {
  const [left, right] = [a.split('-'), b.split('-')];
  if (left.length !== PARTS.length || right.length !== PARTS.length) return a === b ? [] : ['all of it'];
  return PARTS.filter((_, index) => left[index] !== right[index]);
}

/** A digest that does not depend on the order of an object's keys, nor on fields that are undefined. */
export const digest = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(canonical(value)))
    .digest('hex')
    .slice(0, DIGITS);

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => [key, canonical(field)]),
  );
}
