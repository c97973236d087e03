import type { Cutover, StepName } from '../../api/v1alpha1/index.ts';
import { timestamp } from '../../domain/conditions.ts';

/** What a cutover has written down of its own steps. */

export type Journal = NonNullable<Cutover['status']['steps']>;
export type Entry = Journal[number];

export const entryOf = (cutover: Cutover, step: StepName): Entry | undefined =>
  cutover.status.steps?.find(({ name }) => name === step);

/** The step was begun and is not wholly undone: something of it may be there. */
export function hasBegun(cutover: Cutover, step: StepName): boolean {
  const state = entryOf(cutover, step)?.state;
  return state === 'Running' || state === 'Done' || state === 'Failed';
}

export const isDone = (cutover: Cutover, step: StepName): boolean => entryOf(cutover, step)?.state === 'Done';

/** Nothing of it is to be done any more. */
export const isOver = (entry: Entry | undefined): boolean => entry?.state === 'Done' || entry?.state === 'Skipped';

/** The journal with a step's entry brought up to date; its start is kept, and it stays where it is in the order. */
export function recorded(journal: Journal, name: StepName, change: Partial<Entry>, now: number): Journal {
  const before = journal.find((entry) => entry.name === name);
  const entry: Entry = { startTime: timestamp(now), ...before, state: 'Running', ...change, name };
  if (!before) return [...journal, entry];
  return journal.map((other) => (other === before ? entry : other));
}

/** The cutover has written something that has to be given back or completed. */
export const isBegun = (cutover: Cutover): boolean => cutover.status.generations !== undefined;

/** The step that it is at: the one that is under way. */
export const stepAt = (cutover: Cutover): StepName | undefined =>
  cutover.status.steps?.findLast(({ state }) => state === 'Running')?.name;

/** A migration that bars the way back: it is not reversible, and is committed or may be. */
export const irreversibleIn = ({ status }: Cutover): NonNullable<Cutover['status']['migrations']>[number] | undefined =>
  status.migrations?.find(({ reversible, state }) => !reversible && (state === 'Running' || state === 'Committed'));

/** What is said of one for people, and as a reason. */
export const barredBy = ({ name, state }: { name: string; state: string }): { reason: string; message: string } =>
  state === 'Running'
    ? { reason: 'IrreversibleMigrationRunning', message: `migration ${name} is not reversible and is running` }
    : { reason: 'IrreversibleMigrationCommitted', message: `migration ${name} is not reversible and is committed` };
