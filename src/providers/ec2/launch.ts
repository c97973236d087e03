import type { _InstanceType } from '@aws-sdk/client-ec2';
import type { MachineTemplate } from '../../api/v1alpha1/index.ts';
import { type LaunchRequest, type Machine, type Priority, ProviderError } from '../provider.ts';
import type { Client } from './client.ts';
import { incomplete, invalidTemplate } from './errors.ts';
import { describeInstances, toMachine } from './observe.ts';

/** Asks EC2 for machines. One RunInstances for one request: its token makes a repetition harmless. */

/** EC2's most in one RunInstances that is granted without a request to support; also the size of its resource bucket. */
export const MOST_MACHINES = 1000;

/** Throws ProviderError; one that is not `refused` may have launched, and is to be repeated with the same token. */
export async function launch(client: Client, request: LaunchRequest, priority: Priority): Promise<Machine[]> {
  const { token, subnet, machines, template, tags } = request;
  const { launchTemplate, instanceType } = ec2Block(template);
  if (!(machines >= 1 && machines <= MOST_MACHINES)) {
    throw invalidTemplate('InvalidCount', `A launch is of 1 to ${MOST_MACHINES} machines, not ${machines}.`);
  }
  const tagList = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const what = `${machines} ${machines === 1 ? 'machine' : 'machines'} ${instanceType} in ${subnet}`;
  try {
    const answer = await client.send(
      'RunInstances',
      {
        ClientToken: token,
        MinCount: 1,
        MaxCount: machines,
        SubnetId: subnet,
        InstanceType: instanceType as _InstanceType,
        LaunchTemplate: { LaunchTemplateId: launchTemplate.id, Version: launchTemplate.version },
        DisableApiTermination: true,
        DisableApiStop: true,
        // A halt from inside would otherwise terminate what is protected against termination from outside.
        InstanceInitiatedShutdownBehavior: 'stop',
        TagSpecifications: [
          { ResourceType: 'instance', Tags: tagList },
          { ResourceType: 'volume', Tags: tagList },
          // An address is pointed at an interface, and IAM asks whose that is.
          { ResourceType: 'network-interface', Tags: tagList },
        ],
      },
      { priority, what, machines },
    );
    if (!answer.Instances?.length) throw incomplete('RunInstances', 'machines');
    return answer.Instances.map(toMachine);
  } catch (error) {
    if (!(error instanceof ProviderError) || error.code !== 'IdempotentParameterMismatch') throw error;
    return launchedBefore(client, request, priority, error);
  }
}

/** The machines of a token that was used with other parameters, by an older version of this program for example. */
async function launchedBefore(client: Client, { token }: LaunchRequest, priority: Priority, mismatch: ProviderError) {
  const filters = [{ Name: 'client-token', Values: [token] }];
  const found = await describeInstances(client, filters, `machines with client token ${token}`, priority);
  // Just launched, they may not be shown yet: the mismatch is reported and the launch repeated until they are.
  if (found.length === 0) throw mismatch;
  return found.map(toMachine);
}

/** Throws InvalidTemplate for a template of another provider. */
export function ec2Block(template: MachineTemplate): NonNullable<MachineTemplate['ec2']> {
  if (template.ec2) return template.ec2;
  const has = Object.keys(template).filter((key) => key !== 'labels' && key !== 'taints');
  throw invalidTemplate(
    'NoEC2Block',
    `The template has no block ec2${has.length > 0 ? ` (it has ${has.join(', ')})` : ''}, and its GenerationClass's provider is ec2. ` +
      'Write for example ec2: {launchTemplate: {id: lt-0abc, version: "7"}, instanceType: m6i.xlarge}.',
  );
}

/** Throws InvalidTemplate when the launch template, its version or the machine type does not exist, or is not On-Demand. */
export async function checkTemplate(
  client: Client,
  typesOf: (types: readonly string[]) => Promise<unknown>,
  template: MachineTemplate,
): Promise<void> {
  const { launchTemplate, instanceType } = ec2Block(template);
  const { id, version } = launchTemplate;
  const answer = await client.send(
    'DescribeLaunchTemplateVersions',
    { LaunchTemplateId: id, Versions: [version] },
    { priority: 'planned', what: `version ${version} of launch template ${id}` },
  );
  if (!answer.LaunchTemplateVersions) throw incomplete('DescribeLaunchTemplateVersions', 'a list of versions');
  const found = answer.LaunchTemplateVersions.find(({ VersionNumber }) => String(VersionNumber) === version);
  // The one thing that a template adds and a launch cannot say no to: the cloud ends such machines when it likes.
  if (found?.LaunchTemplateData?.InstanceMarketOptions?.MarketType !== undefined) {
    throw invalidTemplate(
      'NotOnDemand',
      `Version ${version} of launch template ${id} asks for ${found.LaunchTemplateData.InstanceMarketOptions.MarketType} machines. Make one without market options: machines of a generation are On-Demand.`,
    );
  }
  if (!found) {
    throw invalidTemplate(
      'InvalidLaunchTemplateId.VersionNotFound',
      `Launch template ${id} has no version ${version}. Make it, or a ClusterGeneration that names an existing one.`,
    );
  }
  await typesOf([instanceType]);
}
