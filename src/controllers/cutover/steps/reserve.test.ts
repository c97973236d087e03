import { describe, expect, it } from '@jest/globals';
import { aCutover, aCutoverInput, aGeneration, aPlatform } from '../../../../test/builders/index.ts';
import { reserve } from './reserve.ts';

const reserved = aGeneration({ reservedBy: 'to-green' });
const both = aPlatform({ live: 'blue', status: { protected: ['blue', 'green'] } });
const effectsOf = (changes: Parameters<typeof aCutoverInput>[0]) => {
  const action = reserve.act(aCutoverInput(changes));
  return 'effects' in action ? action.effects.map(({ what }) => what) : action;
};

describe('Reserve', () => {
  it('writes the target itself first, then the list that policies read, each in the state that was read', () => {
    const input = aCutoverInput();
    expect(reserve.act(input)).toEqual({
      journal: { generations: { from: { name: 'blue', uid: 'uid-blue' }, to: { name: 'green', uid: 'uid-green' } } },
      effects: [
        {
          do: 'writeGeneration',
          object: input.to,
          status: { ...input.to?.status, reservedBy: { name: 'to-green', uid: 'uid-to-green' } },
          what: 'reserve green',
        },
        {
          do: 'writePlatform',
          object: input.platform,
          status: { ...input.platform?.status, protected: ['blue', 'green'] },
          what: 'protect green',
        },
      ],
      message: 'reserving green',
    });
  });

  it('goes on where a crash left it', () => {
    expect(effectsOf({ to: reserved })).toEqual(['protect green']);
    expect(effectsOf({ platform: both })).toEqual(['reserve green']);
  });

  it('protects the live one too, should it not be', () => {
    expect(effectsOf({ platform: aPlatform({ live: 'blue', status: { protected: [] } }) })).toEqual([
      'reserve green',
      'protect blue and green',
    ]);
  });

  it.each([
    ['both are written', {}, true],
    ['not every API server was seen to follow', { sight: { seen: false, waitingFor: 'one', overdue: false } }, false],
    ['nobody has looked whether the API servers follow', { sight: undefined }, false],
    ['the target is not', { to: aGeneration() }, false],
    ['another holds the target', { to: aGeneration({ reservedBy: 'other' }) }, false],
    ['the target is not listed', { platform: aPlatform({ live: 'blue' }) }, false],
    ['the source is not listed', { platform: aPlatform({ status: { protected: ['green'] } }) }, false],
    [
      'there is no source',
      { from: undefined, cutover: aCutover(), platform: aPlatform({ status: { protected: ['green'] } }) },
      true,
    ],
  ])('when %s: done %s', (_, changes, done) => {
    expect(reserve.done(aCutoverInput({ to: reserved, platform: both, ...changes }))).toBe(done);
  });

  it('waits for the API servers, and is blocked by one that does not follow', () => {
    const waiting = (overdue: boolean) =>
      reserve.act(
        aCutoverInput({ to: reserved, platform: both, sight: { seen: false, waitingFor: 'the one at x', overdue } }),
      );
    expect(waiting(false)).toEqual({ waitFor: 'the one at x' });
    expect(waiting(true)).toEqual({
      blocked: { reason: 'GuardNotEffective', message: 'waiting in vain: the one at x' },
    });
  });

  it('waits for what it cannot see', () => {
    expect(reserve.act(aCutoverInput({ to: undefined }))).toEqual({ waitFor: 'the platform and both generations' });
  });
});
