import { describe, expect, it } from '@jest/globals';
import { aCloud, aMachine, anAddressTarget, aRefusal, EPOCH } from '../../test/builders/index.ts';
import { elasticIPTarget } from './elastic-ip.ts';
import { type Destination, ForeignChange, type Member } from './target.ts';

const spec = anAddressTarget();
const from = { 'eipalloc-1': 'i-old1', 'eipalloc-2': 'i-old2' };
const to = { 'eipalloc-1': 'i-1', 'eipalloc-2': 'i-2' };
const member = (machine: string, changes: Partial<Member> = {}): Member => ({
  machine,
  launchTime: EPOCH,
  role: 'web',
  node: `node-${machine}`,
  ready: true,
  ...changes,
});
const toGreen = (...members: Member[]): Destination => ({ platform: 'us', generation: 'green', members });
const two = toGreen(member('i-1'), member('i-2'));

function world(addresses: Record<string, string> = from) {
  const cloud = aCloud(() => EPOCH);
  Object.assign(cloud.addresses, addresses);
  return {
    cloud,
    target: elasticIPTarget(async () => cloud.provider),
    behind: elasticIPTarget(async () => cloud.provider, ['eipalloc-0', ...(spec.elasticIPs?.allocationIDs ?? [])]),
  };
}

describe('a set of addresses, looked at for a generation', () => {
  it('goes to the role’s Ready machines by launch order', async () => {
    const members = [
      member('i-10', { launchTime: EPOCH + 1 }),
      member('i-00', { role: 'console' }),
      member('i-0', { ready: false }),
      member('i-2'),
      member('i-1'),
    ];
    expect(await world().target.view(spec, toGreen(...members))).toEqual({
      target: 'public-ips',
      role: 'web',
      now: from,
      wanted: to,
      parts: true,
      choices: ['i-1', 'i-2', 'i-10'],
      serving: false,
      waitingFor: '0 of 2 addresses point at machines of green',
    });
  });

  it('serves when every one is there', async () => {
    expect(await world({ ...from, 'eipalloc-1': 'i-1' }).target.view(spec, two)).toMatchObject({
      serving: false,
      waitingFor: '1 of 2 addresses point at machines of green',
    });
    expect(await world(to).target.view(spec, two)).toMatchObject({ serving: true });
  });

  it('does not serve when none can be where it has to be, for want of machines', async () => {
    const nowhere = world({ 'eipalloc-1': '', 'eipalloc-2': '' });
    expect(await nowhere.target.view(spec, toGreen())).toMatchObject({
      serving: false,
      problem: { reason: 'TooFewMachines' },
    });
  });

  it('leaves an address that is at a machine of the generation there, whichever is the first', async () => {
    const { target } = world({ ...from, 'eipalloc-1': 'i-2' });
    expect((await target.view(spec, two)).wanted).toEqual({ 'eipalloc-1': 'i-2', 'eipalloc-2': 'i-1' });
  });

  it('goes to other machines than the targets of the same role before it', async () => {
    const { behind } = world({ ...from, 'eipalloc-0': 'i-old0' });
    const three = toGreen(member('i-1'), member('i-2'), member('i-3'));
    expect((await behind.view(spec, three)).wanted).toEqual({ 'eipalloc-1': 'i-2', 'eipalloc-2': 'i-3' });
    expect((await behind.view(spec, two)).problem?.reason).toBe('TooFewMachines');
  });

  it('leaves machines to the targets of the same role whose address is there already', async () => {
    const { behind } = world({ ...from, 'eipalloc-0': 'i-3' });
    const three = toGreen(member('i-1'), member('i-2'), member('i-3'));
    expect((await behind.view(spec, three)).wanted).toEqual(to);
  });

  it('that is something else’s than a machine’s is a problem: it could not be given back', async () => {
    const { cloud, target } = world();
    const { addresses } = cloud.provider;
    cloud.provider.addresses = async (ids) =>
      (await addresses(ids)).map(({ allocationID, publicIP }) => ({
        allocationID,
        publicIP,
        associationID: 'eipassoc-7',
      }));
    expect(await target.view(spec, two)).toMatchObject({
      now: { 'eipalloc-1': 'eipassoc-7', 'eipalloc-2': 'eipassoc-7' },
      problem: { reason: 'AddressInUse', message: expect.stringMatching(/address eipalloc-1, eipalloc-2 belongs to/) },
    });
  });

  it('is a problem where a machine would lose an address from outside, until none is on its way there', async () => {
    const { cloud, target } = world({ ...from, 'eipalloc-2': 'i-2' });
    const asked: string[][] = [];
    const elasticIPs: Record<string, string> = { 'i-1': '203.0.113.9', 'i-2': '203.0.113.8' };
    cloud.provider.find = async (ids) => {
      asked.push(ids);
      return ids.map((id) => ({
        ...aMachine({ id }),
        primary: { id: `eni-${id}`, privateIP: '10.0.0.4', elasticIP: elasticIPs[id] ?? '' },
      }));
    };
    expect((await target.view(spec, two)).problem).toEqual({
      reason: 'MachineHasAddress',
      message:
        'traffic target public-ips: i-1 has 203.0.113.9, which it would lose: take that address off this machine, or add it to spec.traffic[].elasticIPs',
    });
    // The cloud may show a move of ours here before it does there.
    elasticIPs['i-1'] = '192.0.2.1';
    expect((await target.view(spec, two)).problem).toBeUndefined();
    cloud.addresses['eipalloc-1'] = 'i-1';
    expect(await target.view(spec, two)).toMatchObject({ serving: true });
    expect(asked).toEqual([['i-1'], ['i-1']]);
  });

  it('with too few machines is a problem', async () => {
    const view = await world().target.view(spec, toGreen(member('i-1')));
    expect(view.nobody).toBe(true);
    expect(view.problem).toEqual({
      reason: 'TooFewMachines',
      message:
        'traffic target public-ips has 2 addresses and generation green only 1 Ready machines of role web, for all targets of that role: add machines to that role, or take addresses out of the target',
    });
  });

  it('that the account does not have is a problem, before any other', async () => {
    const view = await world({ 'eipalloc-1': 'i-old1' }).target.view(spec, toGreen());
    expect(view.problem).toEqual({
      reason: 'TargetNotFound',
      message: 'traffic target public-ips: the account has no address eipalloc-2: correct spec.traffic[].elasticIPs',
    });
    expect(view.serving).toBe(false);
  });
});

