import { describe, expect, it } from '@jest/globals';
import { aCutover, aCutoverInput, aGeneration, aPlatform, at, EPOCH } from '../../../../test/builders/index.ts';
import { retain } from './retain.ts';

const held = aGeneration({ live: true, reservedBy: 'to-green' });
const free = aGeneration({ live: true });
const act = (changes: Parameters<typeof aCutoverInput>[0] = {}) => retain.act(aCutoverInput({ to: held, ...changes }));
const kept = aCutover({ from: 'blue', status: { retainUntil: at(99) } });

describe('Retain', () => {
  it('sets the clock in the journal before it gives the reservation back', () => {
    const action = act();
    expect(action).toMatchObject({
      journal: { retainUntil: at(60 + 48 * 3600) },
      effects: [{ do: 'writeGeneration', object: held }],
      message: `blue is kept until ${at(60 + 48 * 3600)}`,
    });
    expect(action).not.toHaveProperty('effects.0.status.reservedBy');
    expect(action).toHaveProperty('effects.0.status.liveTime', at(0));
  });

  it('runs at the time scale, and at once with standby None', () => {
    expect(act({ scaled: (ms) => ms / 60 })).toMatchObject({ journal: { retainUntil: at(60 + 48 * 60) } });
    const platform = aPlatform({ live: 'green', spec: { retention: { standby: 'None', for: '48h' } } });
    expect(act({ platform })).toMatchObject({ journal: { retainUntil: at(60) } });
  });

  it('keeps the clock that was set', () => {
    expect(act({ cutover: kept, now: EPOCH + 9e6 })).toMatchObject({ journal: { retainUntil: at(99) } });
  });

  it('sets the clock for a source that has vanished meanwhile: its name is still to be taken off the list', () => {
    expect(act({ from: undefined })).toMatchObject({ journal: { retainUntil: at(60 + 48 * 3600) } });
  });

  it('has nothing to keep after the first cutover', () => {
    const action = act({ cutover: aCutover(), from: undefined });
    expect(action).toMatchObject({
      effects: [{ what: 'give back the reservation of green' }],
      message: 'nothing to keep: this was the first cutover',
    });
    expect(action).not.toHaveProperty('journal');
  });

  it('leaves the reservation of another cutover alone', () => {
    expect(act({ to: aGeneration({ live: true, reservedBy: 'to-next' }) })).toMatchObject({ effects: [] });
  });

  it.each([
    ['the clock is set and the reservation given back', { cutover: kept, to: free }, true],
    ['the reservation is still there', { cutover: kept, to: held }, false],
    ['the clock is not set', { to: free }, false],
    ['there is nothing to keep', { cutover: aCutover(), from: undefined, to: free }, true],
  ])('when %s: done %s', (_, changes, done) => expect(retain.done(aCutoverInput(changes))).toBe(done));
});
