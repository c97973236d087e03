import { describe, expect, it } from '@jest/globals';
import type { Machine, NodeState } from './nodes/registry.ts';
import { aCloud, instancesOf, items, named, type TestCloud } from './testing.ts';

const stateOf = ({ ok }: TestCloud, id: string) => {
  const [instance] = instancesOf(ok('DescribeInstances', named([id])));
  return (instance?.instanceState as { name: string } | undefined)?.name;
};

function watchNodes({ cloud }: TestCloud): [string, NodeState][] {
  const wanted: [string, NodeState][] = [];
  cloud.nodes = { want: (machine: Machine, state) => void wanted.push([machine.id, state]), stop: async () => {} };
  return wanted;
}

describe('a machine', () => {
  it('boots, becomes a Node, and leaves one after the other', async () => {
    const test = aCloud();
    const nodes = watchNodes(test);
    const [id] = test.launch(1);
    expect(stateOf(test, id!)).toBe('pending');
    await test.clock.advance(10_000);
    expect(stateOf(test, id!)).toBe('running');
    expect(nodes).toEqual([]);
    await test.clock.advance(10_000);
    expect(nodes).toEqual([[id, 'up']]);
    test.ok('TerminateInstances', named([id!]));
    expect(stateOf(test, id!)).toBe('shutting-down');
    expect(nodes.at(-1)).toEqual([id, 'down']);
    await test.clock.advance(10_000);
    expect(stateOf(test, id!)).toBe('terminated');
    expect(nodes.at(-1)).toEqual([id, 'gone']);
    expect(nodes).toHaveLength(3);
  });

  it('keeps its address while stopped and boots again with it', async () => {
    const test = aCloud();
    const nodes = watchNodes(test);
    const [id] = test.launch(1);
    await test.clock.advance(20_000);
    test.ok('StopInstances', named([id!]));
    await test.clock.advance(10_000);
    expect(stateOf(test, id!)).toBe('stopped');
    expect(test.cloud.subnets.get('subnet-b')?.free).toBe(250);
    expect(test.code('StopInstances', named([id!]))).toBeUndefined();
    test.ok('StartInstances', named([id!]));
    expect(stateOf(test, id!)).toBe('pending');
    await test.clock.advance(20_000);
    expect(stateOf(test, id!)).toBe('running');
    expect(nodes.map(([, state]) => state)).toEqual(['up', 'down', 'gone', 'up']);
  });

  it('gives its address back when it is terminated, not before', async () => {
    const test = aCloud();
    const [id] = test.launch(1);
    await test.clock.advance(20_000);
    test.ok('TerminateInstances', named([id!]));
    expect(test.cloud.subnets.get('subnet-b')?.free).toBe(250);
    await test.clock.advance(10_000);
    expect(test.cloud.subnets.get('subnet-b')?.free).toBe(251);
  });

  it('that is terminated while it boots never becomes a Node', async () => {
    const test = aCloud();
    const nodes = watchNodes(test);
    const [id] = test.launch(1);
    await test.clock.advance(12_000);
    test.ok('TerminateInstances', named([id!]));
    await test.clock.advance(60_000);
    expect(nodes).toEqual([]);
  });

  it('stays visible for an hour after its end, then it is unknown', async () => {
    const test = aCloud({}, 60);
    const [id] = test.launch(1);
    test.ok('TerminateInstances', named([id!]));
    await test.clock.advance(59_000);
    expect(stateOf(test, id!)).toBe('terminated');
    expect(test.code('TerminateInstances', named([id!]))).toBeUndefined();
    await test.clock.advance(3000);
    expect(test.code('DescribeInstances', named([id!]))).toBe('InvalidInstanceID.NotFound');
    expect(test.cloud.ledger.machines.get(id!)).toMatchObject({ id, terminatedBy: 'operator' });
  });

  it('is not known for the consistency delay, and its changes are seen late', async () => {
    const test = aCloud({ times: { ...fast, consistency: '5s' } });
    const [id] = test.launch(1);
    expect(instancesOf(test.ok('DescribeInstances'))).toEqual([]);
    expect(test.code('DescribeInstances', named([id!]))).toBe('InvalidInstanceID.NotFound');
    expect(test.code('TerminateInstances', named([id!]))).toBe('InvalidInstanceID.NotFound');
    await test.clock.advance(5000);
    expect(stateOf(test, id!)).toBe('pending');
    test.ok('CreateTags', { 'ResourceId.1': id!, 'Tag.1.Key': 'a', 'Tag.1.Value': '1' });
    expect(instancesOf(test.ok('DescribeInstances'))[0]?.tagSet).toBeUndefined();
    await test.clock.advance(5000);
    expect(instancesOf(test.ok('DescribeInstances'))[0]?.tagSet).toEqual([{ key: 'a', value: '1' }]);
    // It has been running since second 10.
    expect(stateOf(test, id!)).toBe('pending');
    await test.clock.advance(5000);
    expect(stateOf(test, id!)).toBe('running');
  });

  it('takes a time spread evenly around the median', async () => {
    const test = aCloud({ times: { ...fast, boot: { median: '20s', spread: '10s' } } });
    test.launch(200);
    await test.clock.advance(60_000);
    const times = [...test.cloud.ledger.machines.values()].map(
      ({ launched, running }) => (Date.parse(running!) - Date.parse(launched)) / 1000,
    );
    expect(Math.min(...times)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...times)).toBeLessThanOrEqual(30);
    expect(times.filter((time) => time < 20).length).toBeGreaterThan(60);
    expect(times.filter((time) => time < 20).length).toBeLessThan(140);
  });

  it('lives faster by the time scale', async () => {
    const test = aCloud({}, 10);
    const [id] = test.launch(1);
    await test.clock.advance(1000);
    expect(stateOf(test, id!)).toBe('running');
  });
});

