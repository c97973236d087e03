import {
  AssociateAddressCommand,
  CreateTagsCommand,
  DeleteTagsCommand,
  DescribeAddressesCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeLaunchTemplateVersionsCommand,
  DescribeSubnetsCommand,
  DisassociateAddressCommand,
  EC2Client,
  type EC2ClientConfig,
  EC2ServiceException,
  type Instance,
  ModifyInstanceAttributeCommand,
  paginateDescribeInstances,
  ReleaseAddressCommand,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
  waitUntilInstanceRunning,
  waitUntilInstanceStopped,
  waitUntilInstanceTerminated,
} from '@aws-sdk/client-ec2';
import { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Simulator } from '../../src/simulator/start.ts';
import type { ScenarioInput } from '../../src/simulator/testing.ts';
import { quickSimulator } from './quick.ts';

let simulator: Simulator;
const clients: { destroy(): void }[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await simulator.stop();
});

const settings = { region: 'us-east-1', credentials: { accessKeyId: 'AKOPERATOR', secretAccessKey: 'any' } };

async function connected(changes: Partial<ScenarioInput> = {}, more: EC2ClientConfig = {}): Promise<EC2Client> {
  simulator = await quickSimulator(changes);
  const client = new EC2Client({ ...settings, endpoint: simulator.url, maxAttempts: 1, ...more });
  clients.push(client);
  return client;
}

const launch = (changes: Partial<RunInstancesCommandInput> = {}) =>
  new RunInstancesCommand({
    MinCount: 1,
    MaxCount: 2,
    SubnetId: 'subnet-b',
    LaunchTemplate: { LaunchTemplateId: 'lt-1', Version: '1' },
    ...changes,
  });
const waiting = (client: EC2Client) => ({ client, maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.1 });
const idsOf = (instances: Instance[] | undefined) => (instances ?? []).map(({ InstanceId }) => InstanceId ?? '');

async function refusal(work: Promise<unknown>): Promise<{ name: string; status: number | undefined; fault: string }> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof EC2ServiceException)) throw new Error(`expected a refusal, not ${error}`);
  expect(error.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
  return { name: error.name, status: error.$metadata.httpStatusCode, fault: error.$fault };
}

