import { type Cloud, seenAt } from '../cloud.ts';
import { instanceMalformed, instancesNotFound, interfaceNotFound, missingParameter } from '../errors.ts';
import type { Instance, NetworkInterface } from '../state/instance.ts';
import { list, type Tree } from '../wire/parameters.ts';

/**
 * The instances of those ids. Throws when one is malformed or does not exist; a new one does not exist until the
 * consistency delay is over, whatever the call.
 */
export function findInstances(cloud: Cloud, ids: readonly string[]): Instance[] {
  const malformed = ids.find((id) => !/^i-[0-9a-f]+$/.test(id));
  if (malformed !== undefined) throw instanceMalformed(malformed);
  const seen = seenAt(cloud);
  const found = [];
  const missing = [];
  for (const id of new Set(ids)) {
    const instance = cloud.instances.get(id);
    if (instance && instance.createdAt <= seen) found.push(instance);
    else missing.push(id);
  }
  if (missing.length > 0) throw instancesNotFound(missing);
  return found;
}

/** The instance of that id; throws as findInstances does. */
export function findInstance(cloud: Cloud, id: string): Instance {
  const [instance] = findInstances(cloud, [id]);
  if (!instance) throw instancesNotFound([id]);
  return instance;
}

/** The network interface of that id and whose it is; throws when no machine has it, or has it no longer. */
export function findInterface(cloud: Cloud, id: string): { instance: Instance; found: NetworkInterface } {
  const seen = seenAt(cloud);
  for (const instance of cloud.instances.all) {
    const found = instance.interfaces.find((one) => one.id === id);
    if (found && instance.createdAt <= seen && instance.state.current !== 'terminated') return { instance, found };
  }
  throw interfaceNotFound(id);
}

/** The instances that InstanceId.N names; at least one must. */
export function namedInstances(cloud: Cloud, parameters: Tree): Instance[] {
  const ids = list(parameters, 'InstanceId');
  if (ids.length === 0) throw missingParameter('InstanceId');
  return findInstances(cloud, ids);
}
