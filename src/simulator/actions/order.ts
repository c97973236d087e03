import type { Cloud } from '../cloud.ts';
import {
  instanceTypeRefused,
  invalidImage,
  missingParameter,
  parameterValueRefused,
  subnetNotFound,
} from '../errors.ts';
import type { InstanceType } from '../scenario/schema.ts';
import type { Subnet } from '../state/subnet.ts';
import { flag, integer, list, required, structure, structures, type Tree, tags, text } from '../wire/parameters.ts';
import { templateOf, versionOf } from './launch-template.ts';
import { shutdownBehaviorOf } from './shutdown-behavior.ts';
import { checkTags } from './tags.ts';

/** What a RunInstances asks for, its launch template taken into account. `min` and `max`: machines. */
export type Order = {
  subnet: Subnet;
  type: InstanceType;
  image: string;
  securityGroups: string[];
  min: number;
  max: number;
  tags: Record<string, string>;
  shutdownBehavior: 'stop' | 'terminate';
  terminationProtection: boolean;
  stopProtection: boolean;
};

/** Reads what is asked for; throws when any of it is missing, malformed or does not exist. */
export function orderOf(cloud: Cloud, parameters: Tree): Order {
  const min = integer(parameters, 'MinCount');
  const max = integer(parameters, 'MaxCount');
  if (min === undefined) throw missingParameter('MinCount');
  if (max === undefined) throw missingParameter('MaxCount');
  if (min < 1)
    throw parameterValueRefused(`Value (${min}) for parameter minCount is invalid. Expecting a value greater than 0.`);
  if (max < min) {
    throw parameterValueRefused(
      `Value (${min}) for parameter minCount is invalid. minCount must be less than or equal to maxCount.`,
    );
  }
  const reference = structure(parameters, 'LaunchTemplate');
  const template = reference && versionOf(templateOf(cloud, reference), text(reference, 'Version'));
  const image = text(parameters, 'ImageId') ?? template?.image;
  if (image === undefined) throw missingParameter('ImageId');
  if (!cloud.scenario.images.includes(image)) throw invalidImage(image);
  // Without a type EC2 launches an m1.small, which no scenario needs.
  const typeName = text(parameters, 'InstanceType') ?? template?.instanceType ?? 'm1.small';
  const type = cloud.types.get(typeName);
  if (!type) throw instanceTypeRefused(typeName);
  const subnetId = required(parameters, 'SubnetId');
  const subnet = cloud.subnets.get(subnetId);
  if (!subnet) throw subnetNotFound(subnetId);
  const groups = list(parameters, 'SecurityGroupId');
  return {
    subnet,
    type,
    image,
    securityGroups: groups.length > 0 ? groups : (template?.securityGroups ?? []),
    min,
    max,
    tags: instanceTags(parameters),
    shutdownBehavior: shutdownBehaviorOf(text(parameters, 'InstanceInitiatedShutdownBehavior') ?? 'stop'),
    terminationProtection: flag(parameters, 'DisableApiTermination') ?? false,
    stopProtection: flag(parameters, 'DisableApiStop') ?? false,
  };
}

function instanceTags(parameters: Tree): Record<string, string> {
  const given: Record<string, string> = {};
  for (const specification of structures(parameters, 'TagSpecification')) {
    if (required(specification, 'ResourceType') === 'instance') Object.assign(given, tags(specification, 'Tag'));
  }
  checkTags(given);
  return given;
}