describe('a set of addresses, pointed at a generation', () => {
  it('moves at once, eight at a time, each looked at before and after', async () => {
    const ids = Array.from({ length: 20 }, (_, n) => `eipalloc-${n}`);
    const before = Object.fromEntries(ids.map((id) => [id, `i-old-${id}`]));
    const after = Object.fromEntries(ids.map((id) => [id, `i-new-${id}`]));
    const { cloud, target } = world(before);
    const many = anAddressTarget({ elasticIPs: { allocationIDs: ids } });
    const looks: number[] = [];
    let [busy, most] = [0, 0];
    const { associate, addresses } = cloud.provider;
    cloud.provider.addresses = async (asked) => {
      looks.push(asked.length);
      return addresses(asked);
    };
    cloud.provider.associate = async (id, machine) => {
      most = Math.max(most, ++busy);
      await associate(id, machine);
      await new Promise(setImmediate);
      busy--;
    };
    await target.point(many, before, after);
    expect(cloud.addresses).toMatchObject(after);
    expect(most).toBe(8);
    expect(looks).toEqual([8, 8, 8, 8, 4, 4]);
  });

  it('moves one that points nowhere', async () => {
    const { cloud, target } = world({ 'eipalloc-1': '', 'eipalloc-2': '' });
    await target.point(spec, { 'eipalloc-1': '', 'eipalloc-2': '' }, to);
    expect(cloud.addresses).toEqual(to);
  });

  it('never takes one from a machine to point it nowhere', async () => {
    const { cloud, target } = world(to);
    await target.point(spec, to, { 'eipalloc-1': 'i-old1', 'eipalloc-2': '' });
    expect(cloud.addresses).toEqual({ 'eipalloc-1': 'i-old1', 'eipalloc-2': 'i-2' });
    expect(cloud.calls).toEqual(['associate eipalloc-1 with i-old1']);
  });

  it('leaves one that is there, and goes on with the rest after a crash', async () => {
    const { cloud, target } = world({ ...from, 'eipalloc-1': 'i-1' });
    await target.point(spec, from, to);
    expect(cloud.calls).toEqual(['associate eipalloc-2 with i-2']);
  });

  it('moves none when somebody else has moved one, and says where that is', async () => {
    const { cloud, target } = world({ ...from, 'eipalloc-2': 'i-foreign' });
    await expect(target.point(spec, from, to)).rejects.toThrow(
      new ForeignChange(
        'address eipalloc-2 of traffic target public-ips points at i-foreign, which is neither where this cutover last saw it (eipalloc-2=i-old2) nor where it wants it (eipalloc-2=i-2): somebody else moved it',
      ),
    );
    expect(cloud.calls).toEqual([]);
  });

  it('notices a change at the very moment of its own', async () => {
    const { cloud, target } = world();
    const { associate } = cloud.provider;
    cloud.provider.associate = async (id, machine) => {
      await associate(id, machine);
      if (id === 'eipalloc-2') cloud.addresses[id] = 'i-foreign';
    };
    await expect(target.point(spec, from, to)).rejects.toThrow(/^address eipalloc-2 .* points at i-foreign/);
    expect(cloud.addresses).toEqual({ 'eipalloc-1': 'i-1', 'eipalloc-2': 'i-foreign' });
  });

  it('names that change even when the cloud has refused another move', async () => {
    const { cloud, target } = world();
    cloud.provider.associate = async (id) => {
      if (id === 'eipalloc-1') throw aRefusal('Unauthorized');
      cloud.addresses[id] = 'i-foreign';
    };
    await expect(target.point(spec, from, to)).rejects.toBeInstanceOf(ForeignChange);
  });

  it('lets the others move when the cloud refuses one, and says so then', async () => {
    const { cloud, target } = world();
    const { associate } = cloud.provider;
    cloud.provider.associate = async (id, machine) => {
      if (id === 'eipalloc-1') throw aRefusal('Unauthorized');
      await associate(id, machine);
    };
    await expect(target.point(spec, from, to)).rejects.toMatchObject({ reason: 'Unauthorized' });
    expect(cloud.addresses).toEqual({ ...from, 'eipalloc-2': 'i-2' });
  });

  it('takes an answer that still shows the old machine for a late one', async () => {
    const { cloud, target } = world();
    cloud.provider.associate = async () => {};
    await target.point(spec, from, to);
    expect(cloud.addresses).toEqual(from);
  });
});
