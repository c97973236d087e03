import { z } from 'zod';
import type { CustomObject, Definition } from './definition.ts';
import {
  addressesPerMachine,
  conditions,
  count,
  immutable,
  immutableIn,
  listAtomic,
  listMap,
  listSet,
  objectName,
  observedGeneration,
  reference,
  rules,
  shortName,
  shortNameRule,
  text,
  time,
  withRules,
} from './fields.ts';

/** ClusterGeneration: one release and its node pools. Written by a release engineer or GitOps. */

/** Longest set of labels or taints that a template carries. */
const MAX_LABELS = 32;

/** What a machine of a pool is; image, security groups, disks and user data are the launch template's. */
export const machineTemplate = z
  .object({
    labels: z.record(z.string(), z.string().max(63)).optional().meta({ maxProperties: MAX_LABELS }),
    taints: listAtomic(
      z.object({
        key: z
          .string()
          .min(1)
          .max(253)
          .meta(
            rules({
              rule: '!format.qualifiedName().validate(self).hasValue()',
              message:
                'not a valid key: letters, digits, and inner - _ . with an optional DNS prefix and /, for example example.com/dedicated',
            }),
          ),
        value: z
          .string()
          .max(63)
          .meta(
            rules({
              rule: '!format.labelValue().validate(self).hasValue()',
              message: 'not a valid value: at most 63 letters, digits, and inner - _ .',
            }),
          )
          .optional(),
        effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
      }),
      MAX_LABELS,
    ).optional(),
    ec2: z
      .object({
        launchTemplate: z.object({
          id: text(64, '^lt-[a-z0-9]+$', 'not the id of a launch template: write for example lt-0abc123, not its name'),
          version: text(
            20,
            '^[1-9][0-9]*$',
            'version is a number in quotes, for example "7": $Latest and $Default can change under a generation',
          ),
        }),
        instanceType: text(
          64,
          '^[a-z0-9-]+[.][a-z0-9-]+$',
          'not an instance type of EC2: write for example m6i.xlarge',
        ),
        addressesPerMachine: addressesPerMachine()
          .optional()
          .describe("Addresses that such a machine takes; default: the GenerationClass's"),
      })
      .optional(),
  })
  .meta(
    rules(
      {
        rule: "!has(self.labels) || self.labels.all(key, !key.startsWith('generations.dev/'))",
        message: 'labels under generations.dev/ are set by the operator: use another prefix',
      },
      {
        rule: '!has(self.labels) || self.labels.all(key, !format.qualifiedName().validate(key).hasValue() && !format.labelValue().validate(self.labels[key]).hasValue())',
        message:
          'labels must be valid Kubernetes labels: letters, digits, and inner - _ . with an optional DNS prefix and / before the key, for example example.com/disk: fast',
      },
    ),
  );

const pool = z.object({
  name: shortName(),
  role: withRules(shortName(), immutable('role', 'add a pool with another name')),
  machines: z.int32().min(0).max(5000).describe('May grow; may shrink only while the generation is not protected'),
  template: withRules(
    machineTemplate,
    immutable('template', 'create a new generation, or add a pool with another name'),
  ),
});

const spec = z
  .object({
    platform: withRules(shortName(), immutable('spec.platform', 'create another ClusterGeneration')),
    release: z
      .string()
      .min(1)
      .max(253)
      .meta(rules(immutable('spec.release', 'a new release is a new ClusterGeneration')))
      .describe('The version that people know'),
    className: objectName().optional().describe("GenerationClass; default: the platform's"),
    pools: listMap(pool, 'name', 64, 1),
    adopt: z
      .boolean()
      .default(false)
      .meta(rules(immutable('spec.adopt', 'create another ClusterGeneration')))
      .describe('Take over existing tagged machines'),
  })
  .meta(rules(immutableIn('spec', 'className', 'create another ClusterGeneration')));

const placement = z.object({ pool: shortName(), subnet: z.string().max(64), machines: count() });

/** Names of Cutovers that a generation keeps. */
export const MOST_LIVE_BY = 16;

