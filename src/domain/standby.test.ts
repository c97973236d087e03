import { describe, expect, it } from '@jest/globals';
import { aGeneration, aPlatform, at } from '../../test/builders/index.ts';
import { objectionToStopping, powerWanted, startEstimate } from './standby.ts';

const kept = (changes: Parameters<typeof aGeneration>[0] = {}, standby: 'Running' | 'Stopped' | 'None' = 'Stopped') =>
  aGeneration({
    live: true,
    ...changes,
    status: {
      retention: { until: at(900), standby, cutover: { name: 'to-blue', uid: 'uid-to-blue' } },
      ...changes?.status,
    },
  });
const after = aPlatform({ live: 'blue', status: { protected: ['blue', 'green'] } });

describe('the machines of a generation that a cutover has left', () => {
  it('are to be stopped when that is how it is kept, and only then', () => {
    expect(powerWanted(kept(), after)).toBe('Stopped');
    expect(powerWanted(kept({}, 'Running'), after)).toBe('Running');
    expect(powerWanted(kept({}, 'None'), after)).toBe('Running');
    expect(objectionToStopping(kept({}, 'Running'), after)).toBe('green is not kept as a stopped standby');
  });

  it.each<[string, Parameters<typeof objectionToStopping>, string]>([
    ['it is live', [kept(), aPlatform({ live: 'green' })], `live generation of Platform us since ${at(0)}`],
    [
      'its name is the live one’s',
      [kept(), aPlatform({ status: { live: { name: 'green', uid: 'other', time: at(1) } } })],
      'is the live generation',
    ],
    [
      'its UID from before a restore is the live one’s',
      [
        kept({ status: { formerUIDs: ['old'] } }),
        aPlatform({ status: { live: { name: 'was-green', uid: 'old', time: at(1) } } }),
      ],
      'is the live generation',
    ],
    ['a rollback has reserved it', [kept({ reservedBy: 'back' }), after], 'green is reserved by Cutover back'],
    ['it is retired', [kept({ retired: true }), after], 'removed, not stopped'],
    ['no Cutover has left it', [aGeneration({ live: true }), after], 'not kept as a stopped standby'],
    ['its Platform is gone', [kept(), undefined], 'Platform us does not exist'],
  ])('run on when %s', (_, [generation, platform], why) => {
    expect(objectionToStopping(generation, platform)).toContain(why);
    expect(powerWanted(generation, platform)).toBe('Running');
  });
});

describe('the time until stopped machines are Ready again', () => {
  it('is that of one, and what the cloud’s pace adds', () => {
    expect([0, 1, 1000, 1120].map(startEstimate)).toEqual([0, 180_000, 180_000, 240_000]);
  });
});
