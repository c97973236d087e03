import type { Platform } from '../../src/api/v1alpha1/index.ts';
import { conditionOf } from '../../src/domain/conditions.ts';
import { clusterGenerations, generationClasses, generationPools, platforms } from '../../src/kinds.ts';
import { deleteObject } from '../../src/kube/delete.ts';
import { nodes } from '../../src/kube/resources.ts';
import type { Machine } from '../../src/providers/provider.ts';
import { manualClock } from '../../src/runtime/clock.ts';
import { anApiServer } from './api-server.ts';
import { aCloud } from './cloud.ts';
import { aClass, aGeneration, aPlatform, aPool, EPOCH } from './objects.ts';
import { type Operator, startOperator } from './operator.ts';

/**
 * Platform us with three machines of blue, which is live, and three of green, which never was, an hour after their
 * launches. The operator is the real one, API server and cloud are in memory: a test says what they do not show.
 */
export async function twoGenerations(spec: Partial<Platform['spec']> = {}) {
  let operator: Operator | undefined;
  const clock = manualClock({ now: EPOCH });
  const server = anApiServer(clock.now);
  const cloud = aCloud(clock.now);
  const client = server.client();
  const nodeOf = (id: string) => `node-${id}`;
  const register = ({ id, providerID }: Pick<Machine, 'id' | 'providerID'>) =>
    server.seed(nodes, {
      metadata: { name: nodeOf(id), uid: `uid-${id}-${clock.now()}`, creationTimestamp: '' },
      spec: { providerID },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    });
  const unregister = async (id: string) => {
    const node = server.read(nodes, nodeOf(id));
    if (node) await deleteObject(client, nodes, { ...node.metadata, resourceVersion: node.metadata.resourceVersion });
  };
  cloud.onLaunch = (machine) => void clock.setTimer(60_000, () => register(machine));
  cloud.onEnd = ({ id }) => void unregister(id);
  server.seed(generationClasses, aClass());
  server.seed(platforms, aPlatform({ live: 'blue', spec }));
  for (const [name, live] of [
    ['blue', true],
    ['green', false],
  ] as const) {
    server.seed(clusterGenerations, aGeneration({ name, live }));
    server.seed(generationPools, aPool({ name: `${name}.web`, generation: name }));
  }
  const pass = async (seconds: number) => {
    for (let passed = 0; passed < seconds; passed += 5) await clock.advance(5_000);
  };
  const start = async () => {
    operator = await startOperator({ server, cloud, clock });
  };
  await start();
  await pass(3_600);
  const pool = (name: string) => server.read(generationPools, `${name}.web`)!;
  return {
    cloud,
    server,
    client,
    clock,
    pass,
    start,
    crash: () => operator?.crash(),
    register,
    unregister,
    pool,
    ids: (name: string) => (pool(name).status.instances ?? []).map(({ id }) => id),
    says: (name: string, type: string) => conditionOf(pool(name), type),
    events: (reason: string) => operator?.events.filter((event) => event.reason === reason) ?? [],
    notReady: (id: string) =>
      server.edit(nodes, nodeOf(id), (node) => {
        node.status = { conditions: [{ type: 'Ready', status: 'False' }] };
      }),
  };
}