const status = z
  .object({
    observedGeneration: observedGeneration(),
    stage: z.enum(['Planned', 'Provisioning', 'Staged', 'Live', 'Retained', 'Retired']).optional(),
    reservedBy: reference().optional().describe('The unfinished cutover that holds it'),
    liveTime: time().optional().describe('When it last became live'),
    liveBy: listSet(z.string().min(1).max(63), MOST_LIVE_BY)
      .optional()
      .describe('Names of the last Cutovers that made it live: one of them, applied again by Git, does nothing'),
    retiredTime: time().optional().describe('Written by a Cutover only; retired is for ever'),
    retiredBy: reference().optional(),
    retention: z
      .object({
        until: time(),
        standby: z.enum(['Running', 'Stopped', 'None']),
        cutover: reference().describe('The Cutover that left it'),
        noRollback: z
          .string()
          .min(1)
          .max(512)
          .optional()
          .describe('Why there is no going back to it, if there is none'),
      })
      .optional()
      .describe(
        'Since a Cutover has left it: what is kept for a rollback, and when it is retired. Gone once it is live again',
      ),
    override: z
      .object({ until: time(), release: z.boolean().optional() })
      .optional()
      .describe('Break-glass in force, copied from the platform'),
    neverLive: listSet(z.string().min(1).max(63), 16)
      .optional()
      .describe('While this one is protected: generations of its platform that never were live'),
    formerUIDs: listSet(z.string().min(1).max(64), 8)
      .optional()
      .describe('UIDs that it had before a restore: machines tagged with one of them are its own'),
    capacity: z
      .object({ machines: count(), vcpus: count(), placement: listAtomic(placement, 1024), provedTime: time() })
      .optional(),
    machines: z
      .object({ desired: count(), launched: count(), registered: count(), ready: count(), failed: count() })
      .optional(),
    estimatedReadyTime: time().optional(),
    conditions: conditions(),
  })
  .meta(
    rules(
      {
        rule: '!has(oldSelf.retiredTime) || (has(self.retiredTime) && self.retiredTime == oldSelf.retiredTime)',
        message: 'status.retiredTime is set once: a retired generation never comes back',
      },
      {
        rule: '!has(self.retiredTime) || has(self.liveTime)',
        message: 'status.retiredTime needs status.liveTime: what was never live is deleted, not retired',
      },
      {
        rule: 'has(self.retiredTime) == has(self.retiredBy)',
        message: 'status.retiredTime and status.retiredBy go together: only a Cutover retires a generation',
      },
      {
        rule: '!has(self.retiredTime) || !has(self.reservedBy)',
        message: 'a retired generation cannot be reserved by a Cutover: its machines are being removed',
      },
      {
        rule: '!has(self.retention) || has(self.liveTime)',
        message: 'status.retention needs status.liveTime: what never was live is not kept for a rollback',
      },
    ),
  );

/** The generation's own state, which no cache can lag behind. */
const heldByItself =
  'has(oldSelf.status) && (has(oldSelf.status.reservedBy) || (has(oldSelf.status.liveTime) && !has(oldSelf.status.retiredTime))) && !has(oldSelf.status.override)';

export const clusterGeneration: Definition = {
  kind: 'ClusterGeneration',
  plural: 'clustergenerations',
  shortNames: ['cg'],
  description: 'One generation of a platform: a release and the node pools that run it.',
  spec,
  status,
  columns: [
    { name: 'Platform', type: 'string', jsonPath: '.spec.platform' },
    { name: 'Release', type: 'string', jsonPath: '.spec.release' },
    { name: 'Stage', type: 'string', jsonPath: '.status.stage' },
    { name: 'Desired', type: 'integer', jsonPath: '.status.machines.desired' },
    { name: 'Ready', type: 'integer', jsonPath: '.status.machines.ready' },
    { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
    { name: 'Live since', type: 'date', jsonPath: '.status.liveTime', priority: 1 },
    { name: 'Reserved by', type: 'string', jsonPath: '.status.reservedBy.name', priority: 1 },
    { name: 'Message', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  rules: [
    shortNameRule('ClusterGeneration', 'ga-2023-10-10'),
    {
      rule: '!has(oldSelf.status) || has(self.status)',
      message: 'status cannot be removed: it says whether this generation is live',
    },
    {
      rule: `!(${heldByItself}) || oldSelf.spec.pools.all(old, self.spec.pools.exists(new, new.name == old.name && new.machines >= old.machines))`,
      message:
        'this generation is live, reserved by a cutover or not yet retired: its pools may grow but neither shrink nor go; move to another generation with a Cutover first',
    },
  ],
};

export type ClusterGenerationSpec = z.output<typeof spec>;
export type ClusterGenerationStatus = z.output<typeof status>;
export type ClusterGeneration = CustomObject<ClusterGenerationSpec, ClusterGenerationStatus>;
export type PoolSpec = z.output<typeof pool>;
export type MachineTemplate = z.output<typeof machineTemplate>;
export type Placement = z.output<typeof placement>;
