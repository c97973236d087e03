import { describe, expect, it } from '@jest/globals';
import { explore } from './explore.ts';
import { modelOf } from './model.ts';
import { REMOVALS, scenario } from './scenarios.ts';

/** More than any of these has. */
const LIMIT = 200_000;

/** The leader goes on with what it does until the state is as wanted; it is not to die, and looks only at that cutover. */
const until = (cutover: string, isThere: (status: Record<string, unknown>) => boolean) => ({ cutover, isThere });
type Happening = string | ReturnType<typeof until>;

/** Follows what happens. Returns what is not possible any more, or what goes wrong on the way. */
function follow(changes: Parameters<typeof scenario>[0], happenings: readonly Happening[]) {
  const model = modelOf(scenario(changes));
  let state = model.initial();
  const step = (isWanted: (label: string) => boolean): { wrong?: string | undefined } | undefined => {
    let chosen: { next: Uint16Array; wrong?: string | undefined } | undefined;
    model.next(state, (label, next, wrong) => {
      if (chosen || !isWanted(label) || next.every((cell, at) => cell === state[at])) return;
      chosen = { next: next.slice(), wrong: wrong ?? model.wrongWith(next) };
    });
    if (chosen) state = chosen.next;
    return chosen;
  };
  for (const happening of happenings) {
    const label = typeof happening === 'string' ? happening : `the leader goes on with ${happening.cutover}`;
    for (let more = true; more; ) {
      const happened =
        typeof happening === 'string'
          ? step((offered) => offered === label)
          : step((offered) => /^the leader (?!dies|looks)|^the leader looks at [AB]{2}$/.test(offered));
      if (!happened) return { stopped: label };
      if (happened.wrong !== undefined) return { wrong: happened.wrong };
      more =
        typeof happening !== 'string' &&
        !happening.isThere(model.world.factsIn(state, happening.cutover)?.status ?? {});
    }
  }
  return {};
}

/** A is retired, and the interlock of one replica is admitted to end its machines; a person rolls back; another replica begins. */
const KILLER: readonly Happening[] = [
  until('AB', ({ outcome }) => outcome === 'Succeeded'),
  'a person retires now what was left by AB',
  'the leader looks at the clock of A',
  'the leader A: Retired',
  'the leader us: NoLongerProtected',
  'the interlock is admitted to end the machines of A',
  'a person applies Cutover BA',
  until('BA', ({ generations }) => generations !== undefined),
  'the leader keep this Cutover until what it holds is given back',
  'the leader reserve A',
  'the interlock ends the machines of A',
];

describe('the model of the cutover', () => {
  it('finds nothing wrong in a small world with everything in place', () => {
    const small = scenario({ people: ['retire now'], rest: false });
    expect(explore(modelOf(small), LIMIT)).toMatchObject({ complete: true });
  });

  it.each(REMOVALS.map((removal) => [removal.without.join(' and '), removal] as const))(
    'goes wrong without %s',
    (_, removal) => {
      const { counterexample } = explore(modelOf(removal), LIMIT);
      expect(counterexample?.wrong).toMatch(/^S[123]: |which is live/);
    },
  );

  it('has the killer schedule in it, which ends where a retired generation is refused', () => {
    expect(follow({ rest: false }, KILLER)).toMatchObject({ stopped: expect.stringMatching(/goes on with BA$/) });
    expect(follow({ rest: false, without: ['one-way retirement'] }, KILLER)).toEqual({
      wrong: 'S2: a machine of A is ended, and no cutover has retired it',
    });
  });

  it('comes to the end of a cutover whose leader dies after any act, and of one whose former leader goes on', () => {
    const model = modelOf(scenario({ people: [], interlocks: 0, after: {} }));
    const { world } = model;
    const ends = new Set<string>();
    const result = explore(
      {
        ...model,
        wrongWith: (state) => {
          ends.add(String(world.factsIn(state, 'AB')?.status.outcome));
          return model.wrongWith(state);
        },
      },
      LIMIT,
    );
    expect(result).toMatchObject({ complete: true });
    expect([...ends].toSorted()).toEqual(['Succeeded', 'undefined']);
  });

  it('sees more when a former leader may go on beside the one that leads', () => {
    const counts = [1, 2].map(
      (operators) => explore(modelOf(scenario({ people: [], operators, rest: false })), LIMIT).states,
    );
    expect(counts[0]).toBeLessThan(counts[1] ?? 0);
  });
});
