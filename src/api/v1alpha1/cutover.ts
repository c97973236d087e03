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
  objectName,
  observedGeneration,
  pointer,
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

const deadline = (of: string, unset: string) =>
  duration().optional().describe(`How long ${of} may take before it counts as failed; default ${unset}`);

const migration = z
  .object({
    name: shortName(),
    reversible: z
      .boolean()
      .default(false)
      .describe(
        'false: once it has begun there is no way back, unless its Job fails, which must then have changed nothing',
      ),
    jobTemplate: jobTemplate(),
    undo: z.object({ jobTemplate: jobTemplate() }).optional(),
    deadline: deadline('its Job', '30m'),
  })
  .meta(
    rules({
      rule: '!has(self.undo) || self.reversible',
      message: 'a migration with undo is reversible: set reversible: true, or leave undo out',
    }),
  );

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
    deadline: deadline('it', '30s for http, which is asked again until then, and 10m for a Job'),
  })
  .meta(
    rules({
      rule: 'has(self.http) != has(self.jobTemplate)',
      message: 'a check is either http or a jobTemplate: write exactly one of the two',
    }),
  );

const approvals = () =>
  listMap(z.object({ user: z.string().min(1).max(253), planHash: z.string().min(1).max(128) }), 'user', 16);

/** A UID as the API server gives it. */
const jobUID = () => z.string().min(1).max(64);

const AGAIN = 'a cutover is decided once; create another Cutover';

const oneWay = (field: string): Rule => ({
  rule: `!has(oldSelf.${field}) || !oldSelf.${field} || (has(self.${field}) && self.${field})`,
  message: `spec.${field} is one-way: once true it stays true`,
});

/** Of a Job of which there may never be a second one unasked. */
const jobRun = {
  job: objectName().optional().describe('Namespace and name of its Job'),
  uid: jobUID().optional().describe('Of that Job, once it was seen: one that is gone since then is not created again'),
  interrupted: z
    .boolean()
    .optional()
    .describe('Its Job was deleted before it had ended: it is run again only when spec.settled says DidNotRun'),
};

const settlement = z
  .object({
    uid: jobUID().describe('UID of the Job, as status.migrations or status.checks has it'),
    as: z
      .enum(['Ran', 'DidNotRun'])
      .describe('Ran: it has done its work. DidNotRun: it counts as failed, and may be run again'),
  })
  .describe('What people have found out about a Job that was deleted, or vanished, before its end was known');

