import { filters, named } from '../../src/simulator/testing.ts';
import { idsIn, launch, type Story, web } from './story.ts';

export const lives: Story = {
  async run({ ask, pass }) {
    const token = { ClientToken: 'token-1' };
    const launched = await ask('several are launched', 'RunInstances', launch({ ...web, ...token, MaxCount: '3' }));
    const ids = idsIn(launched);
    const [one = '', two = '', three = ''] = ids;
    await ask('a launch is repeated', 'RunInstances', launch({ ...web, ...token, MaxCount: '3' }));
    await ask('a repeated launch differs', 'RunInstances', launch({ ...web, ...token, MaxCount: '4' }));
    await ask('machines are pending', 'DescribeInstances');
    await ask('a pending machine is to stop', 'StopInstances', named([one]));
    await ask('no machine runs yet', 'DescribeInstanceStatus');
    await ask('machines are pending', 'DescribeInstanceStatus', { IncludeAllInstances: 'true' });
    await pass(10);
    await ask('a machine initializes', 'DescribeInstanceStatus', named([one]));
    await pass(20);
    await ask('machines run', 'DescribeInstances', named(ids));
    await ask('machines run', 'DescribeInstanceStatus');
    await ask('tags are set', 'CreateTags', { 'ResourceId.1': one, 'Tag.1.Key': 'team', 'Tag.1.Value': 'a' });
    await ask(
      'tags are found',
      'DescribeInstances',
      filters({ 'tag:team': ['a'], 'instance-state-name': ['running'] }),
    );
    await ask('nothing is found', 'DescribeInstances', filters({ 'tag:team': ['nobody'] }));
    await ask('tags are removed', 'DeleteTags', { 'ResourceId.1': one, 'Tag.1.Key': 'team' });
    for (const attribute of [
      'disableApiTermination',
      'disableApiStop',
      'instanceInitiatedShutdownBehavior',
      'instanceType',
      'userData',
      'sourceDestCheck',
      'ebsOptimized',
      'rootDeviceName',
      'groupSet',
    ]) {
      await ask(`attribute ${attribute}`, 'DescribeInstanceAttribute', { InstanceId: one, Attribute: attribute });
    }
    await ask('an unknown attribute', 'DescribeInstanceAttribute', { InstanceId: one, Attribute: 'colour' });
    const guard = (id: string, value: string) => ({ InstanceId: id, 'DisableApiTermination.Value': value });
    await ask('protection is set', 'ModifyInstanceAttribute', guard(two, 'true'));
    await ask('two attributes at once', 'ModifyInstanceAttribute', {
      ...guard(two, 'true'),
      'DisableApiStop.Value': 'true',
    });
    await ask('no attribute', 'ModifyInstanceAttribute', { InstanceId: two });
    await ask('the type of a running machine', 'ModifyInstanceAttribute', {
      InstanceId: two,
      'InstanceType.Value': 'm6i.xlarge',
    });
    await ask('a protected machine is to terminate', 'TerminateInstances', named([two]));
    await ask('stop protection is set', 'ModifyInstanceAttribute', {
      InstanceId: three,
      'DisableApiStop.Value': 'true',
    });
    await ask('a stop-protected machine is to stop', 'StopInstances', named([three]));
    await ask('a stop-protected machine is to terminate', 'TerminateInstances', named([three]));
    await ask('a machine stops', 'StopInstances', named([one]));
    await ask('a stopping machine is to start', 'StartInstances', named([one]));
    await pass(10);
    await ask('a machine is stopped', 'DescribeInstances', named([one]));
    await ask('a stopped machine is to stop', 'StopInstances', named([one]));
    await ask('a machine starts', 'StartInstances', named([one]));
    await pass(20);
    await ask('a running machine is to start', 'StartInstances', named([one]));
    await ask('a machine terminates', 'TerminateInstances', named([one]));
    await ask('a machine shuts down', 'DescribeInstances', named([one]));
    await pass(10);
    await ask('a machine is terminated', 'DescribeInstances', named([one]));
    await ask('a terminated machine is to terminate', 'TerminateInstances', named([one]));
    await ask('a terminated machine is to start', 'StartInstances', named([one]));
    await ask('a terminated machine is to stop', 'StopInstances', named([one]));
    await ask('a terminated machine is to change', 'ModifyInstanceAttribute', guard(one, 'true'));
    for (let round = 0; round < 3; round++) await ask('more are launched', 'RunInstances', launch({ MaxCount: '3' }));
    const page = await ask('the first page', 'DescribeInstances', { MaxResults: '5' });
    const [, nextToken = ''] = /<nextToken>([^<]+)</.exec(page) ?? [];
    await ask('the last page', 'DescribeInstances', { MaxResults: '50', NextToken: nextToken });
    await ask('the first page', 'DescribeInstanceStatus', { MaxResults: '5', IncludeAllInstances: 'true' });
  },
};

