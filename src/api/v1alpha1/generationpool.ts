import { z } from 'zod';
import { machineTemplate } from './clustergeneration.ts';
import type { CustomObject, Definition } from './definition.ts';
import {
  conditions,
  count,
  immutable,
  listMap,
  listSet,
  objectName,
  observedGeneration,
  shortName,
  time,
  withRules,
} from './fields.ts';

/** GenerationPool: one node pool of one generation, and the contract with a provider. Written by the operator only. */

export const FAILURE_REASONS = [
  'AddressesExhausted',
  'CapacityUnavailable',
  'SubnetUnsuitable',
  'QuotaExceeded',
  'Throttled',
  'Unauthorized',
  'InvalidTemplate',
  'RegistrationTimeout',
  'NodeLost',
  'AnotherAccount',
  'EndedEarly',
  'Unknown',
] as const;

const subnetId = () => z.string().min(1).max(64);

const fixed = <T extends z.ZodType>(field: string, type: T) =>
  withRules(type, immutable(`spec.${field}`, 'the operator makes a pool for each pool of a ClusterGeneration'));

const spec = z.object({
  platform: fixed('platform', shortName()),
  className: fixed('className', objectName()),
  generation: fixed('generation', shortName()),
  generationUID: fixed('generationUID', z.string().min(1).max(64)),
  role: fixed('role', shortName()),
  machines: z.int32().min(0).max(5000),
  template: fixed('template', machineTemplate),
  placement: listMap(z.object({ subnet: subnetId(), machines: count() }), 'subnet', 64),
});

const failure = z.object({
  reason: z.enum(FAILURE_REASONS),
  message: z.string().max(1024),
  count: z.int32().min(1),
  since: time(),
  retryTime: time().optional(),
});

const refusal = z.object({
  reason: z.string().max(1024),
  since: time(),
  tries: count().describe('How often it was asked in vain; 0 while it is clear beforehand that it would refuse'),
  retryTime: time().optional(),
});

const subnetRefusal = z.object({
  subnet: subnetId(),
  reason: z.enum(FAILURE_REASONS),
  message: z.string().max(1024),
  count: z.int32().min(1),
  since: time(),
  retryTime: time(),
});

/**
 * A launch that was asked for: written before the call, so that a crash between the two repeats the same request
 * with the same token, which the provider answers with the same machines.
 */
const launch = z.object({
  token: z.string().min(1).max(64),
  subnet: subnetId(),
  machines: z.int32().min(1).max(1000),
  time: time(),
});

const instance = z.object({
  id: z.string().min(1).max(64),
  subnet: subnetId(),
  time: time(),
  registeredTime: time().optional().describe('When its Node was first seen'),
  deniedSince: time()
    .optional()
    .describe('Since when the cloud shows it neither by its tags nor by its id: no fact before that has lasted'),
});

/** As many as a pool remembers of those that are no more; the oldest go first. */
export const MOST_ENDED = 500;

const ended = z.object({
  id: z.string().min(1).max(64),
  time: time(),
  known: z.enum(['Terminated', 'Forgotten']).describe('Shown as terminated, or not shown any more for long enough'),
});

const status = z.object({
  observedGeneration: observedGeneration(),
  account: z.string().max(1024).optional().describe('The account in which its machines were first looked for'),
  machines: z.object({ launched: count(), registered: count(), ready: count() }).optional(),
  launches: listMap(launch, 'token', 64)
    .optional()
    .describe('Launches asked for whose machines are not yet in instances'),
  launchCount: count().optional().describe('Launches ever asked for: the next token is made from it'),
  instances: listMap(instance, 'id', 5000)
    .optional()
    .describe('Machines that this pool has launched and that the cloud has not shown as terminated; time: of launch'),
  ended: listMap(ended, 'id', MOST_ENDED)
    .optional()
    .describe(
      'Machines that this pool had and that are known to be no more: what says so when the cloud has forgotten',
    ),
  staleNodes: listSet(z.string().min(1).max(253), 5000)
    .optional()
    .describe('Nodes that name a machine of this pool which has another Node: they count for nothing'),
  refusals: listMap(subnetRefusal, 'subnet', 64)
    .optional()
    .describe('Subnets in which the cloud would not launch its machines; until retryTime they are left out'),
  failures: listMap(failure, 'reason', FAILURE_REASONS.length).optional(),
  refusal: refusal
    .optional()
    .describe('Why machines that are to be removed or stopped are not: what the interlock says'),
  conditions: conditions(),
});

export const generationPool: Definition = {
  kind: 'GenerationPool',
  plural: 'generationpools',
  shortNames: ['gpool'],
  description: 'One node pool of one generation. Written by the operator only: people scale the ClusterGeneration.',
  spec,
  status,
  columns: [
    { name: 'Generation', type: 'string', jsonPath: '.spec.generation' },
    { name: 'Role', type: 'string', jsonPath: '.spec.role' },
    { name: 'Machines', type: 'integer', jsonPath: '.spec.machines' },
    { name: 'Launched', type: 'integer', jsonPath: '.status.machines.launched' },
    { name: 'Ready', type: 'integer', jsonPath: '.status.machines.ready' },
    { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
    { name: 'Message', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  rules: [],
};

export type GenerationPoolSpec = z.output<typeof spec>;
export type GenerationPoolStatus = z.output<typeof status>;
export type GenerationPool = CustomObject<GenerationPoolSpec, GenerationPoolStatus>;
export type FailureReason = (typeof FAILURE_REASONS)[number];
export type Failure = z.output<typeof failure>;
export type Refusal = z.output<typeof subnetRefusal>;
export type Launch = z.output<typeof launch>;
