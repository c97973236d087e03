import { describe, expect, it } from '@jest/globals';
import { aCutover, aCutoverInput, aGeneration, aPlatform, at } from '../../../../test/builders/index.ts';
import { point } from './point.ts';

const effectsOf = (changes: Parameters<typeof aCutoverInput>[0]) => {
  const action = point.act(aCutoverInput(changes));
  return 'effects' in action ? action.effects : [];
};
const marked = aGeneration({ status: { liveTime: at(5) } });
const blue = { name: 'blue', uid: 'uid-blue', time: at(0) };
/** It has written down that it makes green live at `at(5)`, coming from blue. */
const begun = (pointer: object = {}) =>
  aCutover({ from: 'blue', status: { pointer: { liveTime: at(5), live: blue, ...pointer } } });

const live = (time: string) =>
  aPlatform({ live: 'green', status: { live: { name: 'green', uid: 'uid-green', time } } });

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
    expect(effectsOf({ to: marked, cutover: begun() })).toMatchObject([
      { do: 'tag', tags: { 'generations.dev/live-time': at(5) } },
      { do: 'writePlatform', status: { live: { time: at(5) } } },
    ]);
    expect(effectsOf({ to: marked, cutover: begun(), platform: live(at(5)) })).toEqual([]);
    expect(effectsOf({ to: marked, cutover: begun(), platform: live(at(1)) }).at(-1)).toMatchObject({
      ...{ do: 'writePlatform', status: { live: { time: at(5) } } },
    });
  });

  it('leaves its name on the generation, after those of the last 15 others', () => {
    const liveBy = (...names: string[]) => {
      const [effect] = effectsOf({
        to: aGeneration({ live: true, ...(names.length > 0 && { status: { liveBy: names } }) }),
      });
      return effect?.do === 'writeGeneration' ? effect.status.liveBy : undefined;
    };
    expect(liveBy()).toEqual(['to-green']);
    expect(liveBy('first', 'back')).toEqual(['first', 'back', 'to-green']);
    const names = Array.from({ length: 16 }, (_, index) => `c-${index}`);
    expect(liveBy(...names)).toEqual([...names.slice(1), 'to-green']);
    // A backup has the generation of a later moment than its cutover.
    expect(liveBy('to-green', 'back')).toEqual(['back', 'to-green']);
  });

  it('ends what a Decommission has said of the platform', () => {
    const decommissioned = { cutover: { name: 'the-end', uid: 'uid-the-end' }, time: at(1) };
    const { effects } = point.act(aCutoverInput({ platform: aPlatform({ status: { decommissioned } }) })) as {
      effects: object[];
    };
    expect(effects.at(-1)).toMatchObject({ do: 'writePlatform', status: { live: { name: 'green' } } });
    expect(effects.at(-1)).not.toHaveProperty('status.decommissioned');
  });

  it('moves nothing while the generation is not there', () => {
    expect(point.act(aCutoverInput({ to: undefined }))).toEqual({ waitFor: 'the platform and both generations' });
  });

  it('has no previous one to name the first time', () => {
    const effect = effectsOf({ cutover: aCutover(), from: undefined, platform: aPlatform() }).at(-1);
    expect(effect).toMatchObject({ status: { live: { name: 'green' } } });
    expect(effect).not.toHaveProperty('status.previous');
  });

  it('tags only the machines that do not say that time yet, and none when there are none', () => {
    const tagged = (liveTime: string) => ({
      state: 'running' as const,
      tags: { 'generations.dev/live-time': liveTime },
    });
    const machines = [
      { id: 'i-1', ...tagged(at(5)) },
      { id: 'i-2', ...tagged(at(4)) },
      { id: 'i-3', state: 'running' as const, tags: {} },
    ];
    expect(effectsOf({ to: marked, cutover: begun(), machines })).toMatchObject([
      { do: 'tag', machines: ['i-2', 'i-3'] },
      { do: 'writePlatform' },
    ]);
    for (const none of [machines.slice(0, 1), []])
      expect(effectsOf({ to: marked, cutover: begun(), machines: none })).toMatchObject([{ do: 'writePlatform' }]);
  });

  it('waits for a cloud that is throttled, and is blocked by one that cannot be seen: nothing goes live untagged', () => {
    const throttled = { reason: 'Throttled', message: 'slower' };
    expect(point.act(aCutoverInput({ members: throttled, machines: [] }))).toEqual({ waitFor: 'slower' });
    const unseen = { reason: 'Unauthorized', message: 'who are you' };
    expect(point.act(aCutoverInput({ members: unseen, machines: [] }))).toEqual({ blocked: unseen });
  });

  it.each([
    ['both are written', { to: marked, platform: live(at(5)) }, true],
    ['the generation is not', { to: aGeneration(), platform: live(at(5)) }, false],
    [
      'the generation was live before, and is not again yet',
      { to: aGeneration({ live: true }), platform: live(at(0)) },
      false,
    ],
    ['the Platform is not', { to: marked, platform: aPlatform({ live: 'blue' }) }, false],
    [
      'the Platform names a namesake',
      { to: aGeneration({ status: { liveTime: at(5) }, metadata: { uid: 'x' } }), platform: live(at(5)) },
      false,
    ],
    ['nothing is written down', { to: marked, platform: live(at(5)), cutover: aCutover({ from: 'blue' }) }, false],
  ])('when %s: done %s', (_, changes, done) =>
    expect(point.done(aCutoverInput({ cutover: begun(), ...changes }))).toBe(done),
  );

  it('of a Decommission is done when the Platform names none', () => {
    const last = aCutover({ from: 'blue', spec: { mode: 'Decommission' }, status: { pointer: { liveTime: at(5) } } });
    delete last.spec.to;
    const done = (platform: ReturnType<typeof aPlatform> | undefined) =>
      point.done(aCutoverInput({ cutover: last, to: undefined, platform }));
    expect(done(aPlatform())).toBe(true);
    expect(done(aPlatform({ live: 'blue' }))).toBe(false);
    expect(done(undefined)).toBe(false);
  });

  it('writes down what it finds before it moves anything', () => {
    const platform = aPlatform({ live: 'blue', status: { previous: { name: 'red', uid: 'uid-red', time: at(-9) } } });
    expect(point.act(aCutoverInput({ platform, to: aGeneration({ live: true }) }))).toMatchObject({
      journal: {
        pointer: { liveTime: at(60), live: blue, previous: { name: 'red' }, formerLiveTime: at(0) },
      },
    });
  });

  it('of a Rollback gives the generation a new time', () => {
    expect(effectsOf({ to: aGeneration({ live: true }) })).toMatchObject([
      { do: 'writeGeneration', status: { liveTime: at(60) } },
      { do: 'tag' },
      { do: 'writePlatform' },
    ]);
  });

  it('of a Decommission leaves the platform with none, and says who did it', () => {
    const cutover = aCutover({ from: 'blue', spec: { mode: 'Decommission' } });
    delete cutover.spec.to;
    const effects = effectsOf({ cutover, to: undefined });
    expect(effects).toMatchObject([
      {
        do: 'writePlatform',
        status: {
          previous: blue,
          decommissioned: { cutover: { name: 'to-green', uid: 'uid-to-green' }, time: at(60) },
        },
      },
    ]);
    expect(effects[0]).not.toHaveProperty('status.live');
  });
});

