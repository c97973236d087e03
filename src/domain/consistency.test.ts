import { describe, expect, it } from '@jest/globals';
import { aGeneration, aMachine, aPlatform, aPool, at } from '../../test/builders/index.ts';
import { LIVE_TIME_TAG, RELEASED_TAG } from '../api/v1alpha1/index.ts';
import { inconsistencyOf, lastLiveAtCloud } from './consistency.ts';

const machineOf = (generation: string, id: string, tags: Record<string, string> = {}, state = 'running') => {
  const machine = aMachine({ id, pool: aPool({ generation }) });
  return { id, state, tags: { ...machine.tags, ...tags } };
};
const live = (time: string) => ({ [LIVE_TIME_TAG]: time });
const both = [aGeneration({ name: 'blue', live: true }), aGeneration({ name: 'green' })];
const us = (changes: Parameters<typeof aPlatform>[0] = {}) => aPlatform({ live: 'blue', ...changes });

describe('machines at the cloud', () => {
  it('agree with the generations that own them', () => {
    expect(inconsistencyOf(us(), both, [machineOf('blue', 'i-1'), machineOf('green', 'i-2')])).toBeUndefined();
    expect(inconsistencyOf(us(), [], [])).toBeUndefined();
  });

  it('that no generation owns are named, with what to do', () => {
    const strangers = ['i-1', 'i-2', 'i-3', 'i-4', 'i-5'].map((id) => machineOf('old', id));
    const found = inconsistencyOf(us(), both, [...strangers, machineOf('older', 'i-6')]);
    expect(found?.reason).toBe('UnknownMachines');
    expect(found?.message).toBe(
      'the cloud has machines of Platform us that no ClusterGeneration owns: 5 of old with UID uid-old (i-1, i-2, i-3 and 2 more); 1 of older with UID uid-older (i-6). Nothing is launched, terminated or moved. After a restore: say in spec.rebind, one UID at a time, to which ClusterGeneration they belong, by two people',
    );
  });

  it.each([
    ['have ended', machineOf('old', 'i-1', {}, 'terminated')],
    ['are ending', machineOf('old', 'i-1', {}, 'shutting-down')],
    ['were let go', machineOf('old', 'i-1', { [RELEASED_TAG]: at(0) })],
    ['are of another platform', machineOf('old', 'i-1', { 'generations.dev/platform': 'eu' })],
  ])('do not matter when they %s', (_, machine) => expect(inconsistencyOf(us(), both, [machine])).toBeUndefined());

  it('are those of a generation that had their UID before', () => {
    const restored = aGeneration({ name: 'old', metadata: { uid: 'new' }, status: { formerUIDs: ['uid-old'] } });
    expect(inconsistencyOf(us(), [restored], [machineOf('old', 'i-1')])).toBeUndefined();
  });
});

describe('the live pointer', () => {
  const later = [machineOf('blue', 'i-1', live(at(0))), machineOf('green', 'i-2', live(at(50)))];

  it('disagrees with a cloud that says that another went live later', () => {
    expect(inconsistencyOf(us(), both, later)).toMatchObject({
      reason: 'PointerDisagrees',
      message: expect.stringContaining(
        `green (UID uid-green) is live since ${at(50)}, and Platform us says that blue is`,
      ),
    });
    expect(inconsistencyOf(aPlatform(), both, later)?.message).toContain('Platform us says that none is');
  });

  it.each([
    ['names it', us({ live: 'green' }), both],
    [
      'names what it was before a restore',
      us({ status: { live: { name: 'green', uid: 'new', time: at(0) }, protected: ['green'] } }),
      [both[0]!, aGeneration({ name: 'green', metadata: { uid: 'new' }, status: { formerUIDs: ['uid-green'] } })],
    ],
    ['is newer', us({ status: { live: { name: 'blue', uid: 'uid-blue', time: at(60) } } }), both],
    [
      'was newer, and is gone by an override',
      aPlatform({ status: { previous: { name: 'red', uid: 'uid-red', time: at(60) } } }),
      both,
    ],
    ['is about to move there', us(), [both[0]!, aGeneration({ name: 'green', reservedBy: 'to-green' })]],
    ['was never written', { ...us(), status: { observedGeneration: 1 } }, both],
    [
      'is acknowledged to be older',
      us({ status: { rebound: [{ generation: 'green', uid: 'uid-green', time: at(55) }] } }),
      both,
    ],
  ])('agrees when it %s', (_, platform, generations) =>
    expect(inconsistencyOf(platform, generations, later)).toBeUndefined(),
  );

  it('agrees with a cloud that was told, and then told that it was taken back', () => {
    const back = [machineOf('blue', 'i-1', live(at(0))), machineOf('green', 'i-2', live(''))];
    expect(inconsistencyOf(us(), both, back)).toBeUndefined();
    expect(lastLiveAtCloud(back)).toEqual({ uid: 'uid-blue', time: at(0) });
  });

  it('is not acknowledged by what was said before', () => {
    const rebound = [{ generation: 'green', uid: 'uid-green', time: at(49) }];
    expect(inconsistencyOf(us({ status: { rebound } }), both, later)?.reason).toBe('PointerDisagrees');
  });

  it('at the cloud is the newest tag; a tag that is no time says nothing', () => {
    expect(lastLiveAtCloud([...later, machineOf('red', 'i-3', live('soon'))])).toEqual({
      uid: 'uid-green',
      time: at(50),
    });
    expect(lastLiveAtCloud([machineOf('red', 'i-3')])).toBeUndefined();
  });
});
