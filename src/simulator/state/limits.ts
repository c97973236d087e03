import type { Clock } from '../../runtime/clock.ts';
import type { Operation } from '../actions/operations.ts';
import { requestLimitExceeded } from '../errors.ts';
import type { BucketSizes } from '../scenario/schema.ts';
import { Bucket } from './bucket.ts';

type Sizes = { requestBurst: number; requestsPerSecond: number; resourceBurst?: number; resourcesPerSecond?: number };

// Sizes of EC2: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html. Service Quotas publishes
// none for GetServiceQuota; 10 per second is assumed.
const FILTERED: Sizes = { requestBurst: 100, requestsPerSecond: 20 };
const UNFILTERED: Sizes = { requestBurst: 50, requestsPerSecond: 10 };
const MUTATING: Sizes = { requestBurst: 50, requestsPerSecond: 5 };
const OWN: Partial<Record<Operation, Sizes>> = {
  RunInstances: { requestBurst: 5, requestsPerSecond: 2, resourceBurst: 1000, resourcesPerSecond: 2 },
  StartInstances: { requestBurst: 5, requestsPerSecond: 2, resourceBurst: 1000, resourcesPerSecond: 2 },
  TerminateInstances: { requestBurst: 100, requestsPerSecond: 5, resourceBurst: 1000, resourcesPerSecond: 20 },
  StopInstances: { ...MUTATING, resourceBurst: 1000, resourcesPerSecond: 20 },
  CreateTags: { requestBurst: 100, requestsPerSecond: 10 },
  GetServiceQuota: { requestBurst: 10, requestsPerSecond: 10 },
};

/** EC2's throttling: two token buckets per operation, of the whole account whoever calls. */
export class Limits {
  readonly #account: string;
  readonly #clock: Clock;
  readonly #overrides: Record<string, BucketSizes>;
  readonly #buckets = new Map<string, { requests: Bucket; resources: Bucket | undefined }>();

  constructor(overrides: Record<string, BucketSizes>, clock: Clock, account: string) {
    this.#account = account;
    this.#overrides = overrides;
    this.#clock = clock;
  }

  /** Pays for one request. Describe calls that name, filter or page have a larger bucket. Throws RequestLimitExceeded. */
  takeRequest(operation: Operation, narrowed: boolean): void {
    if (!this.#of(operation, narrowed).requests.take())
      throw requestLimitExceeded('requests', this.#account, operation);
  }

  /** Pays for `count` machines. Throws RequestLimitExceeded. */
  takeResources(operation: Operation, count: number): void {
    const bucket = this.#of(operation, true).resources;
    if (bucket && !bucket.take(count)) throw requestLimitExceeded('resources', this.#account, operation);
  }

  #of(operation: Operation, narrowed: boolean) {
    const wide = operation.startsWith('Describe') && !narrowed;
    const key = wide ? `${operation} unfiltered` : operation;
    let pair = this.#buckets.get(key);
    if (!pair) {
      const sizes = sizesOf(operation, wide, this.#overrides[operation]);
      const { resourceBurst, resourcesPerSecond } = sizes;
      const limited = resourceBurst !== undefined || resourcesPerSecond !== undefined;
      pair = {
        requests: new Bucket(sizes.requestBurst, sizes.requestsPerSecond, this.#clock),
        resources: limited
          ? new Bucket(resourceBurst ?? resourcesPerSecond ?? 1, resourcesPerSecond ?? resourceBurst ?? 1, this.#clock)
          : undefined,
      };
      this.#buckets.set(key, pair);
    }
    return pair;
  }
}

/** The sizes in force for an operation: EC2's, with what the scenario says instead. */
export function sizesOf(operation: Operation, wide: boolean, override: BucketSizes = {}): Sizes {
  const usual = OWN[operation] ?? (operation.startsWith('Describe') ? (wide ? UNFILTERED : FILTERED) : MUTATING);
  const given = Object.fromEntries(Object.entries(override).filter(([, value]) => value !== undefined));
  return { ...usual, ...given };
}
