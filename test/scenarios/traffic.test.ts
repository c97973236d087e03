import {
  AssociateAddressCommand,
  EC2Client,
  ModifyInstanceAttributeCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Platform } from '../../src/api/v1alpha1/index.ts';
import { machinesOf, poolOf } from './ledger.ts';
import { aClass, aPlatform, aScenario, aWorkload, edgeNamespace, TRAFFIC, wwwService } from './objects.ts';
import { cutOver, staged } from './people.ts';
import { condition, has, renewals, startWorld, versions, type World } from './world.ts';

/**
 * What a Platform says of its traffic is what is seen: on a live platform each way to lose users is named within seconds, with
 * its remedy, and is over when it is over. Whoever does it means it: where something is guarded, the way out was taken first.
 */

const POOLS = { lb: { role: 'load-balancer', machines: 2 }, web: { machines: 2 } };
/** What is named within seconds takes longer on a busy machine; this is for a very busy one. Real ms. */
const SECONDS = 30_000;

let world: World;
let laptop: EC2Client;

const unprotected = (object: { metadata: object }, name: string) => ({
  ...object,
  metadata: { ...object.metadata, annotations: { 'generations.dev/unprotect': name } },
});
const workload = () => unprotected(aWorkload('site', 'ga-1', 4), 'web-ga-1');
const site = (minReady?: number) =>
  aPlatform('site', 'local', {
    traffic: TRAFFIC.map((target) => (target.service && minReady ? { ...target, minReady } : target)),
  });

beforeAll(async () => {
  world = await startWorld({ scenario: aScenario(), timeScale: 20 });
  await world.apply('admin', edgeNamespace, wwwService, workload());
  await world.apply('gitops', aClass('local', world.cloud), site());
  await staged(world, 'ga-1', 'site', POOLS);
  await cutOver(world, 'site', '', 'ga-1');
  laptop = new EC2Client({
    region: 'us-east-1',
    endpoint: world.cloud,
    maxAttempts: 1,
    credentials: { accessKeyId: 'AKIAOPSLAPTOP000000', secretAccessKey: 'not-checked' },
  });
}, 180_000);

afterAll(() => world?.stop(), 30_000);

const targetIn = ({ status }: Platform, name: string) => status.traffic?.find((target) => target.name === name);
const serves = () =>
  world.until('platforms', 'site', 'to serve', (platform) => has('Ready', 'True', 'Serving')(platform), SECONDS);

/** Waits until a target is named as down for this reason, on the Platform as a whole, with these words; it was seen to serve before. */
async function named(target: string, reason: string, ...words: string[]): Promise<Platform> {
  const platform = await world.until(
    'platforms',
    'site',
    `${target} to be named: ${reason}`,
    (found) =>
      targetIn(found, target)?.reason === reason && has('Degraded', 'True')(found) && has('Ready', 'False')(found),
    SECONDS,
  );
  const entry = targetIn(platform, target);
  expect(entry).toMatchObject({ state: 'NotServing' });
  expect(Date.parse(entry?.lastServingTime ?? '')).not.toBeNaN();
  for (const word of [target, ...words]) expect(condition(platform, 'Degraded')?.message).toContain(word);
  return platform;
}

