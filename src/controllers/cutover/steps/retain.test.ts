import { describe, expect, it } from '@jest/globals';
import { aCutover, aCutoverInput, aGeneration, aPlatform, at, EPOCH } from '../../../../test/builders/index.ts';
import type { CutoverPlan } from '../../../api/v1alpha1/index.ts';
import { planOf } from '../plan.ts';
import { retain } from './retain.ts';

const us = { name: 'to-green', uid: 'uid-to-green' };
const held = aGeneration({ live: true, reservedBy: 'to-green' });
const platform = aPlatform({ live: 'green', status: { cutover: us } });
const until = at(60 + 48 * 3600);
type Changes = Parameters<typeof aCutoverInput>[0];
const generations = { from: { name: 'blue', uid: 'uid-blue' }, to: { name: 'green', uid: 'uid-green' } };
/** A cutover from blue at its end. */
const ending = ({ status, ...changes }: Parameters<typeof aCutover>[0] = {}) =>
  aCutover({ from: 'blue', ...changes, status: { generations, ...status } });
const act = (changes: Changes = {}) => retain.act(aCutoverInput({ cutover: ending(), to: held, platform, ...changes }));
const kept = ending({ status: { retainUntil: at(99) } });
const retention = { until: at(99), standby: 'Running' as const, cutover: us };
const namesake = aGeneration({ name: 'blue', metadata: { uid: 'uid-blue-2' } });
const left = aGeneration({ name: 'blue', live: true, status: { retention } });

const planned = (retention: NonNullable<CutoverPlan['retention']>) => {
  const cutover = ending();
  const plan = { ...planOf(aCutoverInput({ cutover })), retention };
  return { ...cutover, status: { ...cutover.status, plan } };
};

