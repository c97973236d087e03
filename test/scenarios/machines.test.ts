import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GenerationPool } from '../../src/api/v1alpha1/index.ts';
import { aliveOf, machinesOf } from './ledger.ts';
import { aClass, aCutover, aGeneration, aPlatform, aScenario, SUBNETS } from './objects.ts';
import { condition, has, inStage, startWorld, type World } from './world.ts';

/**
 * Machines that fail or take more than one thinks, beside a live generation, at 60 declared seconds in a real one: on the real API
 * server and the simulated cloud, whose CNI gives each machine two more addresses for its pods.
 */

const SCALE = 60;
const LIVE = 5;

let world: World;

beforeAll(async () => {
  // 32 addresses less the 5 that are the cloud's own: 27, of which the live generation will take 15.
  const subnets = [
    { id: 'subnet-a', zone: 'us-east-1a', cidr: '10.0.0.0/27' },
    { id: 'subnet-b', zone: 'us-east-1b', cidr: '10.0.1.0/26' },
  ];
  const cni = { after: { median: '20s' }, addresses: 3 };
  world = await startWorld({ scenario: aScenario({ subnets, cni }), timeScale: SCALE });
  const narrow = aClass('local', world.cloud, { subnets: SUBNETS.slice(0, 1) });
  await world.apply('gitops', narrow, aPlatform('site', 'local'));
  await world.apply(
    'alice',
    aGeneration('live', 'site', { web: { machines: LIVE } }),
    aCutover('first', 'site', '', 'live'),
  );
  await world.until('clustergenerations', 'live', 'to be live', inStage('Live'));
}, 120_000);

afterAll(() => world?.stop(), 30_000);

const launchesFor = async (generation: string) =>
  (await world.ledger()).calls.filter(
    ({ operation, parameters }) =>
      operation === 'RunInstances' && parameters.tags?.['generations.dev/generation'] === generation,
  );

describe('machines that take more addresses than one', () => {
  it('are counted with what they are seen to hold, and what does not fit is refused before its first machine', async () => {
    const local = await world.until('generationclasses', 'local', 'to say what a machine takes', ({ status }) =>
      (status.addressesPerMachine ?? []).some(({ needed }) => needed === 3),
    );
    expect(local.status.addressesPerMachine).toMatchObject([{ type: 'm6i.large', declared: 1, observed: 3 }]);
    await world.apply('alice', aGeneration('wide', 'site', { web: { machines: 5 } }));
    const wide = await world.until(
      'clustergenerations',
      'wide',
      'to be refused',
      has('CapacityProved', 'False', 'InsufficientAddresses'),
    );
    expect(condition(wide, 'CapacityProved')?.message).toMatch(
      /^5 more machines need 15 addresses \(3 each: declared 1, observed 3 on i-[0-9a-f]+\) and 12 are free \(subnet-a has 12\): 3 short\./,
    );
    expect(await launchesFor('wide')).toEqual([]);
    await world.kubectl('alice', 'delete', 'cg', 'wide', '--timeout=40s');
  }, 60_000);
});

describe('a zone that cannot have a type', () => {
  it('is left out: the machines come elsewhere, and the condition says so in the cloud’s words', async () => {
    await world.addFault({
      name: 'not-in-zone-b',
      operations: ['RunInstances'],
      match: { subnet: 'subnet-b' },
      effect: {
        error: { code: 'Unsupported', message: 'Your requested instance type is not supported in us-east-1b.' },
      },
    });
    await world.patch('generationclasses', 'local', { spec: { subnets: SUBNETS } });
    await world.apply('alice', aGeneration('green', 'site', { web: { machines: 3 } }));
    const green = await world.until('clustergenerations', 'green', 'to be ready', has('Ready', 'True'));
    expect(condition(green, 'CapacityProved')).toMatchObject({
      status: 'True',
      message: expect.stringMatching(
        /left out is subnet-b for pool green\.web: .*Unsupported: .*not supported in us-east-1b/,
      ),
    });
    const subnets = aliveOf(await world.ledger(), 'green').map(({ subnet }) => subnet);
    expect(subnets).toEqual(['subnet-a', 'subnet-a', 'subnet-a']);
    const refused = (await launchesFor('green')).filter(({ code }) => code === 'Unsupported');
    expect(refused.length).toBeLessThanOrEqual(2);
    await world.removeFault('not-in-zone-b');
    await world.kubectl('alice', 'delete', 'cg', 'green', '--timeout=40s');
  }, 60_000);
});

describe('machines that end right after their launch', () => {
  const failure = ({ status }: GenerationPool) => (status.failures ?? []).find(({ reason }) => reason === 'EndedEarly');

  it('are a failure in the cloud’s words, launched again ever more slowly, until they live', async () => {
    await world.addFault({
      name: 'key',
      operations: ['RunInstances'],
      match: { tags: { 'generations.dev/generation': 'kms' } },
      effect: { ends: { after: '2s', code: 'Client.InternalError', message: 'Client error on launch' } },
    });
    await world.apply('alice', aGeneration('kms', 'site', { web: { machines: 2 } }));
    const pool = await world.until(
      'generationpools',
      'kms.web',
      'to have been tried four times',
      (found) => (failure(found)?.count ?? 0) >= 4,
      60_000,
    );
    expect(failure(pool)?.message).toMatch(
      /ended soon after launch \(i-.*\): Client\.InternalError: Client error on launch/,
    );
    const kms = await world.until('clustergenerations', 'kms', 'to say so', has('Ready', 'False', 'EndedEarly'));
    expect(condition(kms, 'Ready')?.message).toContain('Client.InternalError: Client error on launch');
    // Two machines for each attempt, and for one that may have begun since.
    expect(machinesOf(await world.ledger(), 'kms').length).toBeLessThanOrEqual(2 * ((failure(pool)?.count ?? 0) + 1));
    await world.removeFault('key');
    await world.until('clustergenerations', 'kms', 'to be ready', has('Ready', 'True'), 60_000);
  }, 150_000);
});

describe('a second Node of a machine of the live generation', () => {
  it('counts for nothing, is named, and can be deleted by people', async () => {
    const nodes = await world.list('nodes');
    const live = nodes.find(({ metadata }) => metadata.labels?.['generations.dev/generation'] === 'live')!;
    const providerID = live.spec!.providerID!;
    const second = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'aaa-renamed.ec2.internal' },
      spec: { providerID },
    };
    await world.apply('admin', second);
    const pool = await world.until(
      'generationpools',
      'live.web',
      'to name it',
      ({ status }) => status.staleNodes?.includes(second.metadata.name) === true,
    );
    expect(pool.status.machines).toMatchObject({ launched: LIVE, ready: LIVE });
    const { status } = await world.kubectl('admin', 'delete', 'node', second.metadata.name);
    expect(status).toBe(0);
    const after = await world.list('generationpools');
    expect(after.find(({ metadata }) => metadata.name === 'live.web')?.status.machines).toMatchObject({ ready: LIVE });
  }, 60_000);
});
