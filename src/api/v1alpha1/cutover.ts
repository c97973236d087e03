import { z } from 'zod';
import type { CustomObject, Definition, Rule } from './definition.ts';
import {
  conditions,
  count,
  DNS_LABEL,
  duration,
  immutableIn,
  jobTemplate,
  listAtomic,
  listMap,
  observedGeneration,
  reference,
  rules,
  shortName,
  text,
  time,
} from './fields.ts';

/** Cutover: the transaction that makes a generation live and retires the other. */

/** The steps in their order; each is a file under controllers/cutover/steps. */
export const STEPS = [
  'Preflight',
  'Approve',
  'Reserve',
  'Hold',
  'Quiesce',
  'Migrate',
  'Verify',
  'Switch',
  'Point',
  'Release',
  'Restore',
  'Soak',
  'Retain',
] as const;

const migration = z.object({
  name: shortName(),
  reversible: z.boolean().default(false),
  jobTemplate: jobTemplate(),
  undo: z.object({ jobTemplate: jobTemplate() }).optional(),
});

const check = z
  .object({
    name: shortName(),
    http: z
      .object({
        target: shortName(),
        path: text(1024, '^/', 'path starts with a slash: for example /healthz'),
        expectStatus: z.int32().min(100).max(599).default(200),
      })
      .optional(),
    jobTemplate: jobTemplate().optional(),
  })
  .meta(
    rules({
      rule: 'has(self.http) != has(self.jobTemplate)',
      message: 'a check is either http or a jobTemplate: write exactly one of the two',
    }),
  );

const AGAIN = 'a cutover is decided once; create another Cutover';

const oneWay = (field: string): Rule => ({
  rule: `!has(oldSelf.${field}) || !oldSelf.${field} || (has(self.${field}) && self.${field})`,
  message: `spec.${field} is one-way: once true it stays true`,
});

const spec = z
  .object({
    platform: shortName(),
    from: z
      .string()
      .max(40)
      .meta(
        rules({
          rule: `self == '' || self.matches('${DNS_LABEL}')`,
          message: 'spec.from is the name of the live generation, or "" for the first cutover of a platform',
        }),
      )
      .describe('The live generation that is left; "" for the first cutover of a platform'),
    to: shortName().optional().describe('The generation that becomes live; absent only in mode Decommission'),
    mode: z.enum(['Planned', 'Rollback', 'Recovery', 'Decommission']).default('Planned'),
    supersedes: reference().optional(),
    notBefore: time().optional(),
    notAfter: time().optional(),
    migrations: listMap(migration, 'name', 32).optional(),
    verify: listMap(check, 'name', 32).optional(),
    soak: duration().optional(),
    approvals: listMap(
      z.object({ user: z.string().min(1).max(253), planHash: z.string().min(1).max(128) }),
      'user',
      16,
    ).optional(),
    paused: z.boolean().optional(),
    abort: z.boolean().optional(),
    retireNow: z.boolean().optional(),
  })
  .meta(
    rules(
      ...['platform', 'from', 'mode'].map((field) => ({
        rule: `self.${field} == oldSelf.${field}`,
        message: `spec.${field} is immutable: ${AGAIN}`,
      })),
      ...['to', 'supersedes', 'notBefore', 'notAfter', 'migrations', 'verify', 'soak'].map((field) =>
        immutableIn('spec', field, AGAIN),
      ),
      ...['abort', 'retireNow'].map(oneWay),
      {
        rule: "has(self.to) == (self.mode != 'Decommission')",
        message:
          'spec.to names the generation that becomes live: required, except in mode Decommission, where it is left out',
      },
      {
        rule: "self.mode == 'Planned' || self.from != ''",
        message:
          'spec.from may be "" only in mode Planned, for the first cutover of a platform: name the live generation',
      },
      {
        rule: '!has(self.to) || self.to != self.from',
        message:
          'spec.from and spec.to are the same generation: spec.from is the live one, spec.to the one that becomes live',
      },
      {
        rule: '!has(self.notBefore) || !has(self.notAfter) || self.notBefore < self.notAfter',
        message: 'spec.notAfter must be later than spec.notBefore',
      },
    ),
  );

