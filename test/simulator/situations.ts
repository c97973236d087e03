import type { AddressInfo } from 'node:net';
import { manualClock } from '../../src/runtime/clock.ts';
import { silent } from '../../src/runtime/logger.ts';
import { createCloud } from '../../src/simulator/cloud.ts';
import type { faultSchema } from '../../src/simulator/scenario/fault.ts';
import { createHttpServer } from '../../src/simulator/server.ts';
import { aScenario, filters, named, type ScenarioInput } from '../../src/simulator/testing.ts';

/** One answer exactly as it went over the wire. */
export type RawAnswer = { situation: string; operation: string; status: number; body: string };

type Session = {
  /** Sends a request and keeps its answer under the situation's name; returns the body. */
  ask(situation: string, operation: string, parameters?: Record<string, string>): Promise<string>;
  /** Lets declared seconds pass. */
  pass(seconds: number): Promise<void>;
};

const web = {
  'TagSpecification.1.ResourceType': 'instance',
  'TagSpecification.1.Tag.1.Key': 'role',
  'TagSpecification.1.Tag.1.Value': 'web & <console>',
};
const launch = (changes: Record<string, string> = {}) => ({
  MinCount: '1',
  MaxCount: '1',
  SubnetId: 'subnet-b',
  'LaunchTemplate.LaunchTemplateId': 'lt-1',
  'LaunchTemplate.Version': '1',
  ...changes,
});
const idsIn = (xml: string) => [...xml.matchAll(/<instanceId>([^<]+)</g)].map(([, id]) => id ?? '');
const firstId = (xml: string) => idsIn(xml)[0] ?? '';

/** Runs every situation over HTTP on a manual clock and returns all answers, in order. */
export async function allAnswers(): Promise<RawAnswer[]> {
  const answers: RawAnswer[] = [];
  for (const story of [lives, catalogue, addresses, refusals, shortages, faults]) {
    await within(story.scenario ?? {}, (session) => story.run(session), answers, story.accessKey);
  }
  await within({}, unknownCaller, answers, 'AKNOBODY');
  return answers;
}

type Story = { scenario?: Partial<ScenarioInput>; accessKey?: string; run(session: Session): Promise<void> };

async function within(
  changes: Partial<ScenarioInput>,
  run: (session: Session) => Promise<void>,
  answers: RawAnswer[],
  accessKey = 'AKOPERATOR',
): Promise<void> {
  const clock = manualClock();
  const server = createHttpServer(createCloud(aScenario(changes), clock, silent));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKey}/20261124/us-east-1/ec2/aws4_request, Signature=0`;
  try {
    await run({
      pass: (seconds) => clock.advance(seconds * 1000),
      async ask(situation, operation, parameters = {}) {
        const response = await fetch(`http://127.0.0.1:${port}`, {
          method: 'POST',
          headers: { authorization },
          body: new URLSearchParams({ Action: operation, Version: '2016-11-15', ...parameters }),
          signal: AbortSignal.timeout(10_000),
        });
        const body = await response.text();
        answers.push({ situation, operation, status: response.status, body });
        return body;
      },
    });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const lives: Story = {
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

const catalogue: Story = {
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

const addresses: Story = {
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

const refusals: Story = {
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
    const id = firstId(await ask('one is launched', 'RunInstances', launch()));
    const fifty = Object.fromEntries(
      Array.from({ length: 51 }, (_, index) => [`Tag.${index + 1}.Key`, `key-${index}`]),
    );
    await ask('too many tags', 'CreateTags', { 'ResourceId.1': id, ...fifty });
  },
};

const shortages: Story = {
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
const faults: Story = {
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

async function unknownCaller({ ask }: Session): Promise<void> {
  await ask('an unknown access key', 'DescribeInstances');
}
