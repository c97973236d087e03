import { readdir, readFile } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { paths } from '../../local/paths.ts';
import { runTests } from './jest.ts';
import type { Verdict } from './sabotage.ts';

/**
 * The rules of the policies, found in the manifests; and what test/api/guard/mutation.test.ts makes of each: on a real API server it takes a
 * rule out, sees the act succeed that the rule stops, puts it back, and sees it refused by that rule alone.
 */

const TEST = 'test/api/guard/mutation.test.ts';
const ACT = 'without the rule against it, anybody can ';
const LIMIT = 15 * 60_000;

interface Rule {
  policy: string;
  message: string;
}

/** Every validation of every policy as rendered. */
async function rulesOfManifests(): Promise<Rule[]> {
  const folder = join(paths.root, 'manifests', 'policies');
  const rules: Rule[] = [];
  for (const file of (await readdir(folder)).toSorted())
    for (const document of parseAllDocuments(await readFile(join(folder, file), 'utf8'))) {
      const { kind, metadata, spec } = document.toJS() ?? {};
      if (kind !== 'ValidatingAdmissionPolicy') continue;
      for (const { messageExpression } of spec.validations)
        rules.push({ policy: metadata.name.replace('generations-guard-', ''), message: messageExpression });
    }
  return rules;
}

/** The table of the test, read outside of a test run, where jest's globals do not exist; the table needs none of them. */
async function tableOfTest() {
  const stub = 'data:text/javascript,export const jest = { setTimeout() {} }';
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === '@jest/globals' ? { url: stub, format: 'module', shortCircuit: true } : next(specifier, context),
  });
  try {
    return (await import('../api/guard/mutations.ts')).mutations;
  } finally {
    hooks.deregister();
  }
}

/** Takes each rule out of the policies in turn, on one control plane. */
export async function sabotagePolicies(say: (line: string) => void): Promise<Verdict[]> {
  const [rules, table] = [await rulesOfManifests(), await tableOfTest()];
  say(`${rules.length} rules of policies, on a real API server`);
  const { failed, passed, broken } = await runTests(paths.root, [TEST], { project: 'slow', limitMs: LIMIT });
  return rules.map(({ policy, message }) => {
    const acts = table
      .filter(([, , ...against]) => against.some(([name, part]) => name === policy && message.includes(part)))
      .map(([act]) => act);
    const verdict = { where: `generations-guard-${policy}`, without: shortened(message) };
    if (acts.length === 0) return { ...verdict, caughtBy: [], trouble: `no act in ${TEST} is stopped by it` };
    if (broken !== undefined || passed === 0)
      return { ...verdict, caughtBy: [], trouble: `the tests could not be run: ${broken}` };
    const red = acts.filter((act) => failed.some((name) => name.includes(ACT + act)));
    return red.length > 0
      ? { ...verdict, caughtBy: [], trouble: `red: ${red.join('; ')}` }
      : { ...verdict, caughtBy: acts.map((act) => `anybody can ${act}`) };
  });
}

/** The words of a message expression, without the CEL between them. */
const shortened = (expression: string): string =>
  [...expression.matchAll(/'([^']*)'/g)]
    .map(([, words]) => words?.trim())
    .filter(Boolean)
    .join(' … ')
    .slice(0, 70);