async function kubectl(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await world.kubectl('admin', ...args);
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** As whoever means it: label off, change, and label on again. */
async function select(selector: object): Promise<void> {
  await kubectl('-n', 'edge', 'annotate', 'service', 'www', 'generations.dev/unprotect=www', '--overwrite');
  await kubectl('-n', 'edge', 'label', 'service', 'www', 'generations.dev/traffic-');
  await kubectl('-n', 'edge', 'patch', 'service', 'www', '--type=merge', '-p', JSON.stringify({ spec: { selector } }));
  await kubectl('-n', 'edge', 'label', 'service', 'www', 'generations.dev/traffic=true');
}

const balancers = async () =>
  machinesOf(await world.ledger(), 'ga-1')
    .filter((machine) => poolOf(machine) === 'ga-1.lb')
    .map(({ id }) => id);

describe('a live platform', () => {
  it('says of each target where it leads and how much of it is ready', async () => {
    const platform = await world.until(
      'platforms',
      'site',
      'to count four',
      (found) => has('Ready', 'True', 'Serving')(found) && targetIn(found, 'www')?.ready === 4,
      SECONDS,
    );
    expect(targetIn(platform, 'www')).toMatchObject({ state: 'Serving', generation: 'ga-1', ready: 4, minReady: 1 });
    const addresses = targetIn(platform, 'public-ips');
    expect(addresses).toMatchObject({ state: 'Serving', ready: 2, minReady: 2 });
    expect(addresses?.machines?.toSorted()).toEqual((await balancers()).toSorted());
  }, 60_000);

  it('writes nothing as long as nothing changes', async () => {
    // The canary's first round after the cutover has more to say than the one before it.
    await world.until('platforms', 'site', 'to be guarded as live', has('GuardEffective', 'True', 'Refused'), SECONDS);
    await renewals(world, 1);
    const before = await versions(world);
    await renewals(world, 2);
    expect(await versions(world)).toEqual(before);
  }, 60_000);

  it('whose Deployment is scaled to 0 says so', async () => {
    await kubectl('-n', 'edge', 'scale', 'deployment/web-ga-1', '--replicas=0');
    await named('www', 'ScaledToZero', 'Deployment edge/web-ga-1', 'kubectl -n edge scale');
    await kubectl('-n', 'edge', 'scale', 'deployment/web-ga-1', '--replicas=4');
    await serves();
  }, 90_000);

  it('whose pods are not ready says what they wait for', async () => {
    const pods = (await kubectl('-n', 'edge', 'get', 'pods', '-l', 'app=web-ga-1', '-o', 'name')).trim().split('\n');
    const turn = async (status: 'True' | 'False') => {
      const conditions = ['Ready', 'ContainersReady'].map((type) => ({
        type,
        status,
        message: 'the database is away',
      }));
      const patch = JSON.stringify({ status: { conditions } });
      for (const pod of pods)
        await kubectl('-n', 'edge', 'patch', pod, '--subresource=status', '--type=strategic', '-p', patch);
    };
    await turn('False');
    await named('www', 'PodsNotReady', 'the database is away');
    await turn('True');
    await serves();
  }, 90_000);

  it('whose Deployment is deleted says so', async () => {
    await kubectl('-n', 'edge', 'delete', 'deployment', 'web-ga-1', '--wait=false');
    await named('www', 'WorkloadGone', 'generations.dev/generation=ga-1', 'Apply it again');
    await world.apply('admin', workload());
    await serves();
  }, 90_000);

  it('whose Service selects something else says what', async () => {
    const right = (await world.get('services', 'www'))?.spec?.selector;
    await select({ ...right, 'generations.dev/generation': 'ga-0' });
    await named('www', 'SelectorChanged', 'generations.dev/generation=ga-0', 'set spec.selector back');
    await select({ ...right });
    await serves();
  }, 90_000);

  it('one of whose addresses somebody moves says where it is', async () => {
    const [web = ''] = machinesOf(await world.ledger(), 'ga-1').flatMap((machine) =>
      poolOf(machine) === 'ga-1.web' ? [machine.id] : [],
    );
    const { machines = [] } = targetIn(await serves(), 'public-ips') ?? {};
    const move = (InstanceId: string) =>
      laptop.send(new AssociateAddressCommand({ AllocationId: 'eipalloc-1', InstanceId, AllowReassociation: true }));
    await move(web);
    await named(
      'public-ips',
      'AddressMoved',
      `eipalloc-1 of traffic target public-ips points at ${web}`,
      'is a machine of role web',
    );
    await move(machines[0] ?? '');
    await serves();
  }, 90_000);

  it('that has a minReady beyond all that its machines hold says so', async () => {
    await world.apply('gitops', site(300));
    await named('www', 'MinReadyUnattainable', 'the 2 machines', 'never hold more than 220 pods');
    await world.apply('gitops', site());
    await serves();
  }, 90_000);

  it('one of whose load balancers is off says which address leads to it', async () => {
    const { machines = [] } = targetIn(await serves(), 'public-ips') ?? {};
    const [InstanceId = ''] = machines;
    await laptop.send(new ModifyInstanceAttributeCommand({ InstanceId, DisableApiStop: { Value: false } }));
    await laptop.send(new StopInstancesCommand({ InstanceIds: [InstanceId] }));
    await named('public-ips', 'MachineNotReady', InstanceId);
  }, 90_000);
});
