import { describe, expect, it } from '@jest/globals';
import { aCloud, instancesOf, items, type ScenarioInput } from '../testing.ts';
import type { Answer } from '../wire/xml.ts';

type FaultInput = NonNullable<ScenarioInput['faults']>[number];
const withFault = (fault: Omit<FaultInput, 'name'>) => aCloud({ faults: [{ name: 'fault', ...fault }] });
const launch = { MinCount: '1', MaxCount: '4', SubnetId: 'subnet-b', 'LaunchTemplate.LaunchTemplateId': 'lt-1' };
const role = (value: string) => ({
  'TagSpecification.1.ResourceType': 'instance',
  'TagSpecification.1.Tag.1.Key': 'role',
  'TagSpecification.1.Tag.1.Value': value,
});

describe('a fault', () => {
  it('refuses with the code that it names, before any work, and is noted', () => {
    const { send, cloud } = withFault({ operations: ['RunInstances'], effect: { error: 'InternalError' } });
    const { result, call } = send('RunInstances', launch);
    expect(result).toMatchObject({ error: { code: 'InternalError', status: 500 } });
    expect(call.faults).toEqual(['fault']);
    expect(cloud.instances.all).toHaveLength(0);
    expect(send('DescribeSubnets').call.code).toBeUndefined();
  });

  it('waits for requests, acts so many times, and is over', () => {
    const { code } = withFault({ after: { requests: 2 }, count: 3, effect: { error: 'Unavailable' } });
    const codes = Array.from({ length: 7 }, () => code('DescribeSubnets') ?? 'ok');
    expect(codes).toEqual(['ok', 'ok', 'Unavailable', 'Unavailable', 'Unavailable', 'ok', 'ok']);
  });

  it('waits for time and ends in time, scaled', async () => {
    const test = aCloud(
      { faults: [{ name: 'f', after: { time: '10m' }, until: '20m', effect: { error: 'Unavailable' } }] },
      60,
    );
    expect(test.code('DescribeSubnets')).toBeUndefined();
    await test.clock.advance(10_000);
    expect(test.code('DescribeSubnets')).toBe('Unavailable');
    await test.clock.advance(10_000);
    expect(test.code('DescribeSubnets')).toBeUndefined();
  });

  it('waits for machines', () => {
    const { code, send } = withFault({
      operations: ['RunInstances'],
      after: { machines: 6 },
      effect: { error: 'Unavailable' },
    });
    expect(send('RunInstances', launch).call.machines).toHaveLength(4);
    expect(send('RunInstances', launch).call.machines).toHaveLength(4);
    expect(code('RunInstances', launch)).toBe('Unavailable');
  });

  it('matches caller, subnet, type and tags', () => {
    const { code } = withFault({
      match: { caller: 'operator', subnet: 'subnet-b', instanceType: 'm6i.large', tags: { role: 'web' } },
      effect: { error: 'Unavailable' },
    });
    const web = { ...launch, ...role('web') };
    expect(code('RunInstances', web)).toBe('Unavailable');
    expect(code('RunInstances', web, 'ops-laptop')).toBeUndefined();
    expect(code('RunInstances', { ...web, SubnetId: 'subnet-a' })).toBeUndefined();
    expect(code('RunInstances', { ...web, InstanceType: 'm6i.xlarge' })).toBeUndefined();
    expect(code('RunInstances', { ...launch, ...role('job') })).toBeUndefined();
    expect(code('DescribeSubnets')).toBeUndefined();
  });

  it('matches the machines that a request names', () => {
    const { launch: start, code } = withFault({
      operations: ['TerminateInstances'],
      match: { tags: { role: 'web' } },
      effect: { error: 'Unavailable' },
    });
    const [web] = start(1, role('web'));
    const [job] = start(1, role('job'));
    expect(code('TerminateInstances', { 'InstanceId.1': job! })).toBeUndefined();
    expect(code('TerminateInstances', { 'InstanceId.1': web! })).toBe('Unavailable');
  });

  it('strikes the share of requests that its probability says', () => {
    const { code } = aCloud({
      buckets: { DescribeSubnets: { requestBurst: 10_000 } },
      faults: [{ name: 'f', probability: 0.25, effect: { error: 'Unavailable' } }],
    });
    const struck = Array.from({ length: 400 }, () => code('DescribeSubnets')).filter(Boolean).length;
    expect(struck).toBeGreaterThan(60);
    expect(struck).toBeLessThan(140);
  });

  it('of capacity lets so many machines be launched, the last launch in part', () => {
    const { send } = withFault({ operations: ['RunInstances'], effect: { capacity: 6 } });
    expect(send('RunInstances', launch).call.machines).toHaveLength(4);
    const partial = send('RunInstances', launch).call;
    expect(partial.machines).toHaveLength(2);
    expect(partial.faults).toEqual(['fault']);
    expect(send('RunInstances', launch).result).toMatchObject({
      error: { code: 'InsufficientInstanceCapacity', status: 500, message: expect.stringContaining('(us-east-1b)') },
    });
  });

  it('of machines that never boot leaves them running without a Node', async () => {
    const { ok, clock, cloud } = withFault({ operations: ['RunInstances'], count: 3, effect: { neverBoots: 1 } });
    const up: string[] = [];
    cloud.nodes = { want: ({ id }) => void up.push(id), stop: async () => {} };
    ok('RunInstances', launch);
    await clock.advance(60_000);
    expect(cloud.instances.all.map(({ state }) => state.current)).toEqual(Array(4).fill('running'));
    expect(up).toHaveLength(1);
    const broken = [...cloud.ledger.machines.values()].filter(({ neverBoots }) => neverBoots);
    expect(broken).toHaveLength(3);
  });

  it('of machines that the cloud ends itself says why, and asks no protection', async () => {
    const ends = { after: '3s', code: 'Client.InternalError', message: 'Client error on launch' };
    const { ok, clock, cloud } = withFault({ operations: ['RunInstances'], count: 3, effect: { ends } });
    ok('RunInstances', { ...launch, DisableApiTermination: 'true', DisableApiStop: 'true' });
    await clock.advance(30_000);
    const seen = instancesOf(ok('DescribeInstances'));
    const ended = seen.filter(({ instanceState }) => (instanceState as Answer).name === 'terminated');
    expect(ended).toHaveLength(3);
    expect(ended[0]).toMatchObject({
      reason: 'Client.InternalError',
      stateReason: { code: 'Client.InternalError', message: 'Client.InternalError: Client error on launch' },
    });
    expect(cloud.faults.list).toMatchObject([{ acted: 3 }]);
    expect([...cloud.ledger.machines.values()].filter(({ terminatedBy }) => terminatedBy === 'the cloud')).toHaveLength(
      3,
    );
  });

  it('of delivery does the work or not, as it says', () => {
    const lost = withFault({ operations: ['RunInstances'], effect: { dropResponse: true } });
    const { call, delivery } = lost.send('RunInstances', launch);
    expect(delivery.drop).toBe(true);
    expect(call).toMatchObject({ status: 200, responseLost: true });
    expect(lost.cloud.instances.all).toHaveLength(4);

    const hung = withFault({ operations: ['RunInstances'], effect: { hang: true } });
    expect(hung.send('RunInstances', launch)).toMatchObject({ call: { status: 0 }, delivery: { hang: true } });
    expect(hung.cloud.instances.all).toHaveLength(0);

    const slow = aCloud({ faults: [{ name: 's', effect: { slow: '30s' } }] }, 10);
    expect(slow.send('RunInstances', launch).delivery.delayMs).toBe(3000);
    expect(slow.cloud.instances.all).toHaveLength(4);
  });

  it('of omission leaves a share of the machines, subnets or addresses out of an answer that says nothing of it', () => {
    const { cloud, ok, launch: start } = aCloud();
    const launched = [...start(2), ...start(4)];
    const spec = { name: 'f', match: {}, after: {}, probability: 1 };
    const seen = () => instancesOf(ok('DescribeInstances')).map(({ instanceId }) => instanceId);
    cloud.faults.add({ ...spec, effect: { omits: 0.5 } });
    expect(seen()).toEqual(launched.slice(3));
    expect(items(ok('DescribeSubnets').subnetSet)).toHaveLength(1);
    cloud.faults.add({ ...spec, effect: { omits: 1 } });
    expect(ok('DescribeInstances')).toMatchObject({ reservationSet: [] });
    expect(items(ok('DescribeAddresses').addressesSet)).toEqual([]);
    cloud.faults.remove('f');
    expect(seen()).toEqual(launched);
  });

  it('of staleness answers what was before', async () => {
    const { cloud, clock, ok, launch: start } = aCloud();
    const [first] = start(1);
    await clock.advance(60_000);
    start(1);
    await clock.advance(10_000);
    cloud.faults.add({ name: 'f', match: {}, after: {}, probability: 1, effect: { stale: 30_000 } });
    expect(instancesOf(ok('DescribeInstances')).map(({ instanceId }) => instanceId)).toEqual([first]);
    cloud.faults.remove('f');
    expect(instancesOf(ok('DescribeInstances'))).toHaveLength(2);
  });

  it('can be added, replaced and removed while the cloud runs', () => {
    const { cloud, code, ok } = aCloud();
    const spec = { name: 'f', match: {}, after: {}, probability: 1 };
    const error = (name: string) => ({ error: { code: name, message: undefined, status: undefined } });
    cloud.faults.add({ ...spec, effect: error('Unavailable') });
    expect(code('DescribeSubnets')).toBe('Unavailable');
    cloud.faults.add({ ...spec, effect: error('InternalError') });
    expect(code('DescribeSubnets')).toBe('InternalError');
    expect(cloud.faults.list).toMatchObject([{ name: 'f', acted: 1 }]);
    expect(cloud.faults.remove('f')).toBe(true);
    expect(cloud.faults.remove('f')).toBe(false);
    expect(items(ok('DescribeSubnets').subnetSet)).toHaveLength(2);
  });
});
