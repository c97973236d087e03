import {
  AssociateAddressCommand,
  CreateTagsCommand,
  DescribeAddressesCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeLaunchTemplateVersionsCommand,
  DescribeSubnetsCommand,
  EC2Client,
  ModifyInstanceAttributeCommand,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import type { DestroyerOperations, Operation, Transport } from './operations.ts';

/**
 * The AWS SDK, and the only file that loads it (45 MB of it; registry.ts imports this lazily, so that it costs nothing
 * where no class names the provider ec2). It sends a request once: pacing, retries and what an error means are ours.
 */

/** Ms until a connection must stand. */
const CONNECTION_TIMEOUT = 2_000;

/** Ms until a call must be over: a leader that stalled is then done well before its lease of 15 s is anyone else's. */
export const CALL_TIMEOUT = 5_000;

export interface Account {
  region: string;
  /** AWS when absent. */
  endpoint?: string | undefined;
  /** The SDK's own chain (environment, IRSA, instance profile, ...) when absent. */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } | undefined;
}

/** Opens clients of EC2 and Service Quotas; `timeout` (ms, for tests) bounds each call. Connects on first use. */
export function openTransport(account: Account, timeout = CALL_TIMEOUT): Transport {
  const config = {
    region: account.region,
    maxAttempts: 1,
    ...(account.endpoint !== undefined && { endpoint: account.endpoint }),
    // A copy: the SDK writes into what it is given.
    ...(account.credentials && { credentials: { ...account.credentials } }),
    requestHandler: {
      connectionTimeout: Math.min(CONNECTION_TIMEOUT, timeout),
      requestTimeout: timeout,
      throwOnRequestTimeout: true,
    },
  };
  const ec2 = new EC2Client(config);
  const quotas = new ServiceQuotasClient(config);
  type Send = {
    [O in Operation]: (input: DestroyerOperations[O]['input']) => Promise<DestroyerOperations[O]['output']>;
  };
  // requestTimeout ends with the answer's head; the signal also bounds its body, and finding credentials.
  const within = () => ({ abortSignal: AbortSignal.timeout(timeout) });
  const send: Send = {
    AssociateAddress: (input) => ec2.send(new AssociateAddressCommand(input), within()),
    CreateTags: (input) => ec2.send(new CreateTagsCommand(input), within()),
    DescribeAddresses: (input) => ec2.send(new DescribeAddressesCommand(input), within()),
    DescribeInstanceAttribute: (input) => ec2.send(new DescribeInstanceAttributeCommand(input), within()),
    DescribeInstances: (input) => ec2.send(new DescribeInstancesCommand(input), within()),
    DescribeInstanceTypes: (input) => ec2.send(new DescribeInstanceTypesCommand(input), within()),
    DescribeLaunchTemplateVersions: (input) => ec2.send(new DescribeLaunchTemplateVersionsCommand(input), within()),
    DescribeSubnets: (input) => ec2.send(new DescribeSubnetsCommand(input), within()),
    GetServiceQuota: (input) => quotas.send(new GetServiceQuotaCommand(input), within()),
    ModifyInstanceAttribute: (input) => ec2.send(new ModifyInstanceAttributeCommand(input), within()),
    RunInstances: (input) => ec2.send(new RunInstancesCommand(input), within()),
    StartInstances: (input) => ec2.send(new StartInstancesCommand(input), within()),
    StopInstances: (input) => ec2.send(new StopInstancesCommand(input), within()),
    TerminateInstances: (input) => ec2.send(new TerminateInstancesCommand(input), within()),
  };
  return (operation, input) => send[operation](input);
}
