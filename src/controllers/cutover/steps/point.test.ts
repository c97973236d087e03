import { describe, expect, it } from '@jest/globals';
import { aCutover, aCutoverInput, aGeneration, aPlatform, at } from '../../../../test/builders/index.ts';
import { point } from './point.ts';

const effectsOf = (changes: Parameters<typeof aCutoverInput>[0]) => {
  const action = point.act(aCutoverInput(changes));
  return 'effects' in action ? action.effects : [];
};
const marked = aGeneration({ status: { liveTime: at(5) } });

describe('Point', () => {
  it('marks the generation first, then its machines, then names it in the Platform', () => {
    expect(effectsOf({})).toMatchObject([
      { do: 'writeGeneration', object: { metadata: { name: 'green' } }, status: { liveTime: at(60) } },
      { do: 'tag', machines: ['i-1', 'i-2', 'i-3'], tags: { 'generations.dev/live-time': at(60) } },
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
    expect(effectsOf({ to: marked })).toMatchObject([
      { do: 'tag', tags: { 'generations.dev/live-time': at(5) } },
      { do: 'writePlatform', status: { live: { time: at(5) } } },
    ]);
    expect(effectsOf({ to: marked, platform: aPlatform({ live: 'green' }) })).toEqual([]);
  });

  it('has no previous one to name the first time', () => {
    const effect = effectsOf({ cutover: aCutover(), from: undefined, platform: aPlatform() }).at(-1);
    expect(effect).toMatchObject({ status: { live: { name: 'green' } } });
    expect(effect).not.toHaveProperty('status.previous');
  });

  it('tags only the machines that do not say that time yet, and none when there are none', () => {
    const tagged = (liveTime: string) => ({ tags: { 'generations.dev/live-time': liveTime } });
    const machines = [
      { id: 'i-1', ...tagged(at(5)) },
      { id: 'i-2', ...tagged(at(4)) },
      { id: 'i-3', tags: {} },
    ];
    expect(effectsOf({ to: marked, machines })).toMatchObject([
      { do: 'tag', machines: ['i-2', 'i-3'] },
      { do: 'writePlatform' },
    ]);
    for (const none of [machines.slice(0, 1), []])
      expect(effectsOf({ to: marked, machines: none })).toMatchObject([{ do: 'writePlatform' }]);
  });

  it('waits for a cloud that is throttled, and is blocked by one that cannot be seen: nothing goes live untagged', () => {
    const throttled = { reason: 'Throttled', message: 'slower' };
    expect(point.act(aCutoverInput({ members: throttled, machines: [] }))).toEqual({ waitFor: 'slower' });
    const unseen = { reason: 'Unauthorized', message: 'who are you' };
    expect(point.act(aCutoverInput({ members: unseen, machines: [] }))).toEqual({ blocked: unseen });
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
