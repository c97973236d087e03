import { afterEach, describe, expect, it } from '@jest/globals';
import { clusterGenerations, cutovers, platforms } from '../../../src/kinds.ts';
import { services } from '../../../src/kube/resources.ts';
import type { ManualClock } from '../../../src/runtime/clock.ts';
import {
  aCutover,
  aGeneration,
  anAddressTarget,
  aPlatform,
  aPoolSpec,
  aServiceTarget,
  startOperator,
} from '../../builders/index.ts';
import { aService } from '../../golden/world/endpoints.ts';
import { aWorld, type World } from '../../golden/world.ts';

/** An operator whose wall clock is two hours off takes over from one whose clock is right; the cloud and the API server keep theirs. */

const HOUR = 3_600_000;
const SIZE = 14;
const PER_MINUTE = 3;

let world: World;
afterEach(() => world.operator.crash());

/** The same clock as seen by a machine that is off by `ms`: durations are right, the time of day is not. */
function offBy(clock: ManualClock, ms: number): ManualClock {
  return {
    ...clock,
    now: () => clock.now() + ms,
    get pending() {
      return clock.pending;
    },
  };
}

async function takeOver(ms: number): Promise<void> {
  world.operator.crash();
  const { server, cloud, clock } = world;
  world.operator = await startOperator({ server, cloud, clock: offBy(clock, ms) });
}

const generation = (name: string) => {
  const { metadata, ...rest } = aGeneration({ name, spec: { pools: [aPoolSpec({ machines: SIZE })] } });
  const { finalizers: _, ...bare } = metadata;
  return { ...rest, metadata: bare, status: { observedGeneration: -1 } };
};

/** blue was live and is retained for `retention`, green is live. */
async function withGreenLive(retention: string): Promise<void> {
  world = await aWorld();
  world.server.seed(services, aService());
  world.cloud.addresses['eipalloc-1'] = '';
  world.cloud.addresses['eipalloc-2'] = '';
  const traffic = [aServiceTarget(), anAddressTarget()];
  const spec = {
    traffic,
    retention: { standby: 'Running' as const, for: retention },
    destructiveBudget: { machinesPerMinute: PER_MINUTE },
  };
  world.apply(aPlatform({ spec }));
  let from = '';
  for (const name of ['blue', 'green']) {
    world.apply(generation(name));
    await world.run(120);
    world.apply(aCutover({ name: `to-${name}`, from, to: name }));
    await world.run(60);
    from = name;
  }
  expect(world.server.read(platforms, 'us')?.status.live?.name).toBe('green');
  expect(statusOf('blue')?.stage).toBe('Retained');
}

const statusOf = (name: string) => world.server.read(clusterGenerations, name)?.status;
const alive = () => world.cloud.alive().length;
const ends = () => world.cloud.calls.filter((call) => call.startsWith('terminate ') || call.startsWith('unprotect '));

describe.each([
  ['two hours fast', 2 * HOUR],
  ['two hours slow', -2 * HOUR],
])('an operator whose clock is %s', (_, off) => {
  it('ends nothing of what is live or kept for a rollback, and protects it as before', async () => {
    await withGreenLive('48h');
    const before = world.server.read(platforms, 'us')!.status;
    await takeOver(off);
    await world.run(1_800);
    const after = world.server.read(platforms, 'us')!.status;
    expect([after.live, after.protected]).toEqual([before.live, before.protected]);
    expect(statusOf('blue')?.retiredTime).toBeUndefined();
    expect(alive()).toBe(2 * SIZE);
    expect(ends()).toEqual([]);
  });

  it('is handed no more than one minute of the destructive budget by it', async () => {
    await withGreenLive('10m');
    const cutover = world.server.all(cutovers).find(({ spec }) => spec.to === 'green');
    expect(cutover?.status.retainUntil).toBeDefined();
    // Until it is retired, and the first machine is on its way.
    for (let waited = 0; ends().length === 0 && waited < 1_200; waited++) await world.run(1);
    expect(statusOf('blue')?.retiredTime).toBeDefined();
    const left = alive();
    expect(left).toBeGreaterThan(SIZE + 2 * PER_MINUTE);
    await takeOver(off);
    await world.run(20);
    // One minute's worth at the most, whatever its clock says has passed, and what 20 s give.
    expect(left - alive()).toBeLessThanOrEqual(PER_MINUTE + 1);
    expect(statusOf('green')?.retiredTime).toBeUndefined();
    expect(world.cloud.alive().filter(({ tags }) => tags['generations.dev/generation'] === 'green')).toHaveLength(SIZE);
  });

  it('puts no override in force that has ended, and takes out of force what its clock says has', async () => {
    await withGreenLive('48h');
    const uid = world.server.read(clusterGenerations, 'green')!.metadata.uid;
    const until = new Date(world.clock.now() - 1_000).toISOString();
    world.operator.crash();
    const asked = {
      generation: 'green',
      reason: 'subnet fire',
      release: false,
      requestedBy: 'alice@example.com',
      approvedBy: 'bob@example.com',
    };
    world.server.edit(platforms, 'us', ({ spec, status }) => {
      spec.override = asked;
      status.override = { generation: 'green', uid, until };
      status.lastOverride = { ...asked, uid, until, state: 'InForce' };
    });
    world.server.edit(clusterGenerations, 'green', ({ status }) => {
      status.override = { until };
    });
    // Everything is there for whoever believes the override, from the first moment on.
    world.server.edit(clusterGenerations, 'green', ({ metadata }) => {
      metadata.deletionTimestamp = new Date(world.clock.now()).toISOString();
    });
    await takeOver(off);
    await world.run(120);
    expect(ends()).toEqual([]);
    expect(alive()).toBe(2 * SIZE);
    expect(world.server.read(platforms, 'us')?.status.lastOverride?.state).toBe('Expired');
  });
});
