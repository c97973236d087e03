import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Provider } from '../../src/providers/provider.ts';
import { terminate } from '../../src/simulator/life.ts';
import { performEc2 } from '../../src/simulator/perform.ts';
import { elasticIPTarget } from '../../src/traffic/elastic-ip.ts';
import { type Destination, ForeignChange } from '../../src/traffic/target.ts';
import { aClass, aLaunch, startCloud, type TestCloud } from './cloud.ts';

/** A set of Elastic IPs at the simulated cloud, with somebody else who has rights there too. */

const IDS = Array.from({ length: 10 }, (_, n) => `eipalloc-${n}`);
/** An address of the account that no target has. */
const OUTSIDE = 'eipalloc-outside';
const spec = { name: 'public-ips', role: 'load-balancer', elasticIPs: { allocationIDs: IDS } };

let cloud: TestCloud;
let provider: Provider;
let somebody: Provider;
/** Machines of the generation, and others, in launch order. */
let ours: string[];
let others: string[];

beforeEach(async () => {
  cloud = await startCloud({
    callers: [
      { accessKeyId: 'AKIAOPERATOR', name: 'operator' },
      { accessKeyId: 'AKIASOMEBODY', name: 'somebody' },
    ],
    // As a CNI leaves them: EC2 then takes no address by machine.
    networkInterfaces: 2,
    addresses: [...IDS, OUTSIDE].map((allocationId, n) => ({ allocationId, publicIp: `192.0.2.${n + 1}` })),
  });
  cloud.secrets['generations-system/somebody'] = { accessKeyId: 'AKIASOMEBODY', secretAccessKey: 'secret' };
  provider = await cloud.registry.for(cloud.class);
  const credentialsSecretRef = { namespace: 'generations-system', name: 'somebody' };
  somebody = await cloud.registry.for(aClass({ endpoint: cloud.simulator.url, credentialsSecretRef }, {}, 'other'));
  const launch = async (token: string, machines: number) =>
    (await provider.launch(aLaunch({ token, machines }), 'planned')).map(({ id }) => id).toSorted();
  ours = await launch('ours', IDS.length);
  others = await launch('others', IDS.length);
  await cloud.clock.advance(60_000);
  // What is spent on making this world comes back.
  await cloud.clock.advance(60_000);
});
afterEach(() => cloud.simulator.stop());

const toOurs = (): Destination => ({
  platform: 'us',
  generation: 'green',
  members: ours.map((machine) => ({ machine, launchTime: 0, role: 'load-balancer', node: machine, ready: true })),
});
const addresses = async () =>
  Object.fromEntries(
    (await provider.addresses(IDS)).map(({ allocationID, instanceID = '' }) => [allocationID, instanceID]),
  );
const all = (machines: string[]) => Object.fromEntries(IDS.map((id, n) => [id, machines[n] ?? '']));
const at = (n: number, list: string[]) => list[n] ?? '';
/** Somebody points an address at a machine's network interface of that device index. */
function pointed(allocationId: string, machine: string, deviceIndex: number): void {
  const { interfaces } = cloud.simulator.cloud.instances.get(machine)!;
  const parameters = { Action: 'AssociateAddress', AllocationId: allocationId };
  const { result } = performEc2(cloud.simulator.cloud, { name: 'somebody' }, [
    ...Object.entries(parameters),
    ['NetworkInterfaceId', interfaces[deviceIndex]!.id],
  ]);
  expect(result).toHaveProperty('answer');
}
/** The target with a cloud in which something else happens before or after the operator points one address. */
const raced = (id: string, when: 'before' | 'after', act: () => Promise<unknown>) =>
  elasticIPTarget(async () => ({
    ...provider,
    associate: async (allocationID, machine) => {
      if (allocationID === id && when === 'before') await act();
      await provider.associate(allocationID, machine);
      if (allocationID === id && when === 'after') await act();
    },
  }));

