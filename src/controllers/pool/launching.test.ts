import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aPool, aRefusal, at, EPOCH } from '../../../test/builders/index.ts';
import type { Failure, FailureReason, GenerationPool, Launch } from '../../api/v1alpha1/index.ts';
import { launchesFor, waitFor, withFailure } from './launching.ts';

const NOW = EPOCH + 10_000;
const own = (pool: GenerationPool) => launchesFor(pool, pool.status.instances ?? [], 1000, NOW);
const large = (changes: Parameters<typeof aPool>[0] = {}) =>
  aPool({
    ...changes,
    spec: {
      machines: 250,
      placement: [
        { subnet: 'subnet-a', machines: 130 },
        { subnet: 'subnet-b', machines: 120 },
      ],
    },
  });

describe('the launches of a pool', () => {
  it('are for what each subnet lacks, in batches, each with a token of its own', () => {
    const launches = own(large({ status: { launchCount: 7 } }));
    expect(launches.map(({ subnet, machines, token }) => [subnet, machines, token])).toEqual([
      ['subnet-a', 100, 'uid-green.web-7'],
      ['subnet-a', 30, 'uid-green.web-8'],
      ['subnet-b', 100, 'uid-green.web-9'],
      ['subnet-b', 20, 'uid-green.web-10'],
    ]);
    expect(launches.every(({ time }) => time === at(10))).toBe(true);
  });

  it('are none when all are there', () => {
    expect(own(aPool({ instances: ['i-1', 'i-2', 'i-3'] }))).toEqual([]);
  });

  it('count machines that came elsewhere than planned: never more than desired', () => {
    const pool = aPool({ spec: { placement: [{ subnet: 'subnet-b', machines: 3 }] } });
    const elsewhere = ['i-1', 'i-2'].map((id) => ({ id, subnet: 'subnet-a', time: at(0) }));
    expect(launchesFor(pool, elsewhere, 1000, NOW).map(({ subnet, machines }) => [subnet, machines])).toEqual([
      ['subnet-b', 1],
    ]);
  });

  it('are those of the journal, word for word, while one has no answer: nothing is added', () => {
    const journal: Launch[] = [{ token: 'uid-green.web-0', subnet: 'subnet-a', machines: 1, time: at(0) }];
    expect(own(aPool({ status: { launches: journal, launchCount: 1 } }))).toBe(journal);
  });

  it.each([
    [1000, 100],
    [100, 100],
    [37, 37],
    [1, 1],
  ])('are as large as the account’s budget affords, up to a hundred: of %d, %d at once', (affordable, machines) => {
    expect(launchesFor(large(), [], affordable, NOW)[0]?.machines).toBe(machines);
  });

  it('are none while the budget affords none, but for those of the journal', () => {
    expect(launchesFor(large(), [], 0, NOW)).toEqual([]);
    const journal: Launch[] = [{ token: 'uid-green.web-0', subnet: 'subnet-a', machines: 1, time: at(0) }];
    expect(launchesFor(large({ status: { launches: journal } }), [], 0, NOW)).toEqual(journal);
  });

  it('fit into the journal', () => {
    expect(launchesFor(large(), [], 1, NOW)).toHaveLength(64);
  });

  it('never add up to more than is desired, and never use a token twice', () => {
    const subnets = ['subnet-a', 'subnet-b', 'subnet-c'];
    const placements = fc.uniqueArray(
      fc.record({ subnet: fc.constantFrom(...subnets), machines: fc.nat({ max: 150 }) }),
      { selector: ({ subnet }) => subnet },
    );
    const instances = fc.array(fc.constantFrom(...subnets), { maxLength: 150 });
    fc.assert(
      fc.property(
        placements,
        instances,
        fc.nat({ max: 300 }),
        fc.nat({ max: 120 }),
        (placement, there, machines, affordable) => {
          const present = there.map((subnet, n) => ({ id: `i-${n}`, subnet, time: at(0) }));
          const pool = aPool({ spec: { machines, placement }, status: { launchCount: 3 } });
          const launches = launchesFor(pool, present, affordable, NOW);
          const asked = launches.reduce((sum, launch) => sum + launch.machines, 0);
          expect(present.length + asked).toBeLessThanOrEqual(Math.max(machines, present.length));
          expect(new Set(launches.map(({ token }) => token)).size).toBe(launches.length);
          expect(launches.every((launch) => launch.machines >= 1 && launch.machines <= affordable)).toBe(true);
          for (const { subnet, machines: granted } of placement) {
            const here = there.filter((other) => other === subnet).length;
            const more = launches
              .filter((launch) => launch.subnet === subnet)
              .reduce((sum, launch) => sum + launch.machines, 0);
            expect(here + more).toBeLessThanOrEqual(Math.max(granted, here));
          }
        },
      ),
    );
  });
});

describe('after a refusal', () => {
  const scaled = (ms: number) => ms / 10;
  it('a pool waits twice as long each time, up to a limit, at the time scale', () => {
    let failures: Failure[] = [];
    const waits = Array.from({ length: 7 }, () => {
      failures = withFailure(failures, aRefusal('Throttled'), NOW, scaled);
      return waitFor(failures, NOW);
    });
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3000, 3000]);
    expect(failures).toEqual([
      { reason: 'Throttled', message: 'the cloud says Throttled', count: 7, since: at(10), retryTime: at(13) },
    ]);
  });

  it.each<[FailureReason, number]>([
    ['Throttled', 1_000],
    ['AddressesExhausted', 15_000],
    ['CapacityUnavailable', 15_000],
    ['QuotaExceeded', 30_000],
    ['Unauthorized', 30_000],
    ['InvalidTemplate', 60_000],
    ['Unknown', 2_000],
  ])('%s: first for %d ms', (reason, wait) => {
    expect(
      waitFor(
        withFailure([], aRefusal(reason), NOW, (ms) => ms),
        NOW,
      ),
    ).toBe(wait);
  });

  it('the cloud’s own word counts when it asks for more patience', () => {
    expect(waitFor(withFailure([], aRefusal('Throttled', { retryAfter: 9_000 }), NOW, scaled), NOW)).toBe(9_000);
  });

  it('other failures are kept, and the longest wait counts', () => {
    const before: Failure[] = [{ reason: 'QuotaExceeded', message: '', count: 1, since: at(0), retryTime: at(50) }];
    const failures = withFailure(before, aRefusal('Throttled'), NOW, scaled);
    expect(failures.map(({ reason }) => reason)).toEqual(['QuotaExceeded', 'Throttled']);
    expect(waitFor(failures, NOW)).toBe(40_000);
    expect(waitFor(failures, NOW + 60_000)).toBe(0);
    expect(waitFor(undefined, NOW)).toBe(0);
  });

  it('a long message is cut at what the API takes', () => {
    expect(withFailure([], aRefusal('Unknown', { message: 'x'.repeat(3000) }), NOW, scaled)[0]?.message).toHaveLength(
      1024,
    );
  });
});