describe('protection', () => {
  it('against termination spares the zone of the protected machine, not the others', async () => {
    const { cloud, launch, ok, send } = aCloud();
    const [plainA] = launch(1, { SubnetId: 'subnet-a' });
    const [guardedB, plainB] = launch(2);
    ok('ModifyInstanceAttribute', { InstanceId: guardedB!, 'DisableApiTermination.Value': 'true' });
    const { result, call } = send('TerminateInstances', named([plainA!, plainB!, guardedB!]));
    expect(result).toMatchObject({
      error: {
        code: 'OperationNotPermitted',
        message: `The instance '${guardedB}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
      },
    });
    const states = [plainA, plainB, guardedB].map((id) => cloud.instances.get(id!)?.state.current);
    expect(states).toEqual(['shutting-down', 'pending', 'pending']);
    expect(call.machines).toEqual([plainA]);
  });

  it('against stopping protects from termination as well', async () => {
    const { launch, send, code, ok, clock } = aCloud();
    const ids = launch(1, { DisableApiStop: 'true' });
    await clock.advance(10_000);
    expect(code('StopInstances', named(ids))).toBe('OperationNotPermitted');
    expect(send('TerminateInstances', named(ids)).result).toMatchObject({
      error: { message: expect.stringContaining("Modify its 'disableApiStop' instance attribute") },
    });
    ok('ModifyInstanceAttribute', { InstanceId: ids[0]!, Attribute: 'disableApiStop', Value: 'false' });
    ok('TerminateInstances', named(ids));
  });

  it('is set one attribute at a time', () => {
    const { launch, send, code } = aCloud();
    const [id] = launch(1);
    const both = { InstanceId: id!, 'DisableApiTermination.Value': 'true', 'DisableApiStop.Value': 'true' };
    expect(send('ModifyInstanceAttribute', both).result).toMatchObject({
      error: { code: 'InvalidParameterCombination', message: expect.stringContaining('disableApiStop') },
    });
    expect(code('ModifyInstanceAttribute', { InstanceId: id! })).toBe('InvalidParameterCombination');
  });

  it('is not lifted from a machine that is already going', () => {
    const { launch, ok, code } = aCloud();
    const ids = launch(1);
    ok('TerminateInstances', named(ids));
    const change = { InstanceId: ids[0]!, 'DisableApiTermination.Value': 'true' };
    expect(code('ModifyInstanceAttribute', change)).toBe('IncorrectInstanceState');
  });

  it('does not save anything when one id is unknown: nothing is done', () => {
    const { launch, code, cloud } = aCloud();
    const [id] = launch(1);
    expect(code('TerminateInstances', named([id!, 'i-0123']))).toBe('InvalidInstanceID.NotFound');
    expect(code('TerminateInstances', named([id!, 'web-1']))).toBe('InvalidInstanceID.Malformed');
    expect(cloud.instances.get(id!)?.state.current).toBe('pending');
  });
});

const fast = {
  boot: { median: '10s' },
  registration: { median: '10s' },
  stop: { median: '10s' },
  terminate: { median: '10s' },
  consistency: '0s',
};

describe('Elastic IPs', () => {
  it('move unless told not to, one per machine, and are let go by a terminated one', async () => {
    const { launch, ok, code, clock, cloud } = aCloud();
    const [one, two] = launch(2);
    const associate = (allocation: string, id: string, more = {}) => ({
      AllocationId: allocation,
      InstanceId: id,
      ...more,
    });
    expect(code('AssociateAddress', associate('eipalloc-1', one!))).toBe('InvalidInstanceID');
    await clock.advance(10_000);
    const first = ok('AssociateAddress', associate('eipalloc-1', one!));
    expect(ok('AssociateAddress', associate('eipalloc-1', one!))).toEqual(first);
    expect(code('AssociateAddress', associate('eipalloc-1', two!, { AllowReassociation: 'false' }))).toBe(
      'Resource.AlreadyAssociated',
    );
    ok('AssociateAddress', associate('eipalloc-1', two!));
    ok('AssociateAddress', associate('eipalloc-2', two!));
    const pointing = () => [...cloud.addresses.values()].map(({ association }) => association.current?.instanceId);
    expect(pointing()).toStrictEqual([undefined, two]);
    expect(code('ReleaseAddress', { AllocationId: 'eipalloc-2' })).toBe('InvalidIPAddress.InUse');
    ok('TerminateInstances', named([two!]));
    await clock.advance(10_000);
    expect(pointing()).toStrictEqual([undefined, undefined]);
    const { history } = cloud.ledger.addresses.get('eipalloc-1')!;
    expect(history.map(({ instanceId }) => instanceId)).toEqual([one, two, null]);
    ok('ReleaseAddress', { AllocationId: 'eipalloc-2' });
    expect(items(ok('DescribeAddresses').addressesSet)).toHaveLength(1);
  });

  it('point at one interface of a machine that has several, and take nothing from its others', async () => {
    const { launch, ok, code, clock, cloud } = aCloud({ networkInterfaces: 2 });
    const subnet = cloud.subnets.get('subnet-b')!;
    const free = subnet.free;
    const [one] = launch(1);
    expect(subnet.free).toBe(free - 2);
    await clock.advance(10_000);
    const interfaces = items(instancesOf(ok('DescribeInstances', named([one!])))[0]!.networkInterfaceSet);
    const [primary, second] = interfaces.map(({ networkInterfaceId }) => String(networkInterfaceId));
    const through = (allocation: string, NetworkInterfaceId: string, more = {}) => ({
      AllocationId: allocation,
      NetworkInterfaceId,
      ...more,
    });
    expect(code('AssociateAddress', { AllocationId: 'eipalloc-1', InstanceId: one! })).toBe('InvalidInstanceID');
    ok('AssociateAddress', through('eipalloc-1', second!));
    const seen = () => instancesOf(ok('DescribeInstances', named([one!])))[0]!;
    expect(seen().ipAddress).toBeUndefined();
    ok('AssociateAddress', through('eipalloc-2', primary!));
    expect(seen().ipAddress).toBe('203.0.113.2');
    expect(items(ok('DescribeAddresses').addressesSet)).toMatchObject([
      { instanceId: one, networkInterfaceId: second },
      { instanceId: one, networkInterfaceId: primary, privateIpAddress: seen().privateIpAddress },
    ]);
    ok('AssociateAddress', through('eipalloc-1', primary!));
    expect([...cloud.addresses.values()].map(({ association }) => association.current?.interfaceId)).toStrictEqual([
      primary,
      undefined,
    ]);
    ok('TerminateInstances', named([one!]));
    await clock.advance(10_000);
    expect(code('AssociateAddress', through('eipalloc-1', primary!))).toBe('InvalidNetworkInterfaceID.NotFound');
    expect(subnet.free).toBe(free);
  });
});

describe('a CNI', () => {
  it('attaches interfaces, addresses and prefixes once the Node is there, and gives them back with the machine', async () => {
    const cni = { after: { median: '20s' }, interfaces: 2, addresses: 3, prefixes: 1 };
    const { launch, ok, clock, cloud } = aCloud({ cni });
    const subnet = cloud.subnets.get('subnet-b')!;
    const free = subnet.free;
    const [one] = launch(1);
    const interfaces = () => items(instancesOf(ok('DescribeInstances', named([one!])))[0]!.networkInterfaceSet);
    await clock.advance(39_000);
    expect([interfaces().length, free - subnet.free]).toEqual([1, 1]);
    await clock.advance(1_000);
    expect(interfaces().map((each) => items(each.privateIpAddressesSet).map(({ primary }) => primary))).toEqual([
      [true, false, false],
      [true, false, false],
    ]);
    expect(interfaces().every((each) => /\/28$/.test(String(items(each.ipv4PrefixSet)[0]?.ipv4Prefix)))).toBe(true);
    expect(free - subnet.free).toBe(38);
    ok('TerminateInstances', named([one!]));
    await clock.advance(10_000);
    expect(subnet.free).toBe(free);
  });

  it('takes no more than there is', async () => {
    const { launch, clock, cloud } = aCloud({
      subnets: [{ id: 'subnet-b', zone: 'us-east-1b', cidr: '10.0.1.0/28' }],
      cni: { after: { median: '0s' }, interfaces: 4, addresses: 4 },
    });
    launch(2);
    await clock.advance(60_000);
    expect(cloud.subnets.get('subnet-b')!.free).toBe(0);
  });
});