describe('a set of Elastic IPs', () => {
  it('is switched to the machines of a generation and back, and never let go', async () => {
    const target = elasticIPTarget(async () => provider);
    const nowhere = all([]);
    await target.point(spec, nowhere, all(others));
    const view = await target.view(spec, toOurs());
    expect(view).toMatchObject({ now: all(others), wanted: all(ours), serving: false });
    await target.point(spec, view.now, view.wanted);
    expect((await target.view(spec, toOurs())).serving).toBe(true);
    await target.point(spec, view.wanted, view.now);
    expect(await addresses()).toEqual(all(others));
    // Nor can they be: a machine's address goes only where another machine takes it.
    await target.point(spec, view.now, nowhere);
    expect(await addresses()).toEqual(all(others));
    expect(cloud.calls('DisassociateAddress')).toEqual([]);
    expect(cloud.calls('ReleaseAddress')).toEqual([]);
    expect(cloud.calls('AssociateAddress')).toHaveLength(3 * IDS.length);
  });

  it('is looked at and compared before each move: nothing moves when somebody was faster', async () => {
    const target = elasticIPTarget(async () => provider);
    await target.point(spec, all([]), all(others));
    const view = await target.view(spec, toOurs());
    await somebody.associate('eipalloc-3', at(9, ours));
    await expect(target.point(spec, view.now, view.wanted)).rejects.toThrow(
      new ForeignChange(
        `address eipalloc-3 of traffic target public-ips points at ${at(9, ours)}, which is neither where this cutover last saw it (eipalloc-3=${at(3, others)}) nor where it wants it (eipalloc-3=${at(3, ours)}): somebody else moved it`,
      ),
    );
    expect(await addresses()).toEqual({ ...all(others), 'eipalloc-3': at(9, ours) });
  });

  it('is looked at after each move: a change in between is detected and named', async () => {
    await elasticIPTarget(async () => provider).point(spec, all([]), all(others));
    const target = raced('eipalloc-3', 'after', () => somebody.associate('eipalloc-3', at(3, others.toReversed())));
    await expect(target.point(spec, all(others), all(ours))).rejects.toThrow(
      `address eipalloc-3 of traffic target public-ips points at ${at(3, others.toReversed())}, which is neither`,
    );
    // It is left where somebody else has put it.
    expect((await addresses())['eipalloc-3']).toBe(at(3, others.toReversed()));
  });

  it('that somebody else moves to the very same place is nobody’s quarrel', async () => {
    await elasticIPTarget(async () => provider).point(spec, all([]), all(others));
    const target = raced('eipalloc-3', 'before', () => somebody.associate('eipalloc-3', at(3, ours)));
    await target.point(spec, all(others), all(ours));
    expect(await addresses()).toEqual(all(ours));
  });

  it('goes on where it was after a refusal, without a second move of what has arrived', async () => {
    const target = elasticIPTarget(async () => provider);
    await target.point(spec, all([]), all(others));
    cloud.fault({
      name: 'throttled',
      operations: ['AssociateAddress'],
      after: { requests: 4 },
      count: 1,
      effect: { error: 'RequestLimitExceeded' },
    });
    await expect(target.point(spec, all(others), all(ours))).rejects.toMatchObject({ reason: 'Throttled' });
    const moved = cloud.calls('AssociateAddress').length;
    await cloud.clock.advance(60_000);
    await target.point(spec, all(others), all(ours));
    expect(await addresses()).toEqual(all(ours));
    expect(cloud.calls('AssociateAddress').length - moved).toBeLessThan(IDS.length);
  });

  it('goes to the primary interface of each machine, and takes nothing from its others', async () => {
    pointed(OUTSIDE, at(0, ours), 1);
    const target = elasticIPTarget(async () => provider);
    const view = await target.view(spec, toOurs());
    expect(view.problem).toBeUndefined();
    await target.point(spec, view.now, view.wanted);
    expect(await addresses()).toEqual(all(ours));
    const shown = [...cloud.simulator.cloud.addresses.values()].map(({ allocationId, association }) => [
      allocationId,
      association.current?.interfaceId,
    ]);
    const interfaces = (machine: string) => cloud.simulator.cloud.instances.get(machine)!.interfaces;
    expect(Object.fromEntries(shown)).toEqual({
      ...Object.fromEntries(IDS.map((id, n) => [id, interfaces(at(n, ours))[0]!.id])),
      [OUTSIDE]: interfaces(at(0, ours))[1]!.id,
    });
  });

  it('that points at another interface of a machine does not point at that machine', async () => {
    pointed('eipalloc-3', at(3, ours), 1);
    const [found] = await provider.addresses(['eipalloc-3']);
    expect(found).toEqual({
      allocationID: 'eipalloc-3',
      publicIP: '192.0.2.4',
      associationID: expect.stringMatching(/^eipassoc-/),
    });
    const view = await elasticIPTarget(async () => provider).view(spec, toOurs());
    expect(view.problem).toMatchObject({ reason: 'AddressInUse', message: expect.stringContaining('eipalloc-3') });
  });

  it('is moved nowhere while a machine has an address from outside, which it would lose', async () => {
    pointed(OUTSIDE, at(4, ours), 0);
    const target = elasticIPTarget(async () => provider);
    expect(await target.view(spec, toOurs())).toMatchObject({
      serving: false,
      problem: {
        reason: 'MachineHasAddress',
        message: `traffic target public-ips: ${at(4, ours)} has 192.0.2.11, which it would lose: take that address off this machine, or add it to spec.traffic[].elasticIPs`,
      },
    });
    // One of its own is in nobody's way, nor is any once all are where they have to be.
    pointed(OUTSIDE, at(4, others), 0);
    await somebody.associate('eipalloc-4', at(4, ours));
    expect((await target.view(spec, toOurs())).problem).toBeUndefined();
  });

  it('goes to no machine that is about to end', async () => {
    const machine = at(0, others);
    const instance = cloud.simulator.cloud.instances.get(machine)!;
    terminate(cloud.simulator.cloud, instance, cloud.clock.now(), 'somebody');
    for (const state of ['shutting-down', 'terminated']) {
      await expect(provider.associate('eipalloc-0', machine)).rejects.toMatchObject({
        reason: 'Unknown',
        refused: true,
        message: expect.stringContaining(`${machine} is ${state}`),
      });
      await cloud.clock.advance(60_000);
    }
    await expect(provider.associate('eipalloc-0', 'i-0123456789abcdef0')).rejects.toMatchObject({
      refused: true,
      message: expect.stringContaining('i-0123456789abcdef0'),
    });
    expect(cloud.calls('AssociateAddress')).toEqual([]);
  });
});
