/** The operations that the simulated cloud answers. GetServiceQuota is Service Quotas', the others are EC2's. */
export const operations = [
  'RunInstances',
  'TerminateInstances',
  'StopInstances',
  'StartInstances',
  'DescribeInstances',
  'DescribeInstanceAttribute',
  'DescribeInstanceStatus',
  'DescribeInstanceTypes',
  'DescribeLaunchTemplateVersions',
  'DescribeSubnets',
  'ModifyInstanceAttribute',
  'CreateTags',
  'DeleteTags',
  'DescribeAddresses',
  'AssociateAddress',
  'DisassociateAddress',
  'ReleaseAddress',
  'GetServiceQuota',
] as const;

export type Operation = (typeof operations)[number];

export function isOperation(name: string): name is Operation {
  return (operations as readonly string[]).includes(name);
}
