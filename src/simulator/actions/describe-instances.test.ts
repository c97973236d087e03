import { describe, expect, it } from '@jest/globals';
import { aCloud, filters, instancesOf, items, named } from '../testing.ts';

const subnets = [{ id: 'subnet-b', zone: 'us-east-1b', cidr: '10.1.0.0/16' }];
const wide = {
  subnets,
  quotas: { vcpus: 100_000 },
  buckets: { RunInstances: { resourceBurst: 10_000, requestBurst: 10_000 } },
};

describe('DescribeInstances', () => {
  it('pages through every instance once, also when some vanish on the way', () => {
    const { launch, ok, cloud } = aCloud(wide);
    const ids = launch(25);
    const seen: unknown[] = [];
    let token: string | undefined;
    do {
      const page = ok('DescribeInstances', { MaxResults: '10', ...(token ? { NextToken: token } : {}) });
      seen.push(...instancesOf(page).map(({ instanceId }) => instanceId));
      const first = cloud.instances.get(ids[seen.length === 10 ? 3 : 99] ?? '');
      if (first) cloud.instances.remove(first);
      token = page.nextToken as string | undefined;
    } while (token);
    expect(seen).toEqual(ids);
  });

  it('has no next page when the last one is full', () => {
    const { launch, ok } = aCloud(wide);
    launch(10);
    expect(ok('DescribeInstances', { MaxResults: '10' }).nextToken).toBeUndefined();
  });

  it('pages what it filters', () => {
    const { launch, ok } = aCloud(wide);
    const tag = (value: string) => ({
      'TagSpecification.1.ResourceType': 'instance',
      'TagSpecification.1.Tag.1.Key': 'role',
      'TagSpecification.1.Tag.1.Value': value,
    });
    for (let round = 0; round < 4; round++) {
      launch(3, tag('web'));
      launch(3, tag('job'));
    }
    const first = ok('DescribeInstances', { ...filters({ 'tag:role': ['web'] }), MaxResults: '7' });
    expect(instancesOf(first)).toHaveLength(7);
    const second = ok('DescribeInstances', {
      ...filters({ 'tag:role': ['web'] }),
      MaxResults: '7',
      NextToken: String(first.nextToken),
    });
    expect(instancesOf(second)).toHaveLength(5);
    expect(second.nextToken).toBeUndefined();
  });

  it('filters by state, place and more', async () => {
    const { launch, ok, clock } = aCloud();
    const [a] = launch(1, { SubnetId: 'subnet-a' });
    const [b] = launch(1, { ClientToken: 'token-b' });
    await clock.advance(10_000);
    launch(1);
    const found = (wanted: Record<string, string[]>) =>
      instancesOf(ok('DescribeInstances', filters(wanted))).map(({ instanceId }) => instanceId);
    expect(found({ 'instance-state-name': ['running'] })).toEqual([a, b]);
    expect(found({ 'instance-state-code': ['16'], 'subnet-id': ['subnet-b'] })).toEqual([b]);
    expect(found({ 'availability-zone': ['us-east-1a'] })).toEqual([a]);
    expect(found({ 'client-token': ['token-b'] })).toEqual([b]);
    expect(found({ 'instance-id': [a!, b!] })).toEqual([a, b]);
    expect(found({ 'private-dns-name': ['ip-10-0-0-4.*'] })).toEqual([a]);
  });

  it.each([
    ['MaxResults 4', { MaxResults: '4' }, 'InvalidParameterValue'],
    ['MaxResults 1001', { MaxResults: '1001' }, 'InvalidParameterValue'],
    ['a token that is none', { NextToken: 'x' }, 'InvalidParameterValue'],
    ['ids with MaxResults', { MaxResults: '10', 'InstanceId.1': 'i-1' }, 'InvalidParameterCombination'],
    ['an unknown filter', filters({ colour: ['red'] }), 'InvalidParameterValue'],
    ['an unknown id', named(['i-0123']), 'InvalidInstanceID.NotFound'],
  ])('refuses %s', (_what, parameters, expected) => {
    expect(aCloud().code('DescribeInstances', parameters)).toBe(expected);
  });

  it('answers for 5,000 instances in well under a second a page', () => {
    const { launch, ok } = aCloud(wide);
    for (let round = 0; round < 5; round++) launch(1000);
    const started = performance.now();
    let pages = 0;
    let token: string | undefined;
    let total = 0;
    do {
      const page = ok('DescribeInstances', { MaxResults: '1000', ...(token ? { NextToken: token } : {}) });
      total += instancesOf(page).length;
      pages++;
      token = page.nextToken as string | undefined;
    } while (token);
    expect([total, pages]).toEqual([5000, 5]);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('DescribeInstanceStatus', () => {
  it('tells machines that answer from those that do not', async () => {
    const faults = [{ name: 'dead', count: 1, effect: { neverBoots: 1 } }];
    const { launch, ok, clock } = aCloud({ faults });
    launch(2);
    const health = () =>
      items(ok('DescribeInstanceStatus').instanceStatusSet).map(
        (one) => (one.instanceStatus as { status: string }).status,
      );
    expect(health()).toEqual([]);
    await clock.advance(10_000);
    expect(health()).toEqual(['impaired', 'initializing']);
    await clock.advance(10_000);
    expect(health()).toEqual(['impaired', 'ok']);
  });
});
