import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyTree } from './copy.ts';
import { runTests } from './jest.ts';
import { type Sabotage, sabotaged, type Target, type Verdict } from './sabotage.ts';

/** Copies of the tree that work side by side. */
const AT_ONCE = 2;
/** The slowest of these unit tests take a few seconds; a sabotage may make one wait for ever. Real ms. */
const LIMIT = 90_000;
/** These start a control plane first. Real ms. */
const SLOW_LIMIT = 300_000;

/** Takes each check out of a copy of the code in turn and runs the tests that must notice. */
export async function sabotageCode(targets: readonly Target[], say: (line: string) => void): Promise<Verdict[]> {
  const copies = await Promise.all(Array.from({ length: AT_ONCE }, copyTree));
  try {
    const [first] = copies;
    if (!first) throw new Error('there is no copy of the tree');
    await mustPass(first.root, targets);
    const all = targets.flatMap((target) => target.sabotages.map((sabotage) => ({ target, sabotage })));
    const verdicts = new Map<Sabotage, Verdict>();
    const waiting = [...all];
    const work = async (root: string) => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const verdict = await tried(root, next.target, next.sabotage);
        verdicts.set(next.sabotage, verdict);
        say(`${verdicts.size} of ${all.length}: ${verdict.where} without ${verdict.without}: ${outcomeOf(verdict)}`);
      }
    };
    await Promise.all(copies.map(({ root }) => work(root)));
    return all.flatMap(({ sabotage }) => verdicts.get(sabotage) ?? []);
  } finally {
    await Promise.all(copies.map(({ remove }) => remove()));
  }
}

const outcomeOf = ({ caughtBy, trouble }: Verdict) =>
  caughtBy.length > 0 ? `caught by ${caughtBy.length}` : `SURVIVED (${trouble})`;

/** What is red without any sabotage proves nothing. */
async function mustPass(root: string, targets: readonly Target[]): Promise<void> {
  const tests = [...new Set(targets.flatMap((target) => target.tests))];
  const { failed, broken } = await runTests(root, tests, { project: 'unit', limitMs: 4 * LIMIT });
  if (broken !== undefined || failed.length > 0)
    throw new Error(`these fail without any sabotage: ${broken ?? failed.join('; ')}`);
}

async function tried(root: string, { file, tests, slow }: Target, sabotage: Sabotage): Promise<Verdict> {
  const verdict = { where: file, without: sabotage.what, caughtBy: [] };
  const path = join(root, file);
  const text = await readFile(path, 'utf8');
  try {
    await writeFile(path, sabotaged(text, file, sabotage));
    const quick = await runTests(root, tests, { project: 'unit', limitMs: LIMIT });
    const asked = quick.failed.length === 0 && quick.broken === undefined && slow;
    const run = asked ? await runTests(root, asked, { project: 'api', limitMs: SLOW_LIMIT }) : quick;
    const { passed, failed, broken } = run;
    if (failed.length > 0) return { ...verdict, caughtBy: failed };
    return { ...verdict, trouble: broken ?? (passed === 0 ? 'no test was run' : `all ${passed} tests passed`) };
  } catch (error) {
    return { ...verdict, trouble: error instanceof Error ? error.message : String(error) };
  } finally {
    await writeFile(path, text);
  }
}
