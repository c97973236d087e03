import { describe, expect, it } from '@jest/globals';
import { aCutover, aCutoverInput, at, aView } from '../../../test/builders/index.ts';
import { firstEntry, inherited } from './inherit.ts';

const stops = [{ stoppedTime: at(5) }];
const superseded = aCutover({
  name: 'old',
  status: {
    migrations: [{ name: 'schema', hash: 'h', reversible: false, state: 'Committed' }],
    downtime: [
      { role: 'web', traffic: '6s' },
      { role: 'always-on', stops },
    ],
    switches: [
      {
        ...{ target: 'www', from: {}, to: {}, state: 'Held', heldTime: at(20) },
        earlierHolds: [{ heldTime: at(5), servedTime: at(9) }],
      },
    ],
  },
});
const heir = (spec = { supersedes: { name: 'old', uid: 'uid-old' } }) =>
  aCutoverInput({ cutover: aCutover({ from: 'blue', spec }), superseded });

describe('a cutover that takes over', () => {
  it('has what was migrated, and tasks that the other one has stopped', () => {
    expect(inherited(heir())).toEqual({
      migrations: superseded.status.migrations,
      downtime: [{ role: 'always-on', stops }],
    });
    const bare = aCutover({ name: 'old' });
    expect(inherited({ ...heir(), superseded: bare })).toEqual({});
  });

  it('goes on with the holds of a target', () => {
    expect(firstEntry(heir(), aView())).toMatchObject({
      heldTime: at(20),
      earlierHolds: [{ heldTime: at(5), servedTime: at(9) }],
    });
  });
});

describe('a cutover that takes over nothing', () => {
  it('begins with nothing', () => {
    const input = { ...heir(), cutover: aCutover({ from: 'blue' }) };
    expect(inherited(input)).toEqual({});
    expect(firstEntry(input, aView())).not.toHaveProperty('heldTime');
  });
});
