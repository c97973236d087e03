import type { Address } from '../provider.ts';
import type { Client } from './client.ts';
import { incomplete, invalidTemplate } from './errors.ts';

/** Public addresses: read and pointed at machines. Nothing gives one back to the cloud. */

/** The addresses with these allocation ids, in their order. Throws InvalidTemplate naming one that does not exist. */
export async function describeAddresses(client: Client, allocationIDs: string[]): Promise<Address[]> {
  if (allocationIDs.length === 0) return [];
  const answer = await client.send(
    'DescribeAddresses',
    { AllocationIds: allocationIDs },
    { priority: 'recovery', what: `address ${allocationIDs.join(', ')}` },
  );
  if (!answer.Addresses) throw incomplete('DescribeAddresses', 'a list of addresses');
  const byId = new Map(answer.Addresses.map((address) => [address.AllocationId, address]));
  return allocationIDs.map((allocationID) => {
    const address = byId.get(allocationID);
    if (!address) {
      throw invalidTemplate(
        'InvalidAllocationID.NotFound',
        `There is no address ${allocationID}. Correct allocationIDs of the Platform's traffic target.`,
      );
    }
    if (!address.PublicIp) throw incomplete('DescribeAddresses', `the public IP of ${allocationID}`);
    return {
      allocationID,
      publicIP: address.PublicIp,
      ...(address.InstanceId && { instanceID: address.InstanceId }),
      ...(address.AssociationId && { associationID: address.AssociationId }),
    };
  });
}

/** Points an address at a machine, away from whichever it points at now. */
export async function associate(client: Client, allocationID: string, instanceID: string): Promise<void> {
  await client.send(
    'AssociateAddress',
    { AllocationId: allocationID, InstanceId: instanceID, AllowReassociation: true },
    { priority: 'recovery', what: `address ${allocationID} to ${instanceID}` },
  );
}
