import {
  AssociateAddressCommand,
  DescribeInstancesCommand,
  EC2Client,
  EC2ServiceException,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { LABEL } from '../../src/api/v1alpha1/index.ts';
import type { LedgerView } from '../../src/simulator/control/ledger.ts';
import type { StateView } from '../../src/simulator/control/state.ts';
import { opsLaptop } from './cast.ts';

/** The simulated cloud from outside: its books, and an engineer's laptop with keys that may do anything at its API. */
export interface Cloud {
  ledger(): Promise<LedgerView>;
  state(): Promise<StateView>;
  /** As the engineer, with the AWS SDK. */
  laptop: {
    /** Ids of a generation's machines, by their tags. */
    machinesOf(generation: string): Promise<string[]>;
    /** Resolves with the cloud's refusal as `code: message`; undefined when it did as it was told. */
    terminate(ids: string[]): Promise<string | undefined>;
    stop(ids: string[]): Promise<string | undefined>;
    /** Points an address at another machine, away from where it was. */
    moveAddress(allocationId: string, instanceId: string): Promise<void>;
  };
}

export function cloudAt(url: string): Cloud {
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(url + path, { signal: AbortSignal.timeout(60_000) });
    if (!response.ok) throw new Error(`the simulated cloud answered ${response.status} to GET ${path}`);
    return (await response.json()) as T;
  };
  const ec2 = new EC2Client({
    region: 'us-east-1',
    endpoint: url,
    maxAttempts: 1,
    credentials: { accessKeyId: opsLaptop.accessKeyId, secretAccessKey: 'not-checked' },
  });
  return {
    ledger: () => get<LedgerView>('/ledger'),
    state: () => get<StateView>('/state'),
    laptop: {
      async machinesOf(generation) {
        const Filters = [{ Name: `tag:${LABEL.generation}`, Values: [generation] }];
        const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ Filters }));
        return Reservations.flatMap(({ Instances = [] }) => Instances.map(({ InstanceId }) => InstanceId ?? ''));
      },
      terminate: (InstanceIds) => refusalOf(ec2.send(new TerminateInstancesCommand({ InstanceIds }))),
      stop: (InstanceIds) => refusalOf(ec2.send(new StopInstancesCommand({ InstanceIds }))),
      async moveAddress(AllocationId, InstanceId) {
        await ec2.send(new AssociateAddressCommand({ AllocationId, InstanceId, AllowReassociation: true }));
      },
    },
  };
}

async function refusalOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof EC2ServiceException) return `${error.name}: ${error.message}`;
    throw error;
  }
}
