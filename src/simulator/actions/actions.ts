import type { Action } from './action.ts';
import { associateAddress, describeAddresses, disassociateAddress, releaseAddress } from './addresses.ts';
import { describeInstanceTypes, describeLaunchTemplateVersions, describeSubnets } from './catalogue.ts';
import { describeInstanceStatus, describeInstances } from './describe-instances.ts';
import { describeInstanceAttribute, modifyInstanceAttribute } from './instance-attribute.ts';
import type { Operation } from './operations.ts';
import { startInstances, stopInstances } from './power.ts';
import { runInstances } from './run-instances.ts';
import { createTags, deleteTags } from './tags.ts';
import { terminateInstances } from './terminate-instances.ts';

/** How each operation of EC2 is answered. */
export const ec2Actions: Record<Exclude<Operation, 'GetServiceQuota'>, Action> = {
  RunInstances: runInstances,
  TerminateInstances: terminateInstances,
  StopInstances: stopInstances,
  StartInstances: startInstances,
  DescribeInstances: describeInstances,
  DescribeInstanceAttribute: describeInstanceAttribute,
  DescribeInstanceStatus: describeInstanceStatus,
  DescribeInstanceTypes: describeInstanceTypes,
  DescribeLaunchTemplateVersions: describeLaunchTemplateVersions,
  DescribeSubnets: describeSubnets,
  ModifyInstanceAttribute: modifyInstanceAttribute,
  CreateTags: createTags,
  DeleteTags: deleteTags,
  DescribeAddresses: describeAddresses,
  AssociateAddress: associateAddress,
  DisassociateAddress: disassociateAddress,
  ReleaseAddress: releaseAddress,
};
