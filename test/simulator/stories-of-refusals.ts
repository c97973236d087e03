import type { faultSchema } from '../../src/simulator/scenario/fault.ts';
import { filters, named } from '../../src/simulator/testing.ts';
import { idsIn, launch, type Story, web } from './story.ts';

export const refusals: Story = {
  scenario: { buckets: { RunInstances: { requestBurst: 100 } } },
  async run({ ask }) {
    await ask('no such action', 'CreateVpc');
    await ask('an unknown subnet', 'RunInstances', launch({ SubnetId: 'subnet-x' }));
    await ask('an unknown template', 'RunInstances', launch({ 'LaunchTemplate.LaunchTemplateId': 'lt-x' }));
    await ask('an unknown version', 'RunInstances', launch({ 'LaunchTemplate.Version': '9' }));
    await ask('an image that is gone', 'RunInstances', launch({ 'LaunchTemplate.Version': '2' }));
    await ask('an unknown type', 'RunInstances', launch({ InstanceType: 'm9.huge' }));
    await ask('no count', 'RunInstances', { SubnetId: 'subnet-b' });
    await ask('counts the wrong way round', 'RunInstances', launch({ MinCount: '2' }));
    await ask('a reserved tag', 'RunInstances', launch({ ...web, 'TagSpecification.1.Tag.1.Key': 'aws:x' }));
    await ask('what is not simulated', 'RunInstances', launch({ KeyName: 'k' }));
    await ask('a dry run', 'RunInstances', launch({ DryRun: 'true' }));
    await ask('a dry run', 'TerminateInstances', { 'InstanceId.1': 'i-0123', DryRun: 'true' });
    await ask('an unknown machine', 'TerminateInstances', named(['i-0123']));
    await ask('unknown machines', 'DescribeInstances', named(['i-0123', 'i-0456']));
    await ask('an id that is none', 'DescribeInstances', named(['web-1']));
    await ask('an unknown filter', 'DescribeInstances', filters({ colour: ['red'] }));
    await ask('too many filter values', 'DescribeInstances', filters({ 'instance-id': Array(201).fill('i-0123') }));
    await ask('a page too small', 'DescribeInstances', { MaxResults: '4' });
    await ask('ids in pages', 'DescribeInstances', { MaxResults: '5', ...named(['i-0123']) });
    await ask('a token that is none', 'DescribeInstances', { NextToken: 'x' });
    await ask('tags for what is not there', 'CreateTags', { 'ResourceId.1': 'vol-1', 'Tag.1.Key': 'a' });
    await ask('no machine', 'TerminateInstances');
    const [id = ''] = idsIn(await ask('one is launched', 'RunInstances', launch()));
    const fifty = Object.fromEntries(
      Array.from({ length: 51 }, (_, index) => [`Tag.${index + 1}.Key`, `key-${index}`]),
    );
    await ask('too many tags', 'CreateTags', { 'ResourceId.1': id, ...fifty });
  },
};

export const shortages: Story = {
  scenario: {
    quotas: { vcpus: 30 },
    buckets: { RunInstances: { requestBurst: 4, resourceBurst: 13 } },
  },
  async run({ ask, pass }) {
    await ask('a subnet is filled', 'RunInstances', launch({ SubnetId: 'subnet-a', MaxCount: '20' }));
    await ask('a subnet is full', 'RunInstances', launch({ SubnetId: 'subnet-a' }));
    await ask('no token for the machines', 'RunInstances', launch({ MinCount: '4', MaxCount: '4' }));
    await ask('more vCPUs than the quota', 'RunInstances', launch({ MinCount: '5', MaxCount: '9' }));
    await ask('no token for the request', 'RunInstances', launch());
    await pass(1);
    await ask('tokens are back', 'RunInstances', launch());
  },
};

type FaultInput = (typeof faultSchema)['_zod']['input'];
const broken: FaultInput[] = [
  { name: 'no-capacity', operations: ['RunInstances'], match: { subnet: 'subnet-a' }, effect: { capacity: 2 } },
  { name: 'dead', operations: ['RunInstances'], match: { subnet: 'subnet-b' }, effect: { neverBoots: 1 } },
  { name: 'no-permission', operations: ['ReleaseAddress'], effect: { error: 'UnauthorizedOperation' } },
];
export const faults: Story = {
  scenario: { faults: broken },
  async run({ ask, pass }) {
    await ask('less capacity than asked for', 'RunInstances', launch({ SubnetId: 'subnet-a', MaxCount: '5' }));
    await ask('no capacity', 'RunInstances', launch({ SubnetId: 'subnet-a' }));
    await ask('a machine that never boots', 'RunInstances', launch());
    await pass(60);
    await ask('a machine is impaired', 'DescribeInstanceStatus');
    await ask('no permission', 'ReleaseAddress', { AllocationId: 'eipalloc-1' });
  },
};

export const stranger: Story = {
  accessKey: 'AKNOBODY',
  async run({ ask }) {
    await ask('an unknown access key', 'DescribeInstances');
  },
};
