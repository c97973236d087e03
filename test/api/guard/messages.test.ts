import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { runCommand } from '../../../local/command.ts';
import { type GuardedCluster, startGuardedCluster } from './cluster.ts';
import { aSpeakingCast, questions } from './messages.ts';

/**
 * What a person reads: every refusal, and a few legal acts beside them, as plain kubectl prints it. The table is messages.golden;
 * UPDATE_GOLDEN=1 rewrites it.
 */
let cluster: GuardedCluster;

beforeAll(async () => {
  cluster = await startGuardedCluster();
  await aSpeakingCast(cluster);
}, 180_000);
afterAll(() => cluster?.stop());

/** Two policies stop some acts, in the same words; which of them answers is not fixed. UIDs are never the same. */
function settled(output: string, twins: readonly string[]): string {
  return output
    .replace(/'generations-guard-([a-z]+)' with binding 'generations-guard-\1'/g, (whole, name: string) =>
      twins.includes(name) ? `'generations-guard-${twins.join('|')}' with its binding` : whole,
    )
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uid>');
}

it('is what messages.golden says', async () => {
  const file = new URL('messages.golden', import.meta.url);
  const { programs, kubeconfigs } = cluster.controlPlane;
  const told: string[] = [];
  for (const { as, args, input, twins = [] } of questions) {
    const kubeconfig = `--kubeconfig=${kubeconfigs[as ?? 'alice']}`;
    const { stdout, stderr } = await runCommand(programs.kubectl, [kubeconfig, ...args], {
      limitMs: 20_000,
      ...(input && { input }),
    });
    const quoted = args.map((arg) => (/^[\w./:=-]+$/.test(arg) ? arg : `'${arg}'`)).join(' ');
    told.push(`$ kubectl ${quoted}${as === undefined ? '' : `   # as ${as}`}\n${settled(stdout + stderr, twins)}`);
  }
  const text = told.join('\n');
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
}, 240_000);