export const addresses: Story = {
  async run({ ask, pass }) {
    const [one = '', two = ''] = idsIn(
      await ask('two are launched', 'RunInstances', launch({ MinCount: '2', MaxCount: '2' })),
    );
    const to = (id: string, more: Record<string, string> = {}) => ({
      AllocationId: 'eipalloc-1',
      InstanceId: id,
      ...more,
    });
    await ask('an address for a pending machine', 'AssociateAddress', to(one));
    await pass(20);
    await ask('addresses are free', 'DescribeAddresses');
    const [, association = ''] =
      /<associationId>([^<]+)</.exec(await ask('an address is associated', 'AssociateAddress', to(one))) ?? [];
    await ask('an address is associated', 'DescribeAddresses', { 'AllocationId.1': 'eipalloc-1' });
    await ask('a machine has a public address', 'DescribeInstances', named([one]));
    await ask('an address is associated again', 'AssociateAddress', to(one));
    await ask('an address may not move', 'AssociateAddress', to(two, { AllowReassociation: 'false' }));
    await ask('an associated address is released', 'ReleaseAddress', { AllocationId: 'eipalloc-1' });
    await ask('an address is disassociated', 'DisassociateAddress', { AssociationId: association });
    await ask('an association that is over', 'DisassociateAddress', { AssociationId: association });
    await ask('an address is tagged', 'CreateTags', {
      'ResourceId.1': 'eipalloc-1',
      'Tag.1.Key': 'a',
      'Tag.1.Value': 'b',
    });
    await ask('a tagged address', 'DescribeAddresses', filters({ 'tag:a': ['b'] }));
    await ask('an address is released', 'ReleaseAddress', { AllocationId: 'eipalloc-1' });
    await ask('an address that is gone', 'AssociateAddress', to(two));
    await ask('an address that is gone', 'ReleaseAddress', { AllocationId: 'eipalloc-1' });
    await ask('an address that is gone', 'DescribeAddresses', { 'AllocationId.1': 'eipalloc-1' });
    await ask('a public address that is gone', 'DescribeAddresses', { 'PublicIp.1': '203.0.113.1' });
  },
};

export const interfaces: Story = {
  scenario: { networkInterfaces: 2 },
  async run({ ask, pass }) {
    const [one = ''] = idsIn(await ask('a machine with two interfaces is launched', 'RunInstances', launch()));
    await pass(20);
    const found = await ask('a machine has two interfaces', 'DescribeInstances', named([one]));
    const [primary = '', second = ''] = [...found.matchAll(/<networkInterfaceId>([^<]+)</g)].map(([, id]) => id ?? '');
    const to = (address: number, more: Record<string, string>) => ({ AllocationId: `eipalloc-${address}`, ...more });
    await ask('a machine with two interfaces is named', 'AssociateAddress', to(1, { InstanceId: one }));
    await ask('both are named', 'AssociateAddress', to(1, { InstanceId: one, NetworkInterfaceId: primary }));
    const gone = { NetworkInterfaceId: 'eni-0123456789abcdef0' };
    await ask('an interface that is not there', 'AssociateAddress', to(1, gone));
    const elsewhere = { NetworkInterfaceId: primary, PrivateIpAddress: '10.0.1.200' };
    await ask('a private address that it has not', 'AssociateAddress', to(1, elsewhere));
    await ask('an interface is named', 'AssociateAddress', to(1, { NetworkInterfaceId: primary }));
    await ask('the second interface is named', 'AssociateAddress', to(2, { NetworkInterfaceId: second }));
    await ask('addresses of interfaces', 'DescribeAddresses', filters({ 'network-interface-id': [primary, second] }));
    await ask('a machine has two public addresses', 'DescribeInstances', named([one]));
  },
};

export const catalogue: Story = {
  async run({ ask }) {
    await ask('all subnets', 'DescribeSubnets');
    await ask('one subnet', 'DescribeSubnets', { 'SubnetId.1': 'subnet-a' });
    await ask('an unknown subnet', 'DescribeSubnets', { 'SubnetId.1': 'subnet-x' });
    await ask('subnets by zone', 'DescribeSubnets', filters({ 'availability-zone': ['us-east-1b'] }));
    await ask('all types', 'DescribeInstanceTypes');
    await ask('one type', 'DescribeInstanceTypes', { 'InstanceType.1': 'm6i.large' });
    await ask('an unknown type', 'DescribeInstanceTypes', { 'InstanceType.1': 'm9.huge' });
    await ask('all versions', 'DescribeLaunchTemplateVersions', { LaunchTemplateId: 'lt-1' });
    await ask('the first page', 'DescribeLaunchTemplateVersions', { LaunchTemplateId: 'lt-1', MaxResults: '1' });
    await ask('one version', 'DescribeLaunchTemplateVersions', {
      LaunchTemplateName: 'machines',
      'LaunchTemplateVersion.1': '1',
    });
    await ask('an unknown template', 'DescribeLaunchTemplateVersions', { LaunchTemplateId: 'lt-x' });
    await ask('an unknown template name', 'DescribeLaunchTemplateVersions', { LaunchTemplateName: 'nobody' });
    await ask('an unknown version', 'DescribeLaunchTemplateVersions', {
      LaunchTemplateId: 'lt-1',
      'LaunchTemplateVersion.1': '9',
    });
  },
};