describe('the AWS SDK for JavaScript', () => {
  it('launches, finds, protects, tags, stops, starts and terminates machines', async () => {
    const client = await connected();
    const tags = [{ Key: 'role', Value: 'web' }];
    const { Instances } = await client.send(
      launch({ DisableApiTermination: true, TagSpecifications: [{ ResourceType: 'instance', Tags: tags }] }),
    );
    const InstanceIds = idsOf(Instances);
    const [InstanceId = ''] = InstanceIds;
    expect(InstanceIds).toHaveLength(2);
    expect(Instances?.[0]?.LaunchTime).toBeInstanceOf(Date);
    await waitUntilInstanceRunning(waiting(client), { InstanceIds });

    const Filters = [{ Name: 'tag:role', Values: ['web'] }];
    const { Reservations } = await client.send(new DescribeInstancesCommand({ Filters }));
    expect(idsOf(Reservations?.[0]?.Instances)).toEqual(InstanceIds);
    expect(await refusal(client.send(new TerminateInstancesCommand({ InstanceIds })))).toEqual({
      name: 'OperationNotPermitted',
      status: 400,
      fault: 'client',
    });
    const protection = new DescribeInstanceAttributeCommand({ InstanceId, Attribute: 'disableApiTermination' });
    expect((await client.send(protection)).DisableApiTermination).toEqual({ Value: true });
    for (const id of InstanceIds) {
      await client.send(
        new ModifyInstanceAttributeCommand({ InstanceId: id, DisableApiTermination: { Value: false } }),
      );
    }
    expect((await client.send(protection)).DisableApiTermination).toEqual({ Value: false });

    await client.send(new CreateTagsCommand({ Resources: [InstanceId], Tags: [{ Key: 'a', Value: '<&>' }] }));
    await client.send(new DeleteTagsCommand({ Resources: [InstanceId], Tags: [{ Key: 'role' }] }));
    const retagged = await client.send(new DescribeInstancesCommand({ InstanceIds: [InstanceId] }));
    expect(retagged.Reservations?.[0]?.Instances?.[0]?.Tags).toEqual([{ Key: 'a', Value: '<&>' }]);

    await client.send(new StopInstancesCommand({ InstanceIds: [InstanceId] }));
    await waitUntilInstanceStopped(waiting(client), { InstanceIds: [InstanceId] });
    await client.send(new StartInstancesCommand({ InstanceIds: [InstanceId] }));
    await waitUntilInstanceRunning(waiting(client), { InstanceIds: [InstanceId] });
    const status = await client.send(new DescribeInstanceStatusCommand({ InstanceIds }));
    expect(status.InstanceStatuses?.map(({ InstanceState }) => InstanceState?.Name)).toEqual(['running', 'running']);

    const { TerminatingInstances } = await client.send(new TerminateInstancesCommand({ InstanceIds }));
    expect(TerminatingInstances?.[0]?.CurrentState).toEqual({ Code: 32, Name: 'shutting-down' });
    await waitUntilInstanceTerminated(waiting(client), { InstanceIds });
  }, 60_000);

  it('moves an address', async () => {
    const client = await connected();
    const { Instances } = await client.send(launch({ MinCount: 2 }));
    const InstanceIds = idsOf(Instances);
    await waitUntilInstanceRunning(waiting(client), { InstanceIds });
    const AllocationId = 'eipalloc-1';
    const to = (index: number, AllowReassociation: boolean) =>
      client.send(new AssociateAddressCommand({ AllocationId, InstanceId: InstanceIds[index]!, AllowReassociation }));
    await to(0, false);
    expect(await refusal(to(1, false))).toMatchObject({ name: 'Resource.AlreadyAssociated', status: 400 });
    const { AssociationId } = await to(1, true);
    const { Addresses } = await client.send(new DescribeAddressesCommand({ AllocationIds: [AllocationId] }));
    expect(Addresses).toMatchObject([
      { AllocationId, AssociationId, InstanceId: InstanceIds[1], PublicIp: '203.0.113.1' },
    ]);
    await client.send(new DisassociateAddressCommand({ AssociationId: AssociationId! }));
    await client.send(new ReleaseAddressCommand({ AllocationId }));
    expect((await client.send(new DescribeAddressesCommand({}))).Addresses).toHaveLength(1);
  }, 60_000);

  it('reads what there is to launch with', async () => {
    const client = await connected();
    const { Subnets } = await client.send(new DescribeSubnetsCommand({ SubnetIds: ['subnet-a'] }));
    expect(Subnets).toMatchObject([
      { SubnetId: 'subnet-a', AvailabilityZone: 'us-east-1a', AvailableIpAddressCount: 11 },
    ]);
    const { InstanceTypes } = await client.send(new DescribeInstanceTypesCommand({ InstanceTypes: ['m6i.xlarge'] }));
    expect(InstanceTypes).toMatchObject([{ VCpuInfo: { DefaultVCpus: 4 }, MemoryInfo: { SizeInMiB: 16384 } }]);
    const versions = await client.send(
      new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId: 'lt-1', Versions: ['2'] }),
    );
    expect(versions.LaunchTemplateVersions).toMatchObject([
      { VersionNumber: 2, LaunchTemplateData: { ImageId: 'ami-2' } },
    ]);
    const quotas = new ServiceQuotasClient({ ...settings, endpoint: simulator.url, maxAttempts: 1 });
    clients.push(quotas);
    const { Quota } = await quotas.send(new GetServiceQuotaCommand({ ServiceCode: 'ec2', QuotaCode: 'L-1216C47A' }));
    expect(Quota).toMatchObject({ Value: 1920, QuotaCode: 'L-1216C47A' });
    const unknown = quotas.send(new GetServiceQuotaCommand({ ServiceCode: 'ec2', QuotaCode: 'L-0' }));
    await expect(unknown).rejects.toMatchObject({ name: 'NoSuchResourceException' });
  }, 60_000);

  it('pages', async () => {
    const client = await connected();
    const { Instances } = await client.send(launch({ MinCount: 12, MaxCount: 12 }));
    const found = [];
    for await (const page of paginateDescribeInstances({ client, pageSize: 5 }, {})) {
      found.push(idsOf(page.Reservations?.flatMap((reservation) => reservation.Instances ?? [])));
    }
    expect(found.map((ids) => ids.length)).toEqual([5, 5, 2]);
    expect(found.flat()).toEqual(idsOf(Instances));
  }, 60_000);

  it('understands every refusal', async () => {
    const client = await connected({
      quotas: { vcpus: 8 },
      buckets: { DescribeSubnets: { requestBurst: 1, requestsPerSecond: 0.001 } },
      faults: [
        { name: 'none-in-b', match: { subnet: 'subnet-b', instanceType: 'm6i.xlarge' }, effect: { capacity: 0 } },
      ],
    });
    const refused = (changes: Partial<RunInstancesCommandInput>) => refusal(client.send(launch(changes)));
    expect(await refused({ MinCount: 9, MaxCount: 9 })).toEqual({
      name: 'VcpuLimitExceeded',
      status: 400,
      fault: 'client',
    });
    expect(await refused({ InstanceType: 'm6i.xlarge' })).toEqual({
      name: 'InsufficientInstanceCapacity',
      status: 500,
      fault: 'server',
    });
    expect(await refused({ DryRun: true })).toEqual({ name: 'DryRunOperation', status: 412, fault: 'client' });
    await client.send(new DescribeSubnetsCommand({ SubnetIds: ['subnet-a'] }));
    expect(await refusal(client.send(new DescribeSubnetsCommand({ SubnetIds: ['subnet-a'] })))).toEqual({
      name: 'RequestLimitExceeded',
      status: 503,
      fault: 'server',
    });
    const nobody = new EC2Client({
      ...settings,
      credentials: { accessKeyId: 'AKNOBODY', secretAccessKey: 'any' },
      endpoint: simulator.url,
      maxAttempts: 1,
    });
    clients.push(nobody);
    expect(await refusal(nobody.send(new DescribeAddressesCommand({})))).toEqual({
      name: 'AuthFailure',
      status: 401,
      fault: 'client',
    });
  }, 60_000);

  it('repeats a launch whose answer was lost without launching twice', async () => {
    const client = await connected(
      { faults: [{ name: 'lost', operations: ['RunInstances'], count: 1, effect: { dropResponse: true } }] },
      { maxAttempts: 3 },
    );
    const { Instances, $metadata } = await client.send(launch());
    expect($metadata.attempts).toBe(2);
    expect(Instances).toHaveLength(2);
    expect(simulator.cloud.instances.all).toHaveLength(2);
    expect(simulator.cloud.ledger.calls).toMatchObject([{ responseLost: true }, { replayed: true }]);
  }, 60_000);
});
