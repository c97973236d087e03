import type * as EC2 from '@aws-sdk/client-ec2';
import type * as Quotas from '@aws-sdk/client-service-quotas';
import type { ApiBudget } from '../../api/v1alpha1/index.ts';

/** The operations of the cloud that a provider may use. What takes protection or life away is not among them. */
export interface Operations {
  AssociateAddress: { input: EC2.AssociateAddressCommandInput; output: EC2.AssociateAddressCommandOutput };
  CreateTags: { input: EC2.CreateTagsCommandInput; output: EC2.CreateTagsCommandOutput };
  DescribeAddresses: { input: EC2.DescribeAddressesCommandInput; output: EC2.DescribeAddressesCommandOutput };
  DescribeInstanceAttribute: {
    input: EC2.DescribeInstanceAttributeCommandInput;
    output: EC2.DescribeInstanceAttributeCommandOutput;
  };
  DescribeInstances: { input: EC2.DescribeInstancesCommandInput; output: EC2.DescribeInstancesCommandOutput };
  DescribeInstanceTypes: {
    input: EC2.DescribeInstanceTypesCommandInput;
    output: EC2.DescribeInstanceTypesCommandOutput;
  };
  DescribeLaunchTemplateVersions: {
    input: EC2.DescribeLaunchTemplateVersionsCommandInput;
    output: EC2.DescribeLaunchTemplateVersionsCommandOutput;
  };
  DescribeSubnets: { input: EC2.DescribeSubnetsCommandInput; output: EC2.DescribeSubnetsCommandOutput };
  GetServiceQuota: { input: Quotas.GetServiceQuotaCommandInput; output: Quotas.GetServiceQuotaCommandOutput };
  ModifyInstanceAttribute: {
    input: EC2.ModifyInstanceAttributeCommandInput;
    output: EC2.ModifyInstanceAttributeCommandOutput;
  };
  RunInstances: { input: EC2.RunInstancesCommandInput; output: EC2.RunInstancesCommandOutput };
  StartInstances: { input: EC2.StartInstancesCommandInput; output: EC2.StartInstancesCommandOutput };
}

/** What destroy.ts may ask for besides. */
export interface DestroyerOperations extends Operations {
  StopInstances: { input: EC2.StopInstancesCommandInput; output: EC2.StopInstancesCommandOutput };
  TerminateInstances: { input: EC2.TerminateInstancesCommandInput; output: EC2.TerminateInstancesCommandOutput };
}

export type Operation = keyof DestroyerOperations;

/** Sends one request, once, and resolves with the cloud's answer or rejects with whatever the SDK throws. */
export type Transport = <O extends Operation>(
  operation: O,
  input: DestroyerOperations[O]['input'],
) => Promise<DestroyerOperations[O]['output']>;

// Sizes of EC2: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html. Every Describe call here
// names, filters or pages, so it has the larger bucket. Service Quotas publishes no size: 10 a second is assumed.
const DESCRIBE: ApiBudget = { requestBurst: 100, requestsPerSecond: 20 };
const MODIFY: ApiBudget = { requestBurst: 50, requestsPerSecond: 5 };

/** The documented bucket sizes of an account in a region, in declared time. */
export const DOCUMENTED_BUDGETS: Readonly<Record<Operation, ApiBudget>> = {
  AssociateAddress: MODIFY,
  CreateTags: { requestBurst: 100, requestsPerSecond: 10 },
  DescribeAddresses: DESCRIBE,
  DescribeInstanceAttribute: DESCRIBE,
  DescribeInstances: DESCRIBE,
  DescribeInstanceTypes: DESCRIBE,
  DescribeLaunchTemplateVersions: DESCRIBE,
  DescribeSubnets: DESCRIBE,
  GetServiceQuota: { requestBurst: 10, requestsPerSecond: 10 },
  ModifyInstanceAttribute: MODIFY,
  RunInstances: { requestBurst: 5, requestsPerSecond: 2, resourceBurst: 1000, resourcesPerSecond: 2 },
  StartInstances: { requestBurst: 5, requestsPerSecond: 2, resourceBurst: 1000, resourcesPerSecond: 2 },
  StopInstances: { ...MODIFY, resourceBurst: 1000, resourcesPerSecond: 20 },
  TerminateInstances: { requestBurst: 100, requestsPerSecond: 5, resourceBurst: 1000, resourcesPerSecond: 20 },
};

export const OPERATIONS = Object.keys(DOCUMENTED_BUDGETS) as Operation[];
