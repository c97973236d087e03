import { z } from 'zod';
import type { CustomObject, Definition } from './definition.ts';
import {
  addressesPerMachine,
  conditions,
  count,
  immutable,
  listMap,
  namespaceName,
  objectName,
  observedGeneration,
  rules,
  text,
  time,
  withRules,
} from './fields.ts';

/** GenerationClass: where machines come from. Written by the platform team. */

/** The operations of a provider whose pace can be bounded; bucket sizes are the account's, not the class's. */
export const EC2_OPERATIONS = [
  'AssociateAddress',
  'CreateTags',
  'DescribeAddresses',
  'DescribeInstanceAttribute',
  'DescribeInstanceTypes',
  'DescribeInstances',
  'DescribeLaunchTemplateVersions',
  'DescribeSubnets',
  'GetServiceQuota',
  'ModifyInstanceAttribute',
  'RunInstances',
  'StartInstances',
  'StopInstances',
  'TerminateInstances',
] as const;

/** The same as a list in CEL. */
const KNOWN = `[${EC2_OPERATIONS.map((operation) => `'${operation}'`).join(', ')}]`;

/** Tokens per second. For a whole 0 the API server does not heed a minimum between 0 and 1, hence the rule. */
const perSecond = () =>
  z
    .number()
    .min(0.01)
    .max(10000)
    .meta(rules({ rule: 'self > 0.0', message: 'a budget of nothing stops the operator: write for example 2 or 0.5' }));

/** A token bucket: tokens per second and the most that can be saved up. */
const apiBudget = z.object({
  requestsPerSecond: perSecond(),
  requestBurst: z.int32().min(1).max(100000),
  resourcesPerSecond: perSecond().optional(),
  resourceBurst: z.int32().min(1).max(100000).optional(),
});

const ec2 = z.object({
  region: withRules(
    text(
      32,
      '^[a-z]{2}(-[a-z]+)+-[0-9]+$',
      'not a region of AWS: write for example us-east-1, without the letter of a zone',
    ),
    immutable('spec.ec2.region', 'create another GenerationClass for the other region'),
  ),
  endpoint: text(
    256,
    '^https?://[^/]+',
    'an endpoint is a URL with http:// or https://: for example http://127.0.0.1:4566; leave it out for AWS',
  )
    .optional()
    .describe('URL of an EC2-compatible API; AWS when absent'),
  credentialsSecretRef: z
    .object({ namespace: namespaceName(), name: objectName() })
    .optional()
    .describe("Secret with accessKeyId and secretAccessKey; the SDK's own chain (IRSA, ...) when absent"),
  podAddresses: z
    .enum(['Secondary', 'Prefixes'])
    .optional()
    .describe(
      "How a CNI gives pods addresses of the machine's subnet: one by one on its interfaces, or as prefixes of 16. Machines then need what their type can hold, unless addressesPerMachine says otherwise",
    ),
});

const spec = z
  .object({
    provider: z.enum(['ec2']).meta(rules(immutable('spec.provider', 'create another GenerationClass'))),
    ec2: ec2.optional(),
    subnets: listMap(
      z.object({
        id: text(64, '^subnet-[a-z0-9]+$', 'not the id of a subnet: write for example subnet-0abc123, not its name'),
        zone: z.string().min(1).max(32),
      }),
      'id',
      64,
      1,
    ).describe('Where machines may go; the planner chooses, free addresses decide'),
    addressesPerMachine: addressesPerMachine()
      .optional()
      .describe(
        'Addresses of its subnet that a machine takes, those of its pods included, where a CNI gives them; default 1. What machines are seen to hold counts where it is more',
      ),
    quotas: z
      .object({ vcpus: z.int32().min(1).optional() })
      .optional()
      .describe("Ceilings of our own, below the provider's"),
    apiBudgets: z
      .record(z.string(), apiBudget)
      .optional()
      .meta({
        maxProperties: EC2_OPERATIONS.length,
        ...rules({
          rule: `self.all(operation, operation in ${KNOWN})`,
          // Names one operation only: joining them would cost more than the API server allows a message.
          messageExpression: `'spec.apiBudgets has an unknown operation: ' + self.filter(operation, !(operation in ${KNOWN}))[0] + '; known are ${EC2_OPERATIONS.join(', ')}'`,
        }),
      }),
    recoveryReserve: text(
      4,
      '^([0-9]|[1-8][0-9]|90)%$',
      'recoveryReserve is a whole percentage from 0% to 90%: for example 20%',
    )
      .default('20%')
      .describe('Share of each API budget that planned work leaves untouched'),
  })
  .meta(
    rules({
      rule: "self.provider != 'ec2' || has(self.ec2)",
      message: 'spec.ec2 is required when spec.provider is ec2: write for example ec2: {region: us-east-1}',
    }),
  );

const status = z.object({
  observedGeneration: observedGeneration(),
  account: z
    .object({ id: z.string().max(1024), region: z.string().max(32) })
    .optional()
    .describe('The account that its subnets were first seen to belong to: a look at any other is a failed one'),
  pools: count().optional().describe('GenerationPools whose machines come from it'),
  subnets: listMap(
    z.object({
      id: z.string().max(64),
      zone: z.string().max(32),
      cidr: z.string().max(64),
      total: count(),
      free: count(),
      reserved: count(),
    }),
    'id',
    64,
  )
    .optional()
    .describe('Addresses; stopped machines keep theirs; reserved: planned by generations, and not yet taken'),
  addressesPerMachine: listMap(
    z.object({
      type: z.string().max(64),
      needed: count(),
      declared: count(),
      observed: count().optional(),
      machine: z.string().max(64).optional().describe('That was observed to hold most'),
    }),
    'type',
    64,
  )
    .optional()
    .describe('What a machine of each type in use is counted with'),
  apiBudgets: listMap(
    z.object({
      operation: z.string().max(64),
      requestsPerSecond: z.number(),
      resourcesPerSecond: z.number().optional(),
      throttledTotal: z.int(),
      lastThrottledTime: time().optional(),
    }),
    'operation',
    32,
  ).optional(),
  conditions: conditions(),
});

export const generationClass: Definition = {
  kind: 'GenerationClass',
  plural: 'generationclasses',
  shortNames: ['gclass'],
  description: 'Where the machines of generations come from: provider, subnets, quotas and API budgets.',
  spec,
  status,
  columns: [
    { name: 'Provider', type: 'string', jsonPath: '.spec.provider' },
    { name: 'Region', type: 'string', jsonPath: '.spec.ec2.region' },
    { name: 'Accepted', type: 'string', jsonPath: '.status.conditions[?(@.type=="Accepted")].status' },
    { name: 'Reachable', type: 'string', jsonPath: '.status.conditions[?(@.type=="Reachable")].status' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  rules: [
    {
      rule: `!has(oldSelf.status) || !has(oldSelf.status.pools) || oldSelf.status.pools == 0 || !has(self.spec.ec2) || !has(oldSelf.spec.ec2) || (has(self.spec.ec2.endpoint) == has(oldSelf.spec.ec2.endpoint) && (!has(self.spec.ec2.endpoint) || self.spec.ec2.endpoint == oldSelf.spec.ec2.endpoint))`,
      message:
        'spec.ec2.endpoint cannot be changed while GenerationPools have machines from this class (status.pools): at another endpoint they would not be found. Create another GenerationClass for it',
    },
  ],
};

export type GenerationClassSpec = z.output<typeof spec>;
export type GenerationClassStatus = z.output<typeof status>;
export type GenerationClass = CustomObject<GenerationClassSpec, GenerationClassStatus>;
export type ApiBudget = z.output<typeof apiBudget>;
