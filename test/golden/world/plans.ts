/** Hash of a plan, as domain/plan-hash.ts writes it. */
const HASH = /\b[0-9a-f]{12}(?:-(?:[0-9a-f]{12}|any)){5}/g;

/** Numbers the hashes of plans in the order in which they are read of: `plan-1`. */
export function plansByNumber(): (text: string) => string {
  const known: string[] = [];
  return (text) =>
    text.replaceAll(HASH, (hash) => {
      if (!known.includes(hash)) known.push(hash);
      return `plan-${known.indexOf(hash) + 1}`;
    });
}
