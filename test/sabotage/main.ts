/**
 * Takes every rule of the policies, every check of the interlock and of the webhook and every probe of the canary out in turn, and requires
 * that a test goes red. Prints what caught what; exit status 1 when a sabotage survives.
 *
 * `--code` or `--policies`: only these. What follows is a part of the paths of files to sabotage.
 */
import { sabotageCode } from './code.ts';
import { targets } from './mutations/index.ts';
import { sabotagePolicies } from './policies.ts';
import { report } from './report.ts';
import type { Verdict } from './sabotage.ts';

const [only, part = ''] = process.argv.slice(2);
const say = (line: string) => console.error(line);

const verdicts: Verdict[] = [];
if (only !== '--policies') {
  const chosen = targets.filter(({ file }) => file.includes(part));
  verdicts.push(...(await sabotageCode(chosen, say)));
}
if (only !== '--code') verdicts.push(...(await sabotagePolicies(say)));
const { text, survived } = report(verdicts);
console.log(text);
process.exitCode = survived === 0 && verdicts.length > 0 ? 0 : 1;
