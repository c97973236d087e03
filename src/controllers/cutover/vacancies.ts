import type { SwitchState } from '../../api/v1alpha1/index.ts';

/**
 * The state with the machines in it that are gone replaced by others that nobody has yet, as far as there are any.
 *
 * @param choices machines that are there; undefined when that is not known, and nothing is concluded
 * @param busy machines that have an address, or are to get one
 */
export function filled(
  state: SwitchState,
  choices: readonly string[] | undefined,
  busy: ReadonlySet<string>,
): SwitchState {
  const free = (choices ?? []).filter((machine) => !busy.has(machine));
  return Object.fromEntries(
    Object.entries(state).map(([key, machine]) => [
      key,
      isGone(machine, choices) ? (free.shift() ?? machine) : machine,
    ]),
  );
}

/** True for a machine that is known not to be there. */
export const isGone = (machine: string | undefined, choices: readonly string[] | undefined): boolean =>
  Boolean(machine) && choices !== undefined && !choices.includes(machine ?? '');
