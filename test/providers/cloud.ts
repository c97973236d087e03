import type { GenerationClass, MachineTemplate } from '../../src/api/v1alpha1/index.ts';
import { CLUSTER_TAG } from '../../src/api/v1alpha1/index.ts';
import { type LaunchRequest, ProviderError } from '../../src/providers/provider.ts';
import { type Providers, providers } from '../../src/providers/registry.ts';
import { type ManualClock, manualClock } from '../../src/runtime/clock.ts';
import { silent } from '../../src/runtime/logger.ts';
import { faultSchema } from '../../src/simulator/scenario/fault.ts';
import { scenarioSchema } from '../../src/simulator/scenario/schema.ts';
import { type Simulator, startSimulator } from '../../src/simulator/start.ts';

/** A simulated cloud and a registry of providers that speaks to it, on one clock that moves only when told. */
export type TestCloud = {
  simulator: Simulator;
  clock: ManualClock;
  registry: Providers;
  class: GenerationClass;
  secrets: Record<string, Record<string, string>>;
  /** Adds a fault as a scenario would have it. */
  fault(fault: object): void;
  /** Calls that reached the cloud, by operation and oldest first. */
  calls(
    operation: string,
  ): { code?: string; replayed?: boolean; machines?: string[]; other?: Record<string, string> }[];
};

export async function startCloud(scenario: object = {}): Promise<TestCloud> {
  const clock = manualClock();
  const simulator = await startSimulator({
    clock,
    log: silent,
    scenario: scenarioSchema.parse({
      callers: [{ accessKeyId: 'AKIAOPERATOR', name: 'operator' }],
      instanceTypes: [
        { name: 'm6i.xlarge', vcpus: 4, memoryMiB: 16384 },
        { name: 'g5.xlarge', vcpus: 4, memoryMiB: 16384 },
      ],
      images: ['ami-1'],
      launchTemplates: [
        {
          id: 'lt-0abc',
          name: 'web',
          versions: [
            { version: 7, image: 'ami-1' },
            { version: 8, image: 'ami-9' },
          ],
        },
      ],
      subnets: [
        { id: 'subnet-a', zone: 'us-east-1a', cidr: '10.0.0.0/27' },
        { id: 'subnet-b', zone: 'us-east-1b', cidr: '10.0.1.0/24' },
      ],
      addresses: [{ allocationId: 'eipalloc-1', publicIp: '192.0.2.1' }],
      times: { consistency: '0s', boot: { median: '10s' } },
      ...scenario,
    }),
  });
  const secrets = { 'generations-system/aws': { accessKeyId: 'AKIAOPERATOR', secretAccessKey: 'secret' } };
  const readSecret = async ({ namespace, name }: { namespace: string; name: string }) => {
    const data = (secrets as Record<string, Record<string, string>>)[`${namespace}/${name}`];
    if (!data) throw new Error(`secrets "${name}" not found`);
    return data;
  };
  return {
    simulator,
    clock,
    secrets,
    registry: providers({ clock, log: silent, readSecret }),
    class: aClass({ endpoint: simulator.url }),
    fault: (fault) => simulator.cloud.faults.add(faultSchema.parse(fault)),
    calls: (operation) =>
      simulator.cloud.ledger.calls
        .filter((call) => call.operation === operation)
        .map((call) => ({
          ...(call.code !== undefined && { code: call.code }),
          ...(call.replayed && { replayed: true }),
          ...(call.machines && { machines: call.machines }),
          ...(call.parameters.other && { other: call.parameters.other }),
        })),
  };
}

export function aClass(
  ec2: Partial<NonNullable<GenerationClass['spec']['ec2']>> = {},
  spec: Partial<GenerationClass['spec']> = {},
  name = 'aws',
): GenerationClass {
  return {
    apiVersion: 'generations.dev/v1alpha1',
    kind: 'GenerationClass',
    metadata: {
      name,
      uid: `uid-${name}`,
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: {
      provider: 'ec2',
      ec2: { region: 'us-east-1', credentialsSecretRef: { namespace: 'generations-system', name: 'aws' }, ...ec2 },
      subnets: [{ id: 'subnet-a', zone: 'us-east-1a' }],
      recoveryReserve: '20%',
      ...spec,
    },
    status: { observedGeneration: -1 },
  };
}

export const aTemplate = (ec2: Partial<NonNullable<MachineTemplate['ec2']>> = {}): MachineTemplate => ({
  ec2: { launchTemplate: { id: 'lt-0abc', version: '7' }, instanceType: 'm6i.xlarge', ...ec2 },
});

export const aLaunch = (request: Partial<LaunchRequest> = {}): LaunchRequest => ({
  token: 'token-1',
  subnet: 'subnet-b',
  machines: 3,
  template: aTemplate(),
  tags: { [CLUSTER_TAG]: 'cluster-1', Name: 'ga-1.web' },
  ...request,
});

/** The ProviderError that a promise rejects with; fails when there is none. */
export async function refusal(promise: Promise<unknown>): Promise<ProviderError> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome && outcome.error instanceof ProviderError) return outcome.error;
  throw new Error(
    `expected a ProviderError, got ${JSON.stringify(outcome)} ${'error' in outcome ? outcome.error : ''}`,
  );
}
