import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  aClass,
  aCloud,
  aGeneration,
  anApiServer,
  aPlatform,
  aPool,
  aPoolSpec,
  aRefusal,
  EPOCH,
  type LaunchFate,
  type Operator,
  refusal,
  startOperator,
} from '../../../test/builders/index.ts';
import { clusterGenerations, generationClasses, generationPools, platforms } from '../../kinds.ts';
import { nodes } from '../../kube/resources.ts';
import { HELD_BACK } from '../../providers/provider.ts';
import { manualClock } from '../../runtime/clock.ts';

/**
 * S8 as a model test: whatever happens between journal, call, answer and write, a pool never has more machines than
 * desired, and ends with exactly that. The operator is the real one; the cloud knows client tokens and answers late.
 */

const DESIRED = 5;

type Trouble =
  | { do: 'launch'; fate: 'lost' | 'refused' | 'throttled' | 'heldBack' | 'partial' }
  /** The process dies at its n-th next write of the pool: just before it is sent, or right after it is done. */
  | { do: 'crash'; at: 'before' | 'after'; writes: number }
  /** It dies in the launch: before the cloud has heard of it, or before the answer. */
  | { do: 'crashInLaunch'; heard: boolean }
  | { do: 'lag'; seconds: number }
  | { do: 'machineDies' }
  | { do: 'writeConflicts' }
  | { do: 'wait'; seconds: number };

const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  fc.record({
    do: fc.constant('launch' as const),
    fate: fc.constantFrom('lost' as const, 'refused', 'throttled', 'heldBack', 'partial'),
  }),
  fc.record({
    do: fc.constant('crash' as const),
    at: fc.constantFrom('before' as const, 'after'),
    writes: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({ do: fc.constant('crashInLaunch' as const), heard: fc.boolean() }),
  fc.record({ do: fc.constant('lag' as const), seconds: fc.constantFrom(0, 3, 20) }),
  fc.record({ do: fc.constant('machineDies' as const) }),
  fc.record({ do: fc.constant('writeConflicts' as const) }),
  fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 40 }) }),
);

const FATES: Record<Extract<Trouble, { do: 'launch' }>['fate'], LaunchFate> = {
  lost: 'lost',
  refused: aRefusal('CapacityUnavailable'),
  throttled: aRefusal('Throttled', { retryAfter: 500 }),
  heldBack: aRefusal('Throttled', { code: HELD_BACK, retryAfter: 500 }),
  partial: 1,
};