describe('Point, undone', () => {
  const undo = (changes: Parameters<typeof aCutoverInput>[0]) =>
    point.undo(aCutoverInput({ cutover: begun(), ...changes }));
  const tags = { 'generations.dev/live-time': at(5) };
  const machines = [
    { id: 'i-1', state: 'running' as const, tags },
    { id: 'i-2', state: 'running' as const, tags: {} },
  ];

  it('moves the Platform back first, takes the tags back, then says so on the generation', () => {
    const action = undo({ to: marked, platform: live(at(5)), machines });
    expect(action).toMatchObject({
      effects: [
        { do: 'writePlatform', status: { live: blue } },
        { do: 'tag', machines: ['i-1'], tags: { 'generations.dev/live-time': '' } },
        { do: 'writeGeneration', what: 'green is not live any more' },
      ],
    });
    expect(action).not.toHaveProperty('effects.0.status.previous');
    expect(action).not.toHaveProperty('effects.2.status.liveTime');
  });

  it('gives one that was live before its former time back', () => {
    expect(undo({ cutover: begun({ formerLiveTime: at(1) }), to: marked, machines })).toMatchObject({
      effects: [
        { do: 'tag', tags: { 'generations.dev/live-time': at(1) } },
        { do: 'writeGeneration', status: { liveTime: at(1) } },
      ],
    });
  });

  it('takes its name back, and leaves those of others', () => {
    const of = (...liveBy: string[]) =>
      undo({
        to: aGeneration({ status: { liveTime: at(5), liveBy } }),
        platform: aPlatform({ live: 'blue' }),
        machines: [],
      });
    expect(of('first', 'to-green')).toMatchObject({
      effects: [{ do: 'writeGeneration', status: { liveBy: ['first'] } }],
    });
    expect(of('to-green')).toMatchObject({ effects: [{ do: 'writeGeneration' }] });
    expect(of('to-green')).not.toHaveProperty('effects.0.status.liveBy');
  });

  it('has nothing left to do when it never began, or is undone', () => {
    expect(undo({ cutover: aCutover({ from: 'blue' }) })).toBeUndefined();
    expect(undo({ machines })).toBeUndefined();
  });

  it('does not leave tags behind at a cloud that cannot be asked', () => {
    const throttled = { reason: 'Throttled', message: 'slower' };
    expect(undo({ to: marked, members: throttled, machines: [] })).toEqual({ waitFor: 'slower' });
  });

  it.each([
    ['gone', undefined],
    ['a namesake that was made since', aGeneration({ metadata: { uid: 'another' } })],
  ])('is undone when the generation that it has made live is %s', (_, to) => {
    const generations = { from: { name: 'blue', uid: 'uid-blue' }, to: { name: 'green', uid: 'uid-green' } };
    const cutover = begun();
    const input = aCutoverInput({
      cutover: { ...cutover, status: { ...cutover.status, generations } },
      platform: live(at(5)),
      to,
    });
    expect(point.undo(input)).toMatchObject({ effects: [{ do: 'writePlatform', status: { live: blue } }] });
    expect(point.undo({ ...input, platform: aPlatform() })).toMatchObject({ effects: [{ status: { live: blue } }] });
    expect(point.undo({ ...input, platform: aPlatform({ live: 'blue' }) })).toBeUndefined();
  });
});
