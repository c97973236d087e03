import { type Address, ProviderError } from '../provider.ts';
import type { Client } from './client.ts';
import { incomplete, invalidTemplate } from './errors.ts';
import { findMachines } from './observe.ts';

/**
 * Public addresses: read and pointed at machines. Nothing gives one back to the cloud. A machine may have several network
 * interfaces, and a CNI gives each several private addresses, which are pods'. What is asked of an address here is that it
 * points at the primary one of the primary interface: one that points at any other is no machine's.
 */

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
  const ids = answer.Addresses.map(({ InstanceId }) => InstanceId).filter((id) => id !== undefined);
  const primary = new Map((await findMachines(client, [...new Set(ids)])).map((found) => [found.id, found.primary]));
  return allocationIDs.map((allocationID) => {
    const address = byId.get(allocationID);
    if (!address) {
      throw invalidTemplate(
        'InvalidAllocationID.NotFound',
        `There is no address ${allocationID}. Correct allocationIDs of the Platform's traffic target.`,
      );
    }
    if (!address.PublicIp) throw incomplete('DescribeAddresses', `the public IP of ${allocationID}`);
    const { InstanceId: instanceID = '', PrivateIpAddress } = address;
    // Of a machine that is not shown it is not known: what is certain is that it is the machine's.
    const elsewhere = PrivateIpAddress !== (primary.get(instanceID)?.privateIP ?? PrivateIpAddress);
    return {
      allocationID,
      publicIP: address.PublicIp,
      ...(instanceID && !elsewhere && { instanceID }),
      ...(address.AssociationId && { associationID: address.AssociationId }),
    };
  });
}

/**
 * Points an address at a machine, away from whichever it points at now. By its primary interface: EC2 takes a machine's id
 * only while the machine has no other.
 */
export async function associate(client: Client, allocationID: string, instanceID: string): Promise<void> {
  const what = `address ${allocationID} to ${instanceID}`;
  const [machine] = await findMachines(client, [instanceID]);
  // An interface takes an address until the very end, and loses it then.
  if (!machine?.primary || machine.state === 'shutting-down') {
    const found = machine ? `${instanceID} is ${machine.state}` : `there is no machine ${instanceID}`;
    throw new ProviderError(`AssociateAddress (${what}) was not asked: ${found}. Look at the machine at the cloud.`, {
      reason: 'Unknown',
      code: 'InvalidInstanceID',
      refused: true,
    });
  }
  await client.send(
    'AssociateAddress',
    { AllocationId: allocationID, NetworkInterfaceId: machine.primary.id, AllowReassociation: true },
    { priority: 'recovery', what },
  );
}
