import { describe, expect, it } from '@jest/globals';
import { aGeneration, aPlatform, at } from '../../test/builders/index.ts';
import { stageOf } from './stage.ts';

const none = { planned: false, desired: 3, ready: 0 };
const some = { planned: true, desired: 3, ready: 2 };
const all = { planned: true, desired: 3, ready: 3 };
const elsewhere = aPlatform({ live: 'blue' });
const retention = { until: at(900), standby: 'Stopped' as const, cutover: { name: 'to-blue', uid: 'uid-to-blue' } };

describe('the stage of a generation', () => {
  it.each<[string, Parameters<typeof stageOf>]>([
    ['Planned', [aGeneration(), elsewhere, none]],
    ['Planned', [aGeneration(), undefined, none]],
    ['Provisioning', [aGeneration(), elsewhere, some]],
    ['Staged', [aGeneration(), elsewhere, all]],
    ['Staged', [aGeneration({ reservedBy: 'to-green' }), elsewhere, all]],
    ['Staged', [aGeneration({ live: true, reservedBy: 'to-green' }), elsewhere, all]],
    ['Live', [aGeneration({ live: true }), aPlatform({ live: 'green' }), some]],
    ['Retained', [aGeneration({ live: true }), elsewhere, all]],
    ['Retained', [aGeneration({ live: true, status: { retention } }), elsewhere, none]],
    ['Retained', [aGeneration({ live: true, reservedBy: 'back', status: { retention } }), elsewhere, all]],
    [
      'Live',
      [aGeneration({ live: true, reservedBy: 'back', status: { retention } }), aPlatform({ live: 'green' }), all],
    ],
    ['Retired', [aGeneration({ retired: true, status: { retention } }), elsewhere, none]],
    ['Retired', [aGeneration({ retired: true }), elsewhere, none]],
    ['Retired', [aGeneration({ retired: true }), aPlatform({ live: 'green' }), all]],
  ])('is %s', (stage, input) => expect(stageOf(...input)).toBe(stage));

  it('is not that of a namesake', () => {
    expect(stageOf(aGeneration({ metadata: { uid: 'other' } }), aPlatform({ live: 'green' }), all)).toBe('Staged');
  });
});
