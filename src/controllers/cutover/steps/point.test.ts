import { describe, expect, it } from '@jest/globals';
import { aCutover, aCutoverInput, aGeneration, aPlatform, at } from '../../../../test/builders/index.ts';
import { point } from './point.ts';

const effectsOf = (changes: Parameters<typeof aCutoverInput>[0]) => {
  const action = point.act(aCutoverInput(changes));
  return 'effects' in action ? action.effects : [];
};
const marked = aGeneration({ status: { liveTime: at(5) } });

describe('Point', () => {
  it('marks the generation first, then names it in the Platform', () => {
    expect(effectsOf({})).toMatchObject([
      { do: 'writeGeneration', object: { metadata: { name: 'green' } }, status: { liveTime: at(60) } },
      {
        do: 'writePlatform',
        status: {
          live: { name: 'green', uid: 'uid-green', time: at(60) },
          previous: { name: 'blue', uid: 'uid-blue', time: at(0) },
          protected: ['blue'],
        },
      },
    ]);
  });

  it('goes on where a crash left it, with the time that was written', () => {
    expect(effectsOf({ to: marked })).toMatchObject([{ do: 'writePlatform', status: { live: { time: at(5) } } }]);
    expect(effectsOf({ to: marked, platform: aPlatform({ live: 'green' }) })).toEqual([]);
  });

  it('has no previous one to name the first time', () => {
    const [, effect] = effectsOf({ cutover: aCutover(), from: undefined, platform: aPlatform() });
    expect(effect).toMatchObject({ status: { live: { name: 'green' } } });
    expect(effect).not.toHaveProperty('status.previous');
  });

  it.each([
    ['both are written', { to: marked, platform: aPlatform({ live: 'green' }) }, true],
    ['the generation is not', { to: aGeneration(), platform: aPlatform({ live: 'green' }) }, false],
    ['the Platform is not', { to: marked, platform: aPlatform({ live: 'blue' }) }, false],
    [
      'the Platform names a namesake',
      { to: aGeneration({ live: true, metadata: { uid: 'x' } }), platform: aPlatform({ live: 'green' }) },
      false,
    ],
  ])('when %s: done %s', (_, changes, done) => expect(point.done(aCutoverInput(changes))).toBe(done));
});