/** What a target points at: a Service's selector or the instances behind addresses. */
const switchState = z.record(z.string(), z.string().max(253)).meta({ maxProperties: 64 });

const status = z.object({
  observedGeneration: observedGeneration(),
  plan: z
    .object({
      hash: z.string().max(128),
      machines: count(),
      switches: listAtomic(z.string().max(512), 32),
      migrations: listAtomic(z.string().max(253), 32),
      singletons: count(),
      retires: shortName().optional(),
    })
    .optional(),
  steps: listMap(
    z.object({
      name: z.enum(STEPS),
      state: z.enum(['Pending', 'Running', 'Done', 'Undone', 'Failed', 'Skipped']),
      startTime: time().optional(),
      endTime: time().optional(),
      attempts: count().optional(),
      message: z.string().max(2048).optional(),
    }),
    'name',
    STEPS.length,
  ).optional(),
  generations: z
    .object({ from: reference().optional(), to: reference().optional() })
    .optional()
    .describe('The two generations by UID, fixed when the cutover starts: a namesake made later is another one'),
  switches: listMap(
    z.object({
      target: shortName(),
      from: switchState.optional(),
      to: switchState,
      state: z.enum(['Pending', 'Switched', 'Verified', 'Reverted']),
    }),
    'target',
    32,
  )
    .optional()
    .describe('Old values, written before each switch: the undo journal'),
  singletons: z
    .object({
      total: count(),
      waiting: count(),
      starting: count(),
      running: count(),
      startsPerSecond: z.number().min(0),
      estimatedEndTime: time().optional(),
    })
    .optional(),
  downtime: listMap(
    z.object({ role: shortName(), traffic: duration().optional(), singletons: duration().optional() }),
    'role',
    32,
  ).optional(),
  retainUntil: time().optional(),
  outcome: z.enum(['Succeeded', 'RolledBack', 'Aborted', 'Superseded']).optional(),
  conditions: conditions(),
});

export const cutover: Definition = {
  kind: 'Cutover',
  plural: 'cutovers',
  shortNames: ['cut'],
  description: 'The transaction that makes a generation live and retires the other.',
  spec,
  status,
  columns: [
    { name: 'Platform', type: 'string', jsonPath: '.spec.platform' },
    { name: 'From', type: 'string', jsonPath: '.spec.from' },
    { name: 'To', type: 'string', jsonPath: '.spec.to' },
    { name: 'Outcome', type: 'string', jsonPath: '.status.outcome' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
    { name: 'Retain until', type: 'string', jsonPath: '.status.retainUntil', priority: 1 },
    { name: 'Message', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  rules: [
    {
      rule: 'self.metadata.name.size() <= 63',
      message: "a Cutover's name has at most 63 characters: for example to-2023-10-10",
    },
    {
      rule: '!has(oldSelf.status) || has(self.status)',
      message: 'status cannot be removed: it is the journal of this cutover',
    },
    {
      rule: "!has(self.spec.abort) || !self.spec.abort || (has(oldSelf.spec.abort) && oldSelf.spec.abort) || !has(oldSelf.status.conditions) || !oldSelf.status.conditions.exists(c, c.type == 'RollbackAvailable' && c.status == 'False')",
      message:
        'spec.abort comes too late: this cutover is past its point of no return (condition RollbackAvailable says why). Let it finish, or create a Cutover that supersedes it',
    },
  ],
};

export type CutoverSpec = z.output<typeof spec>;
export type CutoverStatus = z.output<typeof status>;
export type Cutover = CustomObject<CutoverSpec, CutoverStatus>;
export type StepName = (typeof STEPS)[number];
export type SwitchState = z.output<typeof switchState>;
export type { Reference } from './fields.ts';
