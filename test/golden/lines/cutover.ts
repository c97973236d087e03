import { CUTOVER_FINALIZER, type Cutover } from '../../../src/api/v1alpha1/index.ts';
import { difference } from './difference.ts';

/** A Cutover: its steps, its journals, where it turns back, and how it ends. */
export function cutoverLines({ metadata: before, status: old }: Cutover, after: Cutover): (string | undefined)[] {
  const { metadata, status: now } = after;
  return [
    ...stepLines(old, after),
    difference('goes back', old.undo, now.undo, ({ reason, message }) => `(${reason}): ${message}`),
    ...switchLines(old, now),
    ...journalLines('migration', old.migrations, now.migrations, now.undo?.message),
    ...journalLines('check', old.checks, now.checks, now.undo?.message),
    difference('singletons:', counts(old), counts(now), String),
    ...(now.downtime ?? []).flatMap(({ role, traffic, singletons }) => {
      const known = old.downtime?.find((entry) => entry.role === role);
      return [
        difference(`downtime of ${role}'s traffic:`, known?.traffic, traffic, String),
        difference(`downtime of ${role}'s tasks:`, known?.singletons, singletons, String),
      ];
    }),
    difference('keeps the old one', old.retainUntil, now.retainUntil, (time) => `until ${time}`),
    difference('outcome', old.outcome, now.outcome, String),
    held(before.finalizers) === held(metadata.finalizers)
      ? undefined
      : held(metadata.finalizers)
        ? 'may not be deleted'
        : 'may be deleted',
  ];
}

function counts({ singletons }: Cutover['status']): string | undefined {
  if (!singletons) return undefined;
  const { total, running, starting, waiting } = singletons;
  return `${running} of ${total} run, ${starting} start, ${waiting} wait`;
}

const held = (finalizers: string[] = []): boolean => finalizers.includes(CUTOVER_FINALIZER);

/** A line for each step that has turned; one for all that were skipped together. */
function stepLines(old: Cutover['status'], { spec, status, ...rest }: Cutover): string[] {
  const turned = (status.steps ?? []).filter(
    ({ name, state }) => old.steps?.find((step) => step.name === name)?.state !== state,
  );
  const lines: string[] = [];
  for (const [index, { name, state, message }] of turned.entries()) {
    if (state !== 'Skipped') {
      lines.push(
        `step ${name} ${state}${state === 'Failed' && message !== status.undo?.message ? `: ${message}` : ''}`,
      );
      if (name === 'Approve' && state === 'Done') lines.push(...approved({ spec, status, ...rest }));
    } else if (turned[index - 1]?.state === 'Skipped') lines.push(`${lines.pop()}, ${name}`);
    else lines.push(`skips ${name}`);
  }
  return lines;
}

function approved({ spec, status }: Cutover): string[] {
  const users = (spec.approvals ?? []).filter(({ planHash }) => planHash === status.plan?.hash).map(({ user }) => user);
  return users.length > 0 ? [`${status.plan?.hash} approved by ${users.join(', ')}`] : [];
}

/** Targets that have moved, by where they are now. */
function switchLines(old: Cutover['status'], now: Cutover['status']): string[] {
  const turned = (now.switches ?? []).filter(
    ({ target, state }) => old.switches?.find((entry) => entry.target === target)?.state !== state,
  );
  const states = [...new Set(turned.map(({ state }) => state))];
  return states.map(
    (state) =>
      `${state === 'Pending' && !old.switches ? 'journals' : state} ${turned
        .filter((entry) => entry.state === state)
        .map(({ target }) => target)
        .join(', ')}`,
  );
}

type Entry = { name: string; state: string; round?: number; message?: string | undefined };

/** @param said what is written elsewhere already */
function journalLines(what: string, old: readonly Entry[] = [], now: readonly Entry[] = [], said = ''): string[] {
  return now
    .filter(({ name, state, round }) => {
      const known = old.find((entry) => entry.name === name);
      return known?.state !== state || known.round !== round;
    })
    .map(({ name, state, round, message }) => {
      const again = round ? `, round ${round}` : '';
      return `${what} ${name} ${state}${again}${message && state === 'Failed' && !said.includes(message) ? `: ${message}` : ''}`;
    });
}
