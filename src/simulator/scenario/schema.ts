import { z } from 'zod';
import { duration } from './duration.ts';
import { faultSchema } from './fault.ts';

const count = z.int().min(0);
const rate = z.number().positive();

/** How long something takes: evenly spread over median - spread to median + spread, never below 0. */
const spreadSchema = z.strictObject({ median: duration, spread: duration.prefault('0s') });

/** One operation's two token buckets; what is left out keeps EC2's own size (state/limits.ts). */
const bucketSchema = z.strictObject({
  requestsPerSecond: rate.optional(),
  requestBurst: rate.optional(),
  resourcesPerSecond: rate.optional(),
  resourceBurst: rate.optional(),
});

const personSchema = z.strictObject({
  name: z.string().min(1),
  /** When, after the start of the simulator. */
  at: duration,
  /** The name of a caller. */
  caller: z.string(),
  operation: z.string(),
  /** Parameters of the call, written flat as the query protocol has them: `Force: "true"`. */
  parameters: z.record(z.string(), z.string()).default({}),
  /** Filters of DescribeInstances that choose the instances; left out when the call is about none. */
  instances: z.record(z.string(), z.array(z.string()).min(1)).optional(),
  /** Whether the person first takes termination and stop protection off those instances. */
  liftProtection: z.boolean().default(false),
});

const launchTemplateSchema = z.strictObject({
  id: z.string().regex(/^lt-[0-9a-z]+$/),
  name: z.string().min(3),
  /** The version that $Default means; the lowest when left out. */
  defaultVersion: z.int().positive().optional(),
  versions: z
    .array(
      z.strictObject({
        version: z.int().positive(),
        image: z.string().optional(),
        instanceType: z.string().optional(),
        securityGroups: z.array(z.string()).default([]),
      }),
    )
    .min(1),
});

/** What a scenario file may say. Everything is in declared time and declared rates; the time scale is no part of it. */
export const scenarioSchema = z.strictObject({
  region: z.string().default('us-east-1'),
  account: z
    .string()
    .regex(/^\d{12}$/, 'must be 12 digits')
    .default('123456789012'),
  /** Of every random choice: boot times, ids, faults with a probability. */
  seed: count.default(1),
  callers: z.array(z.strictObject({ accessKeyId: z.string().min(1), name: z.string().min(1) })).min(1),
  instanceTypes: z
    .array(
      z.strictObject({
        name: z.string(),
        vcpus: z.int().positive(),
        memoryMiB: z.int().positive(),
        /** Most network interfaces, and addresses or prefixes on each: by default those of m6i.xlarge. */
        networkInterfaces: z.int().min(1).max(15).default(4),
        addressesPerInterface: z.int().min(1).max(50).default(15),
      }),
    )
    .min(1),
  images: z.array(z.string().regex(/^ami-[0-9a-z]+$/)).min(1),
  launchTemplates: z.array(launchTemplateSchema).default([]),
  vpc: z.string().default('vpc-1'),
  subnets: z.array(z.strictObject({ id: z.string().min(1), zone: z.string().min(1), cidr: z.cidrv4() })).min(1),
  /** Of each machine, from its launch; each takes an address of its subnet. EC2's most is 15 a machine. */
  networkInterfaces: z.int().min(1).max(15).default(1),
  /** What a CNI gives each machine once it is a Node, as far as its subnet has it. */
  cni: z
    .strictObject({
      /** From the registration of the Node. */
      after: spreadSchema.prefault({ median: '20s' }),
      /** Network interfaces that the machine then has. */
      interfaces: z.int().min(1).max(15).default(1),
      /** Addresses of each, the primary one included. */
      addresses: z.int().min(1).max(50).default(1),
      /** Prefixes of 16 addresses of each. */
      prefixes: z.int().min(0).max(49).default(0),
    })
    .optional(),
  addresses: z.array(z.strictObject({ allocationId: z.string().min(1), publicIp: z.ipv4() })).default([]),
  quotas: z.strictObject({ vcpus: count.default(1920) }).prefault({}),
  buckets: z.record(z.string(), bucketSchema).default({}),
  times: z
    .strictObject({
      /** From the launch, or a start, to state running. */
      boot: spreadSchema.prefault({ median: '15s', spread: '5s' }),
      /** From state running to the Node. */
      registration: spreadSchema.prefault({ median: '30s', spread: '10s' }),
      /** From stopping to stopped. */
      stop: spreadSchema.prefault({ median: '20s', spread: '5s' }),
      /** From shutting-down to terminated. */
      terminate: spreadSchema.prefault({ median: '20s', spread: '5s' }),
      /** How long a terminated instance can still be described. */
      terminatedVisible: duration.prefault('1h'),
      /** How late a change is seen by Describe calls, and a new instance by all calls. */
      consistency: duration.prefault('1s'),
    })
    .prefault({}),
  faults: z.array(faultSchema).default([]),
  people: z.array(personSchema).default([]),
});

export type Scenario = z.output<typeof scenarioSchema>;
export type Spread = z.output<typeof spreadSchema>;
export type Person = z.output<typeof personSchema>;
export type InstanceType = Scenario['instanceTypes'][number];
export type LaunchTemplate = Scenario['launchTemplates'][number];
export type BucketSizes = z.output<typeof bucketSchema>;