async function play(
  troubles: readonly Trouble[],
): Promise<{ most: number; alive: number; counted: number; ready: number; ids: string[]; errors: string[] }> {
  const clock = manualClock({ now: EPOCH });
  const server = anApiServer(() => clock.now());
  const cloud = aCloud(() => clock.now());
  const launches: (LaunchFate | 'crashUnheard' | 'crashHeard')[] = [];
  let operator: Operator | undefined;
  let writesLeft = Number.POSITIVE_INFINITY;
  let deadly: 'before' | 'after' = 'before';
  let conflicts = 0;
  let most = 0;
  cloud.boot = 5_000;
  cloud.onLaunch = ({ id, providerID }) => {
    most = Math.max(most, cloud.alive().length);
    clock.setTimer(10_000, () => {
      if (cloud.alive().some((machine) => machine.id === id))
        server.seed(nodes, {
          metadata: { name: `node-${id}`, uid: id, creationTimestamp: '' },
          spec: { providerID },
          status: { conditions: [{ type: 'Ready', status: 'True' }] },
        });
    });
  };
  cloud.launchFate = () => {
    const fate = launches.shift();
    if (fate !== 'crashUnheard' && fate !== 'crashHeard') return fate;
    operator?.crash();
    return fate === 'crashHeard' ? 'lost' : aRefusal('Unknown', { refused: false });
  };
  const start = async () => {
    operator = await startOperator({
      server,
      cloud,
      clock,
      fate: {
        before({ method, resource }) {
          if (method !== 'PUT' || resource !== generationPools) return;
          if (conflicts > 0) {
            conflicts--;
            throw refusal(409, 'Conflict', 'the object has been modified');
          }
          if (deadly === 'before' && --writesLeft === 0) operator?.crash();
        },
        after({ method, resource }) {
          if (method === 'PUT' && resource === generationPools && deadly === 'after' && --writesLeft === 0)
            operator?.crash();
        },
      },
    });
  };
  /** Whoever died is followed by another a second later. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      await clock.advance(1000);
      if (operator?.dead()) await start();
    }
  };

  const placement = [
    { subnet: 'subnet-a', machines: 3 },
    { subnet: 'subnet-b', machines: 2 },
  ];
  const appear = () => {
    server.seed(clusterGenerations, aGeneration({ spec: { pools: [aPoolSpec({ machines: DESIRED })] } }));
    server.seed(generationPools, aPool({ spec: { machines: DESIRED, placement } }));
  };
  server.seed(generationClasses, aClass());
  server.seed(platforms, aPlatform());
  await start();
  const first = troubles.findIndex((event) => event.do === 'wait');
  for (const [n, event] of [...troubles, { do: 'wait', seconds: 1 } as const].entries()) {
    // What goes wrong is arranged before the pool is there: up to the first wait.
    if (n === (first < 0 ? troubles.length : first)) appear();
    if (event.do === 'launch') launches.push(FATES[event.fate]);
    if (event.do === 'crashInLaunch') launches.push(event.heard ? 'crashHeard' : 'crashUnheard');
    if (event.do === 'crash') {
      deadly = event.at;
      writesLeft = event.writes;
    }
    if (event.do === 'lag') cloud.lag = event.seconds * 1000;
    if (event.do === 'machineDies') cloud.kill(cloud.alive()[0]?.id ?? '');
    if (event.do === 'writeConflicts') conflicts++;
    if (event.do === 'wait') await pass(event.seconds);
  }
  // Faults are over: from here on it has to come right by itself.
  await pass(40);
  launches.length = 0;
  cloud.lag = 0;
  conflicts = 0;
  writesLeft = Number.POSITIVE_INFINITY;
  await pass(420);
  operator?.crash();
  const status = server.read(generationPools, 'green.web')?.status;
  return {
    most,
    alive: cloud.alive().length,
    counted: status?.instances?.length ?? 0,
    ready: status?.machines?.ready ?? 0,
    ids: (status?.instances ?? []).map(({ id }) => id).toSorted(),
    errors: operator?.errors ?? [],
  };
}

describe('a pool, whatever happens to its launches', () => {
  it('never has more machines than desired, and ends with exactly that', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(trouble, { maxLength: 12 }), async (troubles) => {
        const end = await play(troubles);
        expect(end.most).toBeLessThanOrEqual(DESIRED);
        expect(end).toMatchObject({ alive: DESIRED, counted: DESIRED, ready: DESIRED });
      }),
      { numRuns: 200 },
    );
  }, 120_000);

  it.each<[string, Trouble[]]>([
    [
      'its answer is lost and the process dies while the cloud shows nothing yet',
      [
        { do: 'lag', seconds: 20 },
        { do: 'crashInLaunch', heard: true },
      ],
    ],
    [
      'its answer is lost, and the same launch, asked for again, is throttled',
      [
        { do: 'lag', seconds: 20 },
        { do: 'launch', fate: 'lost' },
        { do: 'launch', fate: 'partial' },
        { do: 'launch', fate: 'throttled' },
      ],
    ],
    [
      'the process dies before the answer, and the next one is throttled',
      [
        { do: 'lag', seconds: 20 },
        { do: 'crashInLaunch', heard: true },
        { do: 'launch', fate: 'throttled' },
      ],
    ],
    ['the process dies between journal and call', [{ do: 'crash', at: 'after', writes: 1 }]],
    ['the process dies between call and write', [{ do: 'crash', at: 'before', writes: 2 }]],
    [
      'half of it comes, the other half is throttled',
      [
        { do: 'launch', fate: 'partial' },
        { do: 'launch', fate: 'throttled' },
      ],
    ],
  ])('makes five machines when %s', async (_, troubles) => {
    const end = await play(troubles);
    expect(end).toMatchObject({ most: DESIRED, alive: DESIRED, counted: DESIRED, ready: DESIRED });
  });
});
