import { describe, expect, it } from '@jest/globals';
import { aCloud, anAddressTarget, EPOCH } from '../../test/builders/index.ts';
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
  return { cloud, target: elasticIPTarget(async () => cloud.provider) };
}

describe('a set of addresses, looked at for a generation', () => {
  it('goes to the role’s Ready machines by launch order', async () => {
    const members = [
      member('i-3', { launchTime: EPOCH + 1 }),
      member('i-9', { role: 'console' }),
      member('i-0', { ready: false }),
      member('i-2'),
      member('i-1'),
    ];
    expect(await world().target.view(spec, toGreen(...members))).toEqual({
      target: 'public-ips',
      role: 'web',
      now: from,
      wanted: to,
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

  it('with too few machines is a problem', async () => {
    expect((await world().target.view(spec, toGreen(member('i-1')))).problem).toEqual({
      reason: 'TooFewMachines',
      message:
        'traffic target public-ips has 2 addresses and generation green only 1 Ready machines of role web: add machines to that role, or take addresses out of the target',
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
  it('moves one after the other', async () => {
    const { cloud, target } = world();
    await target.point(spec, from, to);
    expect(cloud.addresses).toEqual(to);
    expect(cloud.calls).toEqual(['associate eipalloc-1 with i-1', 'associate eipalloc-2 with i-2']);
  });

  it('moves one that points nowhere', async () => {
    const { cloud, target } = world({ 'eipalloc-1': '', 'eipalloc-2': '' });
    await target.point(spec, { 'eipalloc-1': '', 'eipalloc-2': '' }, to);
    expect(cloud.addresses).toEqual(to);
  });

  it('leaves one that is there, and goes on with the rest after a crash', async () => {
    const { cloud, target } = world({ ...from, 'eipalloc-1': 'i-1' });
    await target.point(spec, from, to);
    expect(cloud.calls).toEqual(['associate eipalloc-2 with i-2']);
  });

  it('does not touch one that somebody else has moved, and says where it is', async () => {
    const { cloud, target } = world({ ...from, 'eipalloc-2': 'i-foreign' });
    await expect(target.point(spec, from, to)).rejects.toThrow(
      new ForeignChange(
        'address eipalloc-2 of traffic target public-ips points at i-foreign, which is neither where this cutover found it (eipalloc-2=i-old2) nor where it wants it (eipalloc-2=i-2): somebody else moved it',
      ),
    );
    expect(cloud.calls).toEqual(['associate eipalloc-1 with i-1']);
  });

  it('notices a change at the very moment of its own', async () => {
    const { cloud, target } = world();
    const { associate } = cloud.provider;
    cloud.provider.associate = async (id, machine) => {
      await associate(id, machine);
      cloud.addresses[id] = 'i-foreign';
    };
    await expect(target.point(spec, from, to)).rejects.toBeInstanceOf(ForeignChange);
    expect(cloud.calls).toEqual(['associate eipalloc-1 with i-1']);
  });

  it('takes an answer that still shows the old machine for a late one', async () => {
    const { cloud, target } = world();
    cloud.provider.associate = async () => {};
    await target.point(spec, from, to);
    expect(cloud.addresses).toEqual(from);
  });
});
