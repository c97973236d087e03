import { describe, expect, it } from '@jest/globals';
import { describeAddresses } from './addresses.ts';
import type { Client } from './client.ts';

/** A cloud with one address and the machines that are given, at which the address points by that private address. */
const pointingAt = (PrivateIpAddress: string, ...machines: object[]) =>
  ({
    send: async (operation: string) =>
      operation === 'DescribeInstances'
        ? { Reservations: [{ Instances: machines }] }
        : {
            Addresses: [
              {
                AllocationId: 'eipalloc-1',
                PublicIp: '203.0.113.1',
                InstanceId: 'i-1',
                NetworkInterfaceId: 'eni-1',
                AssociationId: 'eipassoc-1',
                PrivateIpAddress,
              },
            ],
          },
  }) as unknown as Client;

const aMachine = (change: object = {}) => ({
  InstanceId: 'i-1',
  State: { Name: 'running' },
  InstanceType: 'm6i.xlarge',
  Placement: { AvailabilityZone: 'us-east-1a' },
  LaunchTime: new Date(1000),
  NetworkInterfaces: [
    {
      NetworkInterfaceId: 'eni-1',
      Attachment: { DeviceIndex: 0 },
      PrivateIpAddresses: [
        { Primary: true, PrivateIpAddress: '10.0.0.4' },
        { Primary: false, PrivateIpAddress: '10.0.0.5' },
      ],
    },
  ],
  ...change,
});

describe('an address', () => {
  const address = { allocationID: 'eipalloc-1', publicIP: '203.0.113.1', associationID: 'eipassoc-1' };

  it('points at a machine by its primary private address', async () => {
    const found = await describeAddresses(pointingAt('10.0.0.4', aMachine()), ['eipalloc-1']);
    expect(found).toEqual([{ ...address, instanceID: 'i-1' }]);
  });

  it('that points at another one of the same interface, which is a pod’s, points at no machine', async () => {
    expect(await describeAddresses(pointingAt('10.0.0.5', aMachine()), ['eipalloc-1'])).toEqual([address]);
  });

  it.each([
    ['that the cloud does not show', []],
    ['that has lost its interfaces', [aMachine({ State: { Name: 'terminated' }, NetworkInterfaces: [] })]],
  ])('of a machine %s is that machine’s: it has not moved', async (_what, machines) => {
    const found = await describeAddresses(pointingAt('10.0.0.4', ...machines), ['eipalloc-1']);
    expect(found).toEqual([{ ...address, instanceID: 'i-1' }]);
  });
});
