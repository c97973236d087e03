import { describe, expect, it } from '@jest/globals';
import { explore } from './explore.ts';
import { KEEPERS, LIVES, lifeOf } from './migrations.ts';

/** More than any of these has. */
const LIMIT = 20_000;

describe('the model of a migration', () => {
  it.each(Object.entries(LIVES))('never runs twice: %s', (_, life) => {
    expect(explore(lifeOf(life), LIMIT)).toMatchObject({ complete: true });
  });

  it.each(KEEPERS)('goes wrong without %s', (without) => {
    const { counterexample } = explore(lifeOf({ reversible: false, force: true, without }), LIMIT);
    expect(counterexample?.wrong).toMatch(/^S14: /);
  });
});