const spec = z
  .object({
    platform: shortName(),
    from: z
      .string()
      .max(40)
      .meta(
        rules({
          rule: `self == '' || self.matches('${DNS_LABEL}')`,
          message: 'spec.from is the name of the live generation, or "" while none is live',
        }),
      )
      .describe(
        'The live generation that is left; "" while none is live: before the first cutover of a platform, for example',
      ),
    to: shortName().optional().describe('The generation that becomes live; absent only in mode Decommission'),
    mode: z.enum(['Planned', 'Rollback', 'Recovery', 'Decommission']).default('Planned'),
    supersedes: reference().optional(),
    notBefore: time().optional(),
    notAfter: time().optional(),
    migrations: listMap(migration, 'name', 32).optional(),
    verify: listMap(check, 'name', 32).optional(),
    soak: duration().optional(),
    allowSmallerRoles: z
      .boolean()
      .optional()
      .describe('true: roles of the new generation may have fewer machines than those of the live one'),
    approvals: approvals().optional(),
    settled: listMap(settlement, 'uid', 64).optional(),
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
      ...['to', 'supersedes', 'notBefore', 'notAfter', 'migrations', 'verify', 'soak', 'allowSmallerRoles'].map(
        (field) => immutableIn('spec', field, AGAIN),
      ),
      ...['abort', 'retireNow'].map(oneWay),
      {
        rule: "has(self.to) == (self.mode != 'Decommission')",
        message:
          'spec.to names the generation that becomes live: required, except in mode Decommission, where it is left out',
      },
      {
        rule: "self.mode != 'Decommission' || self.from != ''",
        message: 'spec.from may not be "" in mode Decommission: name the live generation, which it takes down',
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

/** A digest over a part of the plan, and over what a Job is made of: 12 hexadecimal digits. */
const digest = () => z.string().max(64);

const machinesPlan = z.object({
  pool: shortName(),
  role: shortName(),
  machines: count(),
  instances: listAtomic(z.string().max(64), 10_000),
});

const blocker = z.object({
  object: z.string().max(320).describe('Kind and name of what is in the way'),
  reason: z.string().max(128),
  message: z.string().max(2048).describe('What is wrong, and what to do about it'),
});

const plan = z
  .object({
    hash: z.string().max(128).describe('What approvals name: a digest for each part that matters, in a fixed order'),
    changed: listAtomic(z.string().max(64), 16).describe('Parts that differ from what the approvals given are for'),
    machines: listAtomic(machinesPlan, 64),
    switches: listAtomic(
      z.object({
        target: shortName(),
        role: shortName(),
        from: switchState,
        to: switchState,
        hold: switchState.optional(),
      }),
      32,
    ),
    migrations: listAtomic(z.object({ name: shortName(), hash: digest(), reversible: z.boolean() }), 32),
    checks: listAtomic(z.object({ name: shortName(), hash: digest() }), 32),
    singletons: z
      .object({ total: count(), startsPerSecond: z.number().min(0), estimatedDuration: duration() })
      .optional(),
    retires: shortName().optional(),
    retention: z
      .object({ standby: z.enum(['Running', 'Stopped', 'None']), for: duration() })
      .optional()
      .describe('What is kept of the one that is left, and for how long once this has succeeded'),
    rollback: z.string().max(1024).describe('What going back would take, or why there is no going back'),
    estimatedStartDuration: duration()
      .optional()
      .describe('How long the machines of a stopped standby take to be ready again'),
    blockers: listAtomic(blocker, 32),
  })
  .describe('All that this cutover will do, worked out anew until that begins, then fixed');

const undo = z
  .object({ reason: z.string().max(128), message: z.string().max(2048), time: time() })
  .describe('Set when it goes back: every step that was begun is undone, in reverse order. Never taken back');

/** Times in which one target or role was not served: two in a cutover that goes back, one more for each that was superseded. */
export const MOST_HOLDS = 16;

const statusFields = z.object({
  observedGeneration: observedGeneration(),
  plan: plan.optional(),
  approvals: approvals()
    .optional()
    .describe('spec.approvals as it was last seen before it began: one that is taken back shows'),
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
  undo: undo.optional(),
  generations: z
    .object({ from: reference().optional(), to: reference().optional() })
    .optional()
    .describe('The two generations by UID, fixed when the cutover starts: a namesake made later is another one'),
  switches: listMap(
    z.object({
      target: shortName(),
      from: switchState.optional(),
      hold: switchState.optional().describe('Where its maintenance responder is, for a target that has one'),
      to: switchState,
      state: z
        .enum(['Pending', 'Held', 'Switched', 'Verified', 'Reverted'])
        .describe('Held and Verified: seen to serve from there. Switched: pointed there, and not yet seen to serve'),
      heldTime: time().optional(),
      servedTime: time().optional().describe('When it was first seen to serve again after it was held'),
      earlierHolds: listAtomic(z.object({ heldTime: time(), servedTime: time() }), MOST_HOLDS)
        .optional()
        .describe('Holds that have ended before that one: of one that goes back, or that has taken over'),
    }),
    'target',
    32,
  )
    .optional()
    .describe('Old values, written before each switch: the undo journal'),
  pointer: z
    .object({
      liveTime: time().describe('With which the new generation becomes live'),
      live: pointer().optional(),
      previous: pointer().optional(),
      formerLiveTime: time().optional().describe('What the new generation had as liveTime before'),
    })
    .optional()
    .describe('Old values of the live pointer, written before it moves: the undo journal of Point'),
  migrations: listMap(
    z.object({
      name: shortName(),
      hash: digest(),
      reversible: z.boolean(),
      state: z
        .enum(['Running', 'Committed', 'Failed', 'Undoing', 'Undone'])
        .describe('Failed has changed nothing. Committed and irreversible: there is no way back'),
      ...jobRun,
      startTime: time().optional(),
      endTime: time().optional(),
      message: z.string().max(4096).optional().describe("The last lines of a failed Job's log"),
    }),
    'name',
    32,
  ).optional(),
  checks: listMap(
    z.object({
      name: shortName(),
      state: z.enum(['Running', 'Passed', 'Failed']),
      round: count().describe('0 in Verify; counts up while soaking'),
      ...jobRun,
      startTime: time(),
      endTime: time().optional(),
      message: z.string().max(4096).optional(),
    }),
    'name',
    32,
  )
    .optional()
    .describe('The last round of each check'),
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
    z.object({
      role: shortName(),
      traffic: duration().optional(),
      singletons: duration().optional(),
      stops: listAtomic(z.object({ stoppedTime: time(), startedTime: time().optional() }), MOST_HOLDS)
        .optional()
        .describe('From when to when its singletons were stopped; what has been served in between is no downtime'),
    }),
    'role',
    32,
  ).optional(),
  retainUntil: time().optional(),
  outcome: z.enum(['Succeeded', 'RolledBack', 'Aborted', 'Superseded']).optional(),
  conditions: conditions(),
});

/** What a former leader, or one that reads late, must not take back. */
const status = statusFields.meta(
  rules(
    {
      rule: '!has(oldSelf.outcome) || (has(self.outcome) && self.outcome == oldSelf.outcome)',
      message: 'status.outcome is set once: a cutover that has ended does nothing more',
    },
    {
      rule: '!has(oldSelf.undo) || has(self.undo)',
      message: 'status.undo is never taken back: a cutover that goes back goes all the way',
    },
    {
      rule: '!has(oldSelf.generations) || (has(self.generations) && self.generations == oldSelf.generations)',
      message: 'status.generations is fixed when a cutover begins: a namesake made later is another generation',
    },
  ),
);

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
  ],
};

export type CutoverSpec = z.output<typeof spec>;
export type CutoverStatus = z.output<typeof status>;
export type Cutover = CustomObject<CutoverSpec, CutoverStatus>;
export type StepName = (typeof STEPS)[number];
export type CutoverPlan = z.output<typeof plan>;
export type SwitchState = z.output<typeof switchState>;
export type { Reference } from './fields.ts';
