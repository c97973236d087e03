import { afterEach, describe, expect, it } from '@jest/globals';
import {
  aClass,
  aCloud,
  aGeneration,
  anApiServer,
  aPlatform,
  aPool,
  aPoolSpec,
  at,
  CLUSTER,
  EPOCH,
  type Operator,
  startOperator,
} from '../../../test/builders/index.ts';
import type { ClusterGeneration } from '../../api/v1alpha1/index.ts';
import { conditionOf } from '../../domain/conditions.ts';
import { tagsOfMachine } from '../../domain/identity.ts';
import type { Canary } from '../../guard/canary/canary.ts';
import { clusterGenerations, generationClasses, generationPools, platforms } from '../../kinds.ts';
import { manualClock } from '../../runtime/clock.ts';

/** A generation with three pools of two machines each, on its way out; the operator is the real one. */
let operator: Operator | undefined;
afterEach(() => operator?.crash());

const names = ['web', 'cron', 'tasks'];

async function leaving(generation: ClusterGeneration, options: { answering: boolean }) {
  const clock = manualClock({ now: EPOCH });
  const server = anApiServer(clock.now);
  const cloud = aCloud(clock.now);
  server.seed(generationClasses, aClass());
  server.seed(platforms, aPlatform());
  server.seed(clusterGenerations, generation);
  for (const name of names) {
    const pool = aPool({ name: `green.${name}`, spec: { machines: 2 } });
    server.seed(generationPools, pool);
    await cloud.provider.launch(
      {
        token: name,
        subnet: 'subnet-a',
        machines: 2,
        template: pool.spec.template,
        tags: tagsOfMachine(pool, CLUSTER),
      },
      'planned',
    );
  }
  const asked: number[] = [];
  cloud.destroyFate = (call) => void (call === 'describe' && asked.push(clock.now() - EPOCH));
  const policy = 'generations-guard-crd';
  const canary: Canary = {
    probe: async () =>
      options.answering
        ? {
            ...{ time: clock.now(), live: false, overridden: false },
            results: [{ family: 'delete-crd', verb: 'delete', target: 'CRD', outcome: 'Denied', policy }],
          }
        : undefined,
    sees: async () => ({ seen: true }),
    judged: () => {},
  };
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) await clock.advance(1_000);
  };
  const begin = async () => {
    operator = await startOperator({ server, cloud, clock, canary });
    return operator;
  };
  const reads = () => server.requests.filter((request) => request === 'GET clustergenerations green').length;
  const said = () => operator!.lines.filter((line) => /removal/.test(line));
  const ready = () => {
    const found = server.read(clusterGenerations, 'green');
    return found && conditionOf(found, 'Ready')?.message;
  };
  return { begin, clock, cloud, server, asked, pass, reads, said, ready };
}

describe('a teardown while the guard is not seen to work', () => {
  const three = { pools: names.map((name) => aPoolSpec({ name, machines: 2 })) };

  it('waits without a word but one, asks nobody, says why on the generation, and goes on when it may', async () => {
    const options = { answering: false };
    const generation = aGeneration({ retired: true, spec: three, metadata: { deletionTimestamp: at(70) } });
    const { begin, clock, cloud, asked, pass, reads, said, ready } = await leaving(generation, options);
    // The report that the platform was seeded with is old by now.
    await clock.advance(200_000);
    await begin();
    await pass(600);
    const why = `the guard of Platform us was last probed at ${at(0)}. What was ever live is removed only while the guard is seen to work`;
    expect(said().toSorted()).toEqual(
      names.map((name) => `warn: A removal waits: it is refused: green.${name}: ${why}`).toSorted(),
    );
    expect(operator!.events.filter(({ reason }) => reason === 'Refused')).toHaveLength(names.length);
    expect([asked, reads()]).toEqual([[], 0]);
    expect(ready()).toBe(`it is being deleted, and kept: ${why}`);
    expect(cloud.alive()).toHaveLength(6);

    options.answering = true;
    await pass(300);
    expect(said().slice(names.length).toSorted()).toEqual(
      names.map((name) => `info: Nothing is refused any more: the removal goes on: green.${name}`).toSorted(),
    );
    expect(cloud.alive()).toEqual([]);
    expect(operator!.errors).toEqual([]);
  });

  it('of which the cloud has lost a tag is asked again later and later, and said once', async () => {
    const generation = aGeneration({ spec: three, deleting: true });
    const { begin, cloud, server, asked, pass, said, ready } = await leaving(generation, { answering: true });
    await begin();
    // Known to its pool by now.
    await pass(1);
    const stripped = cloud.machines()[0]!;
    server.edit(generationPools, 'green.web', ({ status }) => {
      status.instances = [{ id: 'i-7', subnet: 'subnet-a', time: at(0) }];
    });
    await cloud.provider.launch(
      { token: 't', subnet: 'subnet-a', machines: 1, template: aPoolSpec().template, tags: {} },
      'planned',
    );
    expect(stripped.id).toBe('i-1');
    asked.length = 0;
    await pass(1_800);
    const why = "i-7 at the cloud do not carry this pool's tags";
    expect(said()).toEqual([`warn: A removal waits: it is refused: green.web: ${why}`]);
    expect(server.read(generationPools, 'green.web')?.status.refusal).toMatchObject({ reason: why });
    expect(ready()).toBe(`it is being deleted; 1 machines in 1 pools are still to be removed; pool green.web: ${why}`);
    // After 5 s, 10 s, 20 s, and so on up to five minutes.
    expect(asked.length).toBeLessThan(16);
    const gaps = asked.map((time, index) => time - (asked[index - 1] ?? time)).slice(-3);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(300_000);
  });
});
