import type { Cloud } from '../cloud.ts';
import { seenAt } from '../cloud.ts';
import {
  attributeNeedsStopped,
  instanceTypeRefused,
  invalidParameterValue,
  parameterCombination,
  wrongState,
} from '../errors.ts';
import type { Instance } from '../state/instance.ts';
import { flag, required, structure, type Tree, text } from '../wire/parameters.ts';
import type { Answer } from '../wire/xml.ts';
import type { Action } from './action.ts';
import { findInstance } from './find.ts';
import { shutdownBehaviorOf } from './shutdown-behavior.ts';

type Setting = { at: number; cloud: Cloud; instance: Instance };

const boolean = (value: string, name: string): boolean => flag({ value }, 'value') ?? refuse(name, value);
const refuse = (name: string, value: string): never => {
  throw invalidParameterValue(name, value);
};

// Keys as Attribute= names them; the parameter of the same attribute has a capital first letter.
const readable: Record<string, (instance: Instance, seen: number) => Answer> = {
  disableApiTermination: (one, seen) => ({ disableApiTermination: { value: one.terminationProtection.seen(seen) } }),
  disableApiStop: (one, seen) => ({ disableApiStop: { value: one.stopProtection.seen(seen) } }),
  instanceInitiatedShutdownBehavior: (one, seen) => ({
    instanceInitiatedShutdownBehavior: { value: one.shutdownBehavior.seen(seen) },
  }),
  instanceType: (one) => ({ instanceType: { value: one.type.name } }),
  userData: (one) => ({ userData: one.userData === undefined ? {} : { value: one.userData } }),
  sourceDestCheck: () => ({ sourceDestCheck: { value: true } }),
  ebsOptimized: () => ({ ebsOptimized: { value: false } }),
  rootDeviceName: () => ({ rootDeviceName: { value: '/dev/xvda' } }),
  groupSet: (one) => ({ groupSet: one.securityGroups.map((groupId) => ({ groupId, groupName: groupId })) }),
};

const writable: Record<string, (value: string, setting: Setting) => void> = {
  disableApiTermination: (value, { instance, at }) =>
    instance.terminationProtection.set(boolean(value, 'disableApiTermination'), at),
  disableApiStop: (value, { instance, at }) => instance.stopProtection.set(boolean(value, 'disableApiStop'), at),
  instanceInitiatedShutdownBehavior: (value, { instance, at }) =>
    instance.shutdownBehavior.set(shutdownBehaviorOf(value), at),
  instanceType: (value, { instance, cloud }) => {
    if (instance.state.current !== 'stopped') throw attributeNeedsStopped(instance.id);
    instance.type = cloud.types.get(value) ?? refuseType(value);
  },
};
const refuseType = (type: string): never => {
  throw instanceTypeRefused(type);
};

/** One attribute of one instance, as it was a consistency delay ago. */
export const describeInstanceAttribute: Action = {
  parameters: ['InstanceId', 'Attribute'],
  run(cloud, { parameters }) {
    const instance = findInstance(cloud, required(parameters, 'InstanceId'));
    const attribute = required(parameters, 'Attribute');
    const read = Object.hasOwn(readable, attribute) ? readable[attribute] : undefined;
    if (!read) throw invalidParameterValue('attribute', attribute);
    return { instanceId: instance.id, ...read(instance, seenAt(cloud)) };
  },
};

/** Changes exactly one attribute, in force at once. EC2 refuses two in one request. */
export const modifyInstanceAttribute: Action = {
  parameters: [
    'InstanceId',
    'Attribute',
    'Value',
    'DisableApiTermination',
    'DisableApiStop',
    'InstanceInitiatedShutdownBehavior',
    'InstanceType',
  ],
  run(cloud, { parameters, now }) {
    const instance = findInstance(cloud, required(parameters, 'InstanceId'));
    const [change, ...others] = changesIn(parameters);
    if (!change) throw parameterCombination('No attributes specified.');
    if (others.length > 0) {
      const names = [change, ...others].map(([name]) => name).join(', ');
      throw parameterCombination(`Fields for multiple attribute types specified: ${names}`);
    }
    const state = instance.state.current;
    if (state === 'terminated' || state === 'shutting-down') throw wrongState(instance.id, 'modified');
    const [name, value] = change;
    const write = Object.hasOwn(writable, name) ? writable[name] : undefined;
    if (!write) throw invalidParameterValue('attribute', name);
    write(value, { at: now, cloud, instance });
    return { return: true };
  },
};

function changesIn(parameters: Tree): [name: string, value: string][] {
  const found: [string, string][] = [];
  const attribute = text(parameters, 'Attribute');
  if (attribute !== undefined) found.push([attribute, required(parameters, 'Value')]);
  for (const name of Object.keys(writable)) {
    const change = structure(parameters, name.charAt(0).toUpperCase() + name.slice(1));
    if (change) found.push([name, required(change, 'Value')]);
  }
  return found;
}
