import type { Cutover } from '../../src/api/v1alpha1/index.ts';
import { commandLine } from './command-line.ts';
import { cutover } from './manifests.ts';
import { readCutover, type Stage } from './stage.ts';

/** A Cutover as the story tells it: applied by one person, approved by another, followed step by step to its outcome. */
export interface Cut {
  name: string;
  /** Real ms since the epoch: applied, and ended. */
  from: number;
  until: number;
  outcome: string;
}

interface Telling {
  /** Steps that are worth a line when they are done, in words. */
  meaning?: Record<string, string>;
  /** What is done on the way: migrations, checks, another mode. */
  work?: object;
}

/** Applies a Cutover as alice, approves its plan as bob, and waits for its outcome. */
export async function carryOut(
  stage: Stage,
  name: string,
  [from, to]: [from: string, to: string],
  { meaning = {}, work = {} }: Telling = {},
): Promise<Cut> {
  const { tell } = stage;
  const began = Date.now();
  await stage.apply('alice', [cutover(name, from, to, work)]);
  tell.does('alice', `kubectl apply -f ${name}.yaml`);
  await approve(stage, name);
  const told = new Set<string>();
  const ended = await stage.until(`Cutover ${name} to end`, async () => {
    const seen = await readCutover(stage, name);
    if (seen?.status.undo && !told.has('undo')) {
      tell.say(`It goes back by itself: ${seen.status.undo.message}.`);
      told.add('undo');
    }
    for (const { name: step, state } of seen?.status.steps ?? []) {
      const words = meaning[step];
      if (state !== 'Done' || told.has(step)) continue;
      if (words !== undefined) tell.say(`${step} is done: ${words}.`);
      told.add(step);
    }
    return seen?.status.outcome === undefined ? undefined : seen;
  });
  const outcome = ended.status.outcome ?? '';
  tell.say(`Outcome: ${outcome}.`);
  return { name, from: began, until: Date.now(), outcome };
}

/** Bob looks at the plan and approves exactly that, in his own name. */
async function approve(stage: Stage, name: string): Promise<void> {
  const { plan } = (
    await stage.until(`the plan of ${name}`, async () => {
      const seen = await readCutover(stage, name);
      return seen && isWaiting(seen) ? seen : undefined;
    })
  ).status;
  if (!plan) throw new Error(`Cutover ${name} waits for approval of no plan`);
  const machines = plan.machines.reduce((sum, pool) => sum + pool.machines, 0);
  const migrations = `${plan.migrations.length || 'no'} migration${plan.migrations.length === 1 ? '' : 's'}`;
  const singletons = plan.singletons ? `, ${plan.singletons.total} tasks in ${plan.singletons.estimatedDuration}` : '';
  stage.tell.say(
    `Its plan: ${machines} machines, ${plan.switches.length} traffic switches, ${migrations}${singletons}. It waits for an approval.`,
  );
  const patch = JSON.stringify({ spec: { approvals: [{ user: 'bob@example.com', planHash: plan.hash }] } });
  const args = ['patch', 'cutover', name, '--type=merge', `--patch=${patch}`];
  stage.tell.does('bob', commandLine(args));
  const { status, stderr } = await stage.kubectl('bob', args);
  if (status !== 0) throw new Error(`bob could not approve ${name}: ${stderr.trim()}`);
}

const isWaiting = ({ status }: Cutover): boolean =>
  status.steps?.some(({ name, state }) => name === 'Approve' && state === 'Running') === true;