describe('Retain', () => {
  it('says on the old generation how long it is kept, then gives back the new one, then the platform', () => {
    const action = act();
    expect(action).toMatchObject({
      journal: { retainUntil: until },
      effects: [
        {
          do: 'writeGeneration',
          object: { metadata: { name: 'blue' } },
          status: { retention: { until, standby: 'Running', cutover: us } },
        },
        { do: 'writeGeneration', object: held, status: { liveTime: at(0) } },
        { do: 'writePlatform', what: 'let go of Platform us' },
      ],
      message: `blue is kept until ${until}`,
    });
    expect(action).not.toHaveProperty('effects.1.status.reservedBy');
    expect(action).not.toHaveProperty('effects.2.status.cutover');
  });

  it('takes from one that was rolled back to the clock that would have retired it', () => {
    const to = aGeneration({ live: true, reservedBy: 'to-green', status: { retention } });
    expect(act({ to })).not.toHaveProperty('effects.1.status.retention');
  });

  it('says there as well that there is no going back after a migration that is not reversible', () => {
    const migrated = (reversible: boolean) =>
      ending({ status: { migrations: [{ name: 'schema', hash: 'h', reversible, state: 'Committed' }] } });
    expect(act({ cutover: migrated(false) })).toMatchObject({
      effects: [
        {
          status: {
            retention: { noRollback: 'migration schema is not reversible and is committed (Cutover to-green)' },
          },
        },
        {},
        {},
      ],
    });
    expect(act({ cutover: migrated(true) })).not.toHaveProperty('effects.0.status.retention.noRollback');
  });

  it('runs at the time scale, and at once with standby None', () => {
    expect(act({ scaled: (ms) => ms / 60 })).toMatchObject({ journal: { retainUntil: at(60 + 48 * 60) } });
    expect(act({ cutover: planned({ standby: 'None', for: '48h' }) })).toMatchObject({
      journal: { retainUntil: at(60) },
    });
  });

  it('keeps what the plan says, for as long as it says: the Platform may say something else since', () => {
    const none = aPlatform({
      live: 'green',
      spec: { retention: { standby: 'None', for: '1h' } },
      status: { cutover: us },
    });
    const stopped = { standby: 'Stopped' as const, for: '48h' };
    expect(act({ cutover: planned(stopped), platform: none })).toMatchObject({
      journal: { retainUntil: until },
      effects: [{ status: { retention: { until, standby: 'Stopped' } } }, {}, {}],
    });
  });

  it('keeps the clock that was set', () => {
    expect(act({ cutover: kept, now: EPOCH + 9e6 })).toMatchObject({
      journal: { retainUntil: at(99) },
      effects: [{ status: { retention: { until: at(99) } } }, {}, {}],
    });
  });

  it('has nothing to say on a source that has vanished, is retired, or is a namesake made later', () => {
    const whats = (from: Changes) => {
      const action = act(from);
      return 'effects' in action ? action.effects.map(({ what }) => what) : [];
    };
    const rest = ['give back the reservation of green', 'let go of Platform us'];
    expect(whats({ from: undefined })).toEqual(rest);
    expect(whats({ from: aGeneration({ name: 'blue', retired: true }) })).toEqual(rest);
    expect(whats({ from: namesake })).toEqual(rest);
    const lost = ending({ status: { generations: { to: generations.to } } });
    expect(whats({ cutover: lost })).toEqual(rest);
  });

  it('has nothing to keep after the first cutover', () => {
    const action = act({ cutover: aCutover(), from: undefined });
    expect(action).toMatchObject({ message: 'nothing to keep: no generation was live before' });
    expect(action).not.toHaveProperty('journal');
  });

  it('leaves the reservation of another cutover alone', () => {
    const free = aPlatform({ live: 'green' });
    expect(act({ from: left, to: aGeneration({ live: true, reservedBy: 'next' }), platform: free })).toMatchObject({
      effects: [],
    });
  });

  it.each([
    ['all is written', {}, true],
    ['the clock is not set', { cutover: ending() }, false],
    ['the old one does not say so', { from: aGeneration({ name: 'blue', live: true }) }, false],
    ['the reservation is still there', { to: held }, false],
    ['the platform is still held', { platform }, false],
    ['the old one is gone', { from: undefined }, true],
    ['another has the name of the old one', { from: namesake }, true],
    ['there is nothing to keep', { cutover: aCutover(), from: undefined }, true],
  ])('when %s: done %s', (_, changes, done) => {
    const input = {
      cutover: kept,
      from: left,
      to: aGeneration({ live: true }),
      platform: aPlatform({ live: 'green' }),
    };
    expect(retain.done(aCutoverInput({ ...input, ...changes }))).toBe(done);
  });

  it('says the same on every other one that is kept: a rollback to it would go past that migration, too', () => {
    const before = { ...retention, cutover: { name: 'to-blue', uid: 'uid-to-blue' } };
    const amber = aGeneration({ name: 'amber', live: true, status: { retention: before } });
    const migrations = [{ name: 'schema', hash: 'h', reversible: false, state: 'Committed' as const }];
    const cutover = ending({ status: { migrations, retainUntil: at(99) } });
    expect(act({ cutover, kept: [amber] })).toMatchObject({
      effects: [
        {},
        { object: amber, status: { retention: { ...before, noRollback: expect.stringContaining('schema') } } },
        {},
        {},
      ],
    });
    expect(act({ kept: [amber] })).toMatchObject({ effects: { length: 3 } });
  });

  it('gives a clock to one that a superseded cutover has left: nobody else would', () => {
    const amber = aGeneration({ name: 'amber', live: true });
    const cutover = ending({ spec: { supersedes: { name: 'old', uid: 'uid-old' } } });
    const input = { cutover, kept: [amber] };
    expect(act(input)).toMatchObject({
      effects: [{}, { object: amber, status: { retention: { until, standby: 'Running', cutover: us } } }, {}, {}],
    });
    const over = { ...kept, spec: cutover.spec };
    const rest = { from: left, to: aGeneration({ live: true }), platform: aPlatform({ live: 'green' }) };
    expect(retain.done(aCutoverInput({ cutover: over, ...rest, kept: [amber] }))).toBe(false);
    expect(retain.done(aCutoverInput({ cutover: over, ...rest, kept: [{ ...amber, status: left.status }] }))).toBe(
      true,
    );
  });
});
