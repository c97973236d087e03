import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aGeneration, aPlatform, at, EPOCH } from '../../test/builders/index.ts';
import type { ClusterGeneration, Platform } from '../api/v1alpha1/index.ts';
import { holdOf, neverWasLive, wasEverLive } from './protection.ts';

const moment = { now: EPOCH, scaled: (ms: number) => ms };

describe('a generation is held', () => {
  const green = aGeneration();
  it.each<[string, [ClusterGeneration, Platform | undefined], string | undefined]>([
    ['never: it was never live and nothing points at it', [green, aPlatform()], undefined],
    ['never: its Platform does not exist and it was never live', [green, undefined], undefined],
    ['never: another is live', [green, aPlatform({ live: 'blue' })], undefined],
    [
      'when it is live',
      [green, aPlatform({ live: 'green' })],
      `green is the live generation of Platform us since ${at(0)}`,
    ],
    [
      'when a namesake of the live one: the name is what traffic goes by',
      [aGeneration({ metadata: { uid: 'another' } }), aPlatform({ live: 'green' })],
      `green is the live generation of Platform us since ${at(0)}`,
    ],
    [
      'when the pointer has its UID, whatever name that says',
      [green, aPlatform({ live: 'green', status: { live: { name: 'other', uid: 'uid-green', time: at(0) } } })],
      `green is the live generation of Platform us since ${at(0)}`,
    ],
    [
      'when a cutover has reserved it',
      [aGeneration({ reservedBy: 'to-green' }), aPlatform()],
      'green is reserved by Cutover to-green',
    ],
    [
      'when it was live and is not retired, whatever the Platform says',
      [aGeneration({ live: true }), aPlatform({ live: 'blue' })],
      `green has been live since ${at(0)} and no Cutover has retired it`,
    ],
    [
      'when it was live and its Platform does not exist',
      [aGeneration({ live: true }), undefined],
      `green has been live since ${at(0)} and no Cutover has retired it`,
    ],
    [
      'when it is adopted and not retired',
      [aGeneration({ spec: { adopt: true } }), aPlatform()],
      'green is adopted and no Cutover has retired it',
    ],
    ['no more when it is retired', [aGeneration({ retired: true }), aPlatform({ live: 'blue' })], undefined],
    [
      'no more when it was adopted and is retired',
      [aGeneration({ retired: true, spec: { adopt: true } }), aPlatform()],
      undefined,
    ],
    [
      'when it is retired and still listed: the list shrinks last',
      [aGeneration({ retired: true }), aPlatform({ status: { protected: ['green'] } })],
      'green is in status.protected of Platform us',
    ],
    [
      'when it is retired and live all the same',
      [aGeneration({ retired: true }), aPlatform({ live: 'green' })],
      `green is the live generation of Platform us since ${at(0)}`,
    ],
  ])('%s', (_, [generation, platform], hold) => expect(holdOf(generation, platform, moment)).toBe(hold));

  it('while its Platform has never had a status: nobody knows what is live', () => {
    const { protected: _, ...status } = aPlatform().status;
    expect(holdOf(green, { ...aPlatform(), status }, moment)).toBe(
      'Platform us has no status.protected yet, so whether green is live is not known',
    );
  });

  it('unless every single reason is absent', () => {
    const generations = fc.record({
      live: fc.boolean(),
      retired: fc.boolean(),
      reserved: fc.boolean(),
      adopt: fc.boolean(),
    });
    const platforms = fc.option(fc.record({ pointed: fc.boolean(), listed: fc.boolean(), written: fc.boolean() }), {
      nil: undefined,
    });
    fc.assert(
      fc.property(generations, platforms, (g, p) => {
        const generation = aGeneration({
          live: g.live,
          retired: g.retired,
          ...(g.reserved && { reservedBy: 'x' }),
          spec: { adopt: g.adopt },
        });
        const platform =
          p && aPlatform({ ...(p.pointed && { live: 'green' }), status: { protected: p.listed ? ['green'] : [] } });
        if (platform && !p?.written) delete platform.status.protected;
        const free =
          !g.reserved &&
          (!g.live || g.retired) &&
          (!g.adopt || g.retired) &&
          (p === undefined || (!p.pointed && p.written && !p.listed));
        expect(holdOf(generation, platform, moment) === undefined).toBe(free);
      }),
    );
  });
});

describe('the destructive budget governs', () => {
  it.each([
    ['no generation that was never live', aGeneration(), false],
    ['one that is live', aGeneration({ live: true }), true],
    ['one that is retired', aGeneration({ retired: true }), true],
    ['one that was restored: nobody knows', aGeneration({ status: { formerUIDs: ['uid-before'] } }), true],
  ])('%s', (_, generation, governed) => expect(wasEverLive(generation)).toBe(governed));
});

describe('a person may have meant', () => {
  it.each<[string, ClusterGeneration, boolean]>([
    ['one that was never live', aGeneration(), true],
    ['no live one', aGeneration({ live: true }), false],
    ['no retired one', aGeneration({ retired: true }), false],
    ['no reserved one', aGeneration({ reservedBy: 'to-green' }), false],
    ['no adopted one', aGeneration({ spec: { adopt: true } }), false],
    ['none that was restored', aGeneration({ status: { formerUIDs: ['uid-before'] } }), false],
    ['none that is on its way out', aGeneration({ deleting: true }), false],
    ['none that the Platform protects', aGeneration({ name: 'blue' }), false],
  ])('%s', (_, generation, meant) => expect(neverWasLive(generation, aPlatform({ live: 'blue' }))).toBe(meant));
});
