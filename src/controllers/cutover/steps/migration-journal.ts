import type { Cutover } from '../../../api/v1alpha1/index.ts';
import { timestamp } from '../../../domain/conditions.ts';
import type { Problem } from '../../../traffic/target.ts';
import type { CutoverInput } from '../input.ts';
import { hashOf } from '../job-manifest.ts';
import type { Progress } from './job-progress.ts';

/** What a cutover writes down of its migrations, and how it speaks of them. */

export type Migration = NonNullable<Cutover['spec']['migrations']>[number];
export type Entry = NonNullable<Cutover['status']['migrations']>[number];

/** For a migration that does not say how long it may take. */
export const DEADLINE = '30m';
/** Longest message of an entry, characters. */
const MESSAGE_LENGTH = 4096;

export const migrationsOf = ({ cutover }: CutoverInput): Migration[] => cutover.spec.migrations ?? [];

/** Of the same work: an entry that was inherited under this name may be about something else. */
export const entryOf = ({ cutover }: CutoverInput, { name, jobTemplate }: Migration): Entry | undefined =>
  cutover.status.migrations?.find((entry) => entry.name === name && entry.hash === hashOf(jobTemplate));

/** @param job `namespace/name` */
export function begun(input: CutoverInput, { name, jobTemplate, reversible }: Migration, job: string) {
  const startTime = timestamp(input.now);
  return journalled(input, { name, hash: hashOf(jobTemplate), reversible, state: 'Running', job, startTime });
}

/** @param failure why, of one that has failed */
export function ended(
  input: CutoverInput,
  entry: Entry,
  state: Entry['state'],
  failure: Partial<Extract<Progress, { state: 'Failed' }>> = {},
) {
  const { message: _, interrupted: __, ...rest } = entry;
  const { message, interrupted } = failure;
  return journalled(input, {
    ...rest,
    state,
    endTime: timestamp(input.now),
    ...(message && { message: message.slice(0, MESSAGE_LENGTH) }),
    ...(interrupted && { interrupted }),
  });
}

/** With one entry brought up to date; each stays where it is in the order. */
export function journalled({ cutover }: CutoverInput, entry: Entry): Partial<Cutover['status']> {
  const before = cutover.status.migrations ?? [];
  const known = before.some(({ name }) => name === entry.name);
  return { migrations: known ? before.map((old) => (old.name === entry.name ? entry : old)) : [...before, entry] };
}

export const problem = (reason: string, name: string, message: string): Problem => ({
  reason,
  message: `migration ${name}: ${message}`,
});

export const nowhere = ({ cutover }: CutoverInput): Problem => ({
  reason: 'JobsNotConfigured',
  message: `spec.jobs was taken out of Platform ${cutover.spec.platform}: put it back, and the cutover goes on`,
});
