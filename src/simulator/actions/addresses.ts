import { type Cloud, idFor, seenAt } from '../cloud.ts';
import {
  addressInUse,
  allocationNotFound,
  alreadyAssociated,
  associationNotFound,
  instanceUnfit,
  parameterCombination,
  parameterValueRefused,
  publicAddressNotFound,
  severalInterfaces,
} from '../errors.ts';
import { disassociate } from '../life.ts';
import type { Address } from '../state/address.ts';
import type { Instance, NetworkInterface } from '../state/instance.ts';
import { flag, list, required, type Tree, text } from '../wire/parameters.ts';
import type { Action } from './action.ts';
import { filtering } from './filters.ts';
import { findInstance, findInterface } from './find.ts';
import { tagSet } from './instance-view.ts';

/** Elastic IPs and what they pointed at a consistency delay ago. EC2 does not page this call. */
export const describeAddresses: Action = {
  parameters: ['AllocationId', 'PublicIp', 'Filter'],
  run(cloud, { parameters }) {
    const seen = seenAt(cloud);
    const wanted = namedAddresses(cloud, parameters);
    const matches = filtering<Address>(
      parameters,
      {
        'allocation-id': ({ allocationId }) => [allocationId],
        'public-ip': ({ publicIp }) => [publicIp],
        'association-id': ({ association }) => [association.seen(seen)?.id],
        'instance-id': ({ association }) => [association.seen(seen)?.instanceId],
        'network-interface-id': ({ association }) => [association.seen(seen)?.interfaceId],
        'private-ip-address': ({ association }) => [association.seen(seen)?.privateIp],
        'network-border-group': () => [cloud.scenario.region],
        domain: () => ['vpc'],
      },
      ({ tags }) => tags.seen(seen),
    );
    return {
      addressesSet: wanted.filter(matches).map(({ allocationId, publicIp, association, tags }) => {
        const target = association.seen(seen);
        return {
          instanceId: target?.instanceId,
          publicIp,
          allocationId,
          associationId: target?.id,
          domain: 'vpc',
          networkInterfaceId: target?.interfaceId,
          networkInterfaceOwnerId: target && cloud.scenario.account,
          privateIpAddress: target?.privateIp,
          tagSet: tagSet(tags.seen(seen)),
          publicIpv4Pool: 'amazon',
          networkBorderGroup: cloud.scenario.region,
        };
      }),
    };
  },
};

/**
 * Points an address at a network interface, or at an instance that has only one. An address that points elsewhere moves,
 * unless AllowReassociation is false; an address that the interface had before is let go.
 */
export const associateAddress: Action = {
  parameters: ['AllocationId', 'InstanceId', 'NetworkInterfaceId', 'AllowReassociation', 'PrivateIpAddress'],
  run(cloud, { parameters, caller, now }) {
    const address = addressOf(cloud, required(parameters, 'AllocationId'));
    const { instance, found } = destinationOf(cloud, parameters);
    const privateIp = text(parameters, 'PrivateIpAddress') ?? found.address;
    // An interface here has one private address.
    if (privateIp !== found.address) {
      throw parameterValueRefused(`The private IP address ${privateIp} is not assigned to interface ${found.id}.`);
    }
    const before = address.association.current;
    if (before?.interfaceId === found.id) return { associationId: before.id };
    if (before && flag(parameters, 'AllowReassociation') === false) {
      throw alreadyAssociated(address.allocationId, before.id);
    }
    for (const other of cloud.addresses.values()) {
      if (other.association.current?.interfaceId === found.id) disassociate(cloud, other.allocationId, now, caller);
    }
    const associationId = idFor(cloud, 'eipassoc');
    address.association.set({ id: associationId, instanceId: instance.id, interfaceId: found.id, privateIp }, now);
    cloud.ledger.addresses
      .get(address.allocationId)
      ?.history.push({ time: new Date(now).toISOString(), instanceId: instance.id, associationId, caller });
    return { associationId };
  },
};

/** Ends an association. */
export const disassociateAddress: Action = {
  parameters: ['AssociationId'],
  run(cloud, { parameters, caller, now }) {
    const id = required(parameters, 'AssociationId');
    const address = [...cloud.addresses.values()].find((one) => one.association.current?.id === id);
    if (!address) throw associationNotFound(id);
    disassociate(cloud, address.allocationId, now, caller);
    return { return: true };
  },
};

/** Gives an address back, for ever. Refused while it is associated. */
export const releaseAddress: Action = {
  parameters: ['AllocationId', 'NetworkBorderGroup'],
  run(cloud, { parameters }) {
    const address = addressOf(cloud, required(parameters, 'AllocationId'));
    if (address.association.current) throw addressInUse(address.publicIp);
    cloud.addresses.delete(address.allocationId);
    return { return: true };
  },
};

/** What an AssociateAddress points its address at. That EC2 asks nothing of the instance of an interface is assumed. */
function destinationOf(cloud: Cloud, parameters: Tree): { instance: Instance; found: NetworkInterface } {
  const interfaceId = text(parameters, 'NetworkInterfaceId');
  if (interfaceId !== undefined) {
    if (text(parameters, 'InstanceId') !== undefined) {
      throw parameterCombination('You may specify InstanceId or NetworkInterfaceId, but not both in the same call');
    }
    return findInterface(cloud, interfaceId);
  }
  const instance = findInstance(cloud, required(parameters, 'InstanceId'));
  const state = instance.state.current;
  if (state !== 'running' && state !== 'stopped' && state !== 'stopping') throw instanceUnfit(instance.id, state);
  const [found, another] = instance.interfaces;
  if (!found || another) throw severalInterfaces(instance.id);
  return { instance, found };
}

function addressOf(cloud: Cloud, allocationId: string): Address {
  const address = cloud.addresses.get(allocationId);
  if (!address) throw allocationNotFound(allocationId);
  return address;
}

function namedAddresses(cloud: Cloud, parameters: Tree): Address[] {
  const all = [...cloud.addresses.values()];
  const byIp = list(parameters, 'PublicIp').map((ip) => {
    const address = all.find(({ publicIp }) => publicIp === ip);
    if (!address) throw publicAddressNotFound(ip);
    return address;
  });
  const byId = list(parameters, 'AllocationId').map((id) => addressOf(cloud, id));
  return byIp.length + byId.length > 0 ? [...new Set([...byId, ...byIp])] : all;
}
