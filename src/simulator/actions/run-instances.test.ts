import { describe, expect, it } from '@jest/globals';
import { aCloud, instancesOf, items } from '../testing.ts';

const launchA = (changes: Record<string, string> = {}) => ({
  MinCount: '1',
  MaxCount: '5',
  SubnetId: 'subnet-a',
  'LaunchTemplate.LaunchTemplateId': 'lt-1',
  ...changes,
});

describe('a launch', () => {
  it('goes as far as the subnet has addresses, and fails below MinCount without launching any', () => {
    const { ok, send, cloud } = aCloud();
    expect(items(ok('RunInstances', launchA({ MaxCount: '9' })).instancesSet)).toHaveLength(9);
    expect(items(ok('RunInstances', launchA({ MaxCount: '9' })).instancesSet)).toHaveLength(2);
    const { result, call } = send('RunInstances', launchA());
    expect(result).toMatchObject({ error: { code: 'InsufficientFreeAddressesInSubnet', status: 400 } });
    expect(call.machines).toBeUndefined();
    expect(cloud.instances.all).toHaveLength(11);
  });

  it('fails whole when MinCount does not fit', () => {
    const { code, cloud } = aCloud();
    expect(code('RunInstances', launchA({ MinCount: '12', MaxCount: '12' }))).toBe('InsufficientFreeAddressesInSubnet');
    expect(cloud.subnets.get('subnet-a')?.free).toBe(11);
  });

  it('goes as far as the vCPU quota, which stopped machines do not use', async () => {
    const { ok, code, launch, clock } = aCloud({ quotas: { vcpus: 6 } });
    const ids = launch(2);
    expect(items(ok('RunInstances', launchA()).instancesSet)).toHaveLength(1);
    expect(code('RunInstances', launchA())).toBe('VcpuLimitExceeded');
    await clock.advance(10_000);
    ok('StopInstances', { 'InstanceId.1': ids[0]! });
    await clock.advance(10_000);
    expect(items(ok('RunInstances', launchA()).instancesSet)).toHaveLength(1);
    expect(code('StartInstances', { 'InstanceId.1': ids[0]! })).toBe('VcpuLimitExceeded');
  });

  it('is repeated with the same ClientToken without launching again', async () => {
    const { ok, send, cloud, clock } = aCloud();
    const first = ok('RunInstances', launchA({ ClientToken: 'token-1' }));
    await clock.advance(10_000);
    const again = send('RunInstances', launchA({ ClientToken: 'token-1' }));
    expect(again.call.replayed).toBe(true);
    expect(again.result).toMatchObject({ answer: { reservationId: first.reservationId } });
    const states = 'answer' in again.result ? items(again.result.answer.instancesSet).map((i) => i.instanceState) : [];
    expect(states).toEqual(Array(5).fill({ code: 16, name: 'running' }));
    expect(cloud.instances.all).toHaveLength(5);
  });

  it('does not depend on the order of its parameters for that', () => {
    const { ok, cloud } = aCloud();
    const parameters = launchA({ ClientToken: 'token-1' });
    ok('RunInstances', parameters);
    ok('RunInstances', Object.fromEntries(Object.entries(parameters).toReversed()));
    expect(cloud.instances.all).toHaveLength(5);
  });

  it('with the same ClientToken and other parameters is refused', () => {
    const { ok, code } = aCloud();
    ok('RunInstances', launchA({ ClientToken: 'token-1' }));
    expect(code('RunInstances', launchA({ ClientToken: 'token-1', MaxCount: '6' }))).toBe(
      'IdempotentParameterMismatch',
    );
    expect(code('RunInstances', launchA({ ClientToken: 'token-2', MaxCount: '2' }))).toBeUndefined();
  });

  it('that failed leaves its ClientToken free', () => {
    const { cloud, code, ok } = aCloud({
      faults: [{ name: 'once', operations: ['RunInstances'], count: 1, effect: { error: 'InternalError' } }],
    });
    expect(code('RunInstances', launchA({ ClientToken: 'token-1' }))).toBe('InternalError');
    ok('RunInstances', launchA({ ClientToken: 'token-1' }));
    expect(cloud.instances.all).toHaveLength(5);
  });

  it('pays a token per machine, or launches none', async () => {
    const { code, clock, cloud } = aCloud({ buckets: { RunInstances: { resourceBurst: 6, resourcesPerSecond: 1 } } });
    expect(code('RunInstances', launchA())).toBeUndefined();
    expect(code('RunInstances', launchA())).toBe('RequestLimitExceeded');
    expect(cloud.instances.all).toHaveLength(5);
    await clock.advance(4000);
    expect(code('RunInstances', launchA())).toBeUndefined();
    expect(cloud.ledger.throttled).toEqual({ RunInstances: { requests: 0, resources: 1 } });
  });

  it.each([
    ['an unknown subnet', { SubnetId: 'subnet-x' }, 'InvalidSubnetID.NotFound'],
    ['no subnet', { SubnetId: '' }, 'MissingParameter'],
    ['an unknown template', { 'LaunchTemplate.LaunchTemplateId': 'lt-x' }, 'InvalidLaunchTemplateId.NotFound'],
    ['an unknown version', { 'LaunchTemplate.Version': '9' }, 'InvalidLaunchTemplateId.VersionNotFound'],
    ['a version that is none', { 'LaunchTemplate.Version': 'new' }, 'InvalidParameterValue'],
    ['an image that is gone', { 'LaunchTemplate.Version': '$Latest' }, 'InvalidAMIID.NotFound'],
    ['an unknown type', { InstanceType: 'm9.huge' }, 'InvalidParameterValue'],
    ['MinCount 0', { MinCount: '0' }, 'InvalidParameterValue'],
    ['MinCount above MaxCount', { MinCount: '6' }, 'InvalidParameterValue'],
    ['no MaxCount', { MaxCount: '' }, 'MissingParameter'],
    ['a token of 65 characters', { ClientToken: 'x'.repeat(65) }, 'InvalidParameterValue'],
    ['a shutdown behaviour that is none', { InstanceInitiatedShutdownBehavior: 'sleep' }, 'InvalidParameterValue'],
    ['a reserved tag', tag('aws:x'), 'InvalidParameterValue'],
    ['what is not simulated', { KeyName: 'k' }, 'UnsupportedOperation'],
    ['a dry run', { DryRun: 'true' }, 'DryRunOperation'],
  ])('is refused for %s', (_what, changes, expected) => {
    const { code, cloud } = aCloud();
    expect(code('RunInstances', launchA(changes))).toBe(expected);
    expect(cloud.instances.all).toHaveLength(0);
    expect(cloud.subnets.get('subnet-a')?.free).toBe(11);
  });

  it('gives machines their tags, protection and place', () => {
    const { ok } = aCloud();
    ok('RunInstances', launchA({ ...tag('role'), DisableApiTermination: 'true', MaxCount: '1' }));
    const [instance] = instancesOf(ok('DescribeInstances'));
    expect(instance).toMatchObject({
      tagSet: [{ key: 'role', value: 'x' }],
      placement: { availabilityZone: 'us-east-1a' },
      subnetId: 'subnet-a',
      privateIpAddress: '10.0.0.4',
      privateDnsName: 'ip-10-0-0-4.ec2.internal',
      instanceType: 'm6i.large',
      groupSet: [{ groupId: 'sg-1' }],
    });
  });
});

function tag(key: string) {
  return {
    'TagSpecification.1.ResourceType': 'instance',
    'TagSpecification.1.Tag.1.Key': key,
    'TagSpecification.1.Tag.1.Value': 'x',
  };
}
