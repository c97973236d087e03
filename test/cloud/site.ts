import {
  DescribeInstancesCommand,
  EC2Client,
  ModifyInstanceAttributeCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { type ClusterGeneration, type GenerationPool, LIVE_TIME_TAG } from '../../src/api/v1alpha1/index.ts';
import { tagsOfMachine } from '../../src/domain/identity.ts';
import { protectionSampler, type Sample } from '../../src/guard/cloud-sample.ts';
import { type Interlock, interlock } from '../../src/guard/destroy.ts';
import { clusterGenerations, generationPools, platforms } from '../../src/kinds.ts';
import { silent } from '../../src/runtime/logger.ts';
import { aGeneration, anApiServer, aPlatform, aPool, at, CLUSTER } from '../builders/index.ts';
import { aLaunch, startCloud, type TestCloud } from '../providers/cloud.ts';

/**
 * A site at the simulated cloud, launched by the real provider: three generations of three machines each, one that never
 * was live, the live one and a retained one, a machine of nobody's in each of two zones, and an address at the live one.
 * `person` is the AWS SDK in the hands of somebody whom no IAM policy stops.
 */

export const STAGES = ['never-live', 'live', 'retained'] as const;
export type Stage = (typeof STAGES)[number];

export interface Site {
  person: EC2Client;
  cloud: TestCloud;
  ids: Record<Stage | 'strangers', string[]>;
  pools: Record<Stage, GenerationPool>;
  guard: Interlock;
  events: { reason: string; kind: string; note: string }[];
  /** One round of the sample that the canary takes. */
  sample(): Promise<Sample>;
  /** What the cloud says of machines, in their order. */
  states(ids: string[]): Promise<string[]>;
  /** The address is still the live generation's. */
  pointsAt(): string | undefined;
}

const NAMES: Record<Stage, string> = { 'never-live': 'green', live: 'blue', retained: 'red' };

export async function aSite(): Promise<Site> {
  const cloud = await startCloud({
    callers: [
      { accessKeyId: 'AKIAOPERATOR', name: 'operator' },
      { accessKeyId: 'AKIAPERSON', name: 'person' },
    ],
  });
  const { clock, simulator } = cloud;
  const provider = await cloud.registry.for(cloud.class);
  const generations: Record<Stage, ClusterGeneration> = {
    'never-live': aGeneration({ name: 'green' }),
    live: aGeneration({ name: 'blue', live: true }),
    retained: aGeneration({ name: 'red', live: true }),
  };
  const platform = aPlatform({ live: 'blue', status: { protected: ['blue', 'red'] } });
  const server = anApiServer(() => clock.now());
  server.seed(platforms, platform);
  const pools = {} as Record<Stage, GenerationPool>;
  const ids = {} as Site['ids'];
  const launch = async (name: string, subnet: string, machines: number, tags: Record<string, string>) =>
    (await provider.launch(aLaunch({ token: name, subnet, machines, tags }), 'recovery')).map(({ id }) => id);
  for (const stage of STAGES) {
    pools[stage] = aPool({ name: `${NAMES[stage]}.web`, generation: NAMES[stage] });
    server.seed(clusterGenerations, generations[stage]);
    server.seed(generationPools, pools[stage]);
    const tags = tagsOfMachine(pools[stage], CLUSTER);
    ids[stage] = await launch(
      stage,
      'subnet-b',
      3,
      stage === 'never-live' ? tags : { ...tags, [LIVE_TIME_TAG]: at(0) },
    );
  }
  ids.strangers = [
    await launch('a', 'subnet-a', 1, { team: 'shop' }),
    await launch('b', 'subnet-b', 1, { team: 'shop' }),
  ].flat();
  await clock.advance(60_000);
  const person = new EC2Client({
    region: 'us-east-1',
    endpoint: simulator.url,
    credentials: { accessKeyId: 'AKIAPERSON', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
  for (const id of ids.strangers) await lift(person, id);
  await provider.associate('eipalloc-1', ids.live[0]!);

  const events: Site['events'] = [];
  const client = server.client();
  const sampler = protectionSampler({
    client,
    clock,
    log: silent,
    cluster: CLUSTER,
    events: { record: ({ regarding, reason, note }) => void events.push({ kind: regarding.kind ?? '', reason, note }) },
    providerOf: async () => provider,
  });
  return {
    person,
    cloud,
    ids,
    pools,
    events,
    guard: interlock({
      client,
      clock,
      log: silent,
      cluster: CLUSTER,
      leaseAge: () => 0,
      providerOf: async () => provider,
    }),
    async sample() {
      await clock.advance(60_000);
      return sampler.sample(platform, Object.values(generations));
    },
    async states(asked) {
      const { Reservations = [] } = await person.send(new DescribeInstancesCommand({ InstanceIds: asked }));
      const found = new Map(
        Reservations.flatMap(({ Instances = [] }) => Instances).map(({ InstanceId, State }) => [
          InstanceId,
          State?.Name,
        ]),
      );
      return asked.map((id) => found.get(id) ?? 'gone');
    },
    pointsAt: () => simulator.cloud.addresses.get('eipalloc-1')?.association.current?.instanceId,
  };
}

/** What somebody does who wants a machine without protection: one attribute a call. */
export async function lift(person: EC2Client, id: string, what: ('termination' | 'stop')[] = ['termination', 'stop']) {
  if (what.includes('termination'))
    await person.send(new ModifyInstanceAttributeCommand({ InstanceId: id, DisableApiTermination: { Value: false } }));
  if (what.includes('stop'))
    await person.send(new ModifyInstanceAttributeCommand({ InstanceId: id, DisableApiStop: { Value: false } }));
}

export const terminate = (person: EC2Client, ids: string[]) =>
  person.send(new TerminateInstancesCommand({ InstanceIds: ids }));

/** The cloud's code when it refuses; `done` when it does not. */
export const codeOf = (act: Promise<unknown>): Promise<string> =>
  act.then(
    () => 'done',
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  );
