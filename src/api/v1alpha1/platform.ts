import { z } from 'zod';
import type { CustomObject, Definition } from './definition.ts';
import {
  conditions,
  count,
  duration,
  listAtomic,
  listMap,
  listSet,
  namespaceName,
  objectName,
  observedGeneration,
  pointer,
  reference,
  rules,
  shortName,
  shortNameRule,
  text,
  time,
} from './fields.ts';

/** Platform: one site, its roles, traffic targets and policies. Its status holds the live pointer. */

const role = z
  .object({
    name: shortName(),
    handover: z
      .enum(['Beside', 'Follow', 'Singleton'])
      .default('Beside')
      .describe(
        'Beside: each generation has its own workload. Follow: one workload whose new pods go to the live generation. Singleton: Follow, and never two copies at once',
      ),
    ramp: z
      .object({ startsPerSecond: z.int32().min(1).max(10000), maxStarting: z.int32().min(1).max(100000) })
      .optional()
      .describe('Ceilings for restarting singletons'),
    quiesce: z.enum(['Waves', 'AllFirst']).optional(),
  })
  .meta(
    rules(
      {
        rule: "!has(self.ramp) || self.handover == 'Singleton'",
        message: 'ramp paces the restart of singletons: set handover: Singleton, or leave ramp out',
      },
      {
        rule: "!has(self.quiesce) || self.handover == 'Singleton'",
        message: 'quiesce stops singletons: set handover: Singleton, or leave quiesce out',
      },
    ),
  );

const serviceRef = z.object({ namespace: namespaceName(), name: objectName() });

const labelValue = text(
  63,
  '^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$',
  'not the value of a label: letters, digits, and -, _ or . between them',
);

const trafficTarget = z
  .object({
    name: shortName(),
    role: shortName(),
    service: serviceRef.optional(),
    preview: serviceRef.optional().describe('Service that shows the new generation before it is live'),
    maintenance: z
      .object({ selector: z.record(z.string(), labelValue).meta({ minProperties: 1, maxProperties: 8 }) })
      .optional(),
    elasticIPs: z
      .object({
        allocationIDs: listSet(
          text(
            64,
            '^eipalloc-[a-z0-9]+$',
            'not the allocation id of an Elastic IP: write for example eipalloc-0abc123, not the address',
          ),
          64,
          1,
        ),
      })
      .optional(),
    minReady: z
      .int32()
      .min(1)
      .max(100000)
      .optional()
      .describe('Fewest ready endpoints of a service with which it counts as serving; 1 unless told'),
  })
  .meta(
    rules(
      {
        rule: 'has(self.service) != has(self.elasticIPs)',
        message: 'a traffic target is either a service or elasticIPs: write exactly one of the two',
      },
      {
        rule: 'has(self.service) || (!has(self.preview) && !has(self.maintenance))',
        message: 'preview and maintenance belong to a service target: leave them out for elasticIPs',
      },
      {
        rule: 'has(self.service) || !has(self.minReady)',
        message:
          'minReady counts the ready endpoints of a service: leave it out for elasticIPs, each of whose addresses has to lead to a Ready machine',
      },
    ),
  );

const twoPeople = {
  requestedBy: z.string().min(1).max(253).describe("The writer's own user name"),
  approvedBy: z.string().min(1).max(253).optional().describe("Likewise, another person's"),
};

const byTwoPeople = (what: string) =>
  rules({
    rule: '!has(self.approvedBy) || self.approvedBy != self.requestedBy',
    message: `${what} is approved by another person than the one who requested it`,
  });

const override = z
  .object({
    generation: shortName(),
    reason: z.string().min(1).max(1024),
    release: z
      .boolean()
      .default(false)
      .describe('true: deleting the generation lets go of its machines instead of terminating them'),
    ...twoPeople,
  })
  .meta(byTwoPeople('an override'));

const rebind = z
  .object({
    generation: shortName(),
    uid: z.string().min(1).max(64).describe('generations.dev/generation-uid on the machines at the cloud'),
    ...twoPeople,
  })
  .meta(byTwoPeople('a rebind'));

const blastRadius = z
  .object({
    machines: text(
      4,
      '^([1-9]|[1-4][0-9]|50)%$',
      'blastRadius.machines is a whole percentage from 1% to 50%: for example 5%',
    ).default('5%'),
    window: duration().default('1h'),
  })
  .prefault({});

const spec = z
  .object({
    className: objectName().describe('GenerationClass of its generations, unless they name their own'),
    roles: listMap(role, 'name', 32, 1).describe('In the order in which they are restored'),
    singletonAdmission: z.enum(['Gated', 'Open']).default('Gated'),
    traffic: listMap(trafficTarget, 'name', 32).default([]).describe('What a cutover switches'),
    jobs: z
      .object({ namespace: namespaceName(), serviceAccountName: objectName() })
      .optional()
      .describe('Where migrations and checks run, and with whose rights'),
    approvals: z
      .object({ required: z.int32().min(0).max(10).default(0) })
      .prefault({})
      .describe("Distinct people who must approve a cutover's plan"),
    retention: z
      .object({ standby: z.enum(['Running', 'Stopped', 'None']).default('Running'), for: duration().default('48h') })
      .prefault({})
      .describe('What is kept of the old generation for a rollback, and how long'),
    recovery: z.enum(['Refill', 'Manual', 'Fastest']).default('Refill'),
    destructiveBudget: z
      .object({ machinesPerMinute: z.int32().min(1).max(10000).default(30) })
      .prefault({})
      .describe('Pace at which machines of a generation that was ever live are removed'),
    blastRadius: blastRadius.describe(
      'Share of the live generation, at least one machine, that may be cordoned, drained or lost on purpose within the window',
    ),
    override: override.optional().describe('Break-glass: two people, one generation, short-lived'),
    rebind: rebind
      .optional()
      .describe('After a restore: these machines at the cloud belong to this ClusterGeneration; two people'),
  })
  .meta(
    rules({
      rule: 'self.traffic.all(t, self.roles.exists(r, r.name == t.role))',
      // Names one role only: joining them would cost more than the API server allows a message.
      messageExpression:
        "'spec.traffic names a role that spec.roles does not have: ' + self.traffic.map(t, t.role).filter(name, !(name in self.roles.map(r, r.name)))[0]",
    }),
  );

/** What a traffic target was last seen to do. Only the first says that users are served by the live generation. */
export const TRAFFIC_STATES = ['Serving', 'Moving', 'Held', 'NotServing', 'Unknown'] as const;

const trafficStatus = z.object({
  name: shortName(),
  state: z
    .enum(TRAFFIC_STATES)
    .describe(
      'Serving: seen to reach enough of the live generation. Moving, Held: on its way, or behind its maintenance responder, by the cutover that holds this Platform. NotServing: seen not to. Unknown: not seen',
    ),
  leadsTo: z.string().max(1024).describe('For people: a generation, the maintenance responder, nothing, or elsewhere'),
  generation: z.string().max(63).optional().describe('The generation that it leads to, where it leads to one'),
  machines: listAtomic(z.string().max(64), 64)
    .optional()
    .describe("Of elasticIPs: what each address points at, in the Platform's order; empty when it is nothing"),
  ready: count().describe(
    'Ready endpoints of a service, or addresses that lead to a Ready machine of the live generation',
  ),
  minReady: count().describe('How many there have to be'),
  countedTime: time().describe('When ready was last brought up to date; at once when the state changes'),
  servingSince: time().optional().describe('Since when it was seen to serve without a break; only while it does'),
  lastServingTime: time().optional().describe('When it was last seen to serve; written when that ends'),
  reason: z.string().max(128).optional(),
  message: z.string().max(2048).optional().describe('Why it does not serve, and what to do'),
});

const status = z
  .object({
    observedGeneration: observedGeneration(),
    live: pointer().optional(),
    previous: pointer().optional(),
    protected: listSet(z.string().min(1).max(63), 16)
      .optional()
      .describe('Generations that the policies protect; grows early, shrinks late'),
    neverLive: listSet(z.string().min(1).max(63), 16)
      .optional()
      .describe('Its generations that never were live: what a person who deletes the live one may have meant'),
    cutover: reference()
      .optional()
      .describe(
        'The unfinished cutover that holds this platform: one at a time. Written when it reserves, gone when it has ended',
      ),
    decommissioned: z
      .object({ cutover: reference(), time: time() })
      .optional()
      .describe(
        'Why no generation is live any more: written by a Cutover of mode Decommission, with the live pointer gone',
      ),
    quiesced: z
      .object({
        cutover: reference(),
        stop: listSet(z.string().min(1).max(63), 32).describe('Singleton roles whose running pods are ended meanwhile'),
        time: time(),
      })
      .optional()
      .describe('Written by a cutover: while it is there, no pod of a Follow or Singleton role is started'),
    override: z
      .object({ generation: shortName(), uid: z.string().max(64), until: time(), release: z.boolean().optional() })
      .optional()
      .describe('Break-glass in force; the policies read it'),
    lastOverride: z
      .object({
        generation: shortName(),
        uid: z.string().max(64),
        reason: z.string().max(1024),
        release: z.boolean(),
        requestedBy: z.string().max(253),
        approvedBy: z.string().max(253),
        until: time(),
        state: z.enum(['InForce', 'Expired', 'Withdrawn', 'Done']),
      })
      .optional()
      .describe('The record of the last override. An expired one does not come into force again by itself'),
    rebound: listAtomic(z.object({ generation: shortName(), uid: z.string().max(64), time: time() }), 16)
      .optional()
      .describe('What two people have said after a restore: these machines belong to these generations'),
    guard: z
      .object({
        effective: z.boolean(),
        lastProbeTime: time(),
        probes: listAtomic(
          z.object({
            target: z.string().max(253),
            verb: z.string().max(32),
            outcome: z.enum(['Denied', 'Skipped', 'Hole']),
            policy: z.string().max(253).optional(),
          }),
          64,
        ),
      })
      .optional(),
    roles: listMap(
      z.object({
        name: shortName(),
        machines: z.object({ desired: count(), ready: count() }),
        singletons: z.object({ total: count(), running: count() }).optional(),
        restored: z.boolean(),
        estimatedTime: time().optional(),
      }),
      'name',
      32,
    ).optional(),
    traffic: listMap(trafficStatus, 'name', 32)
      .optional()
      .describe('What was seen of each traffic target, while a generation is live'),
    destruction: z
      .object({ machines: z.number().min(0), time: time() })
      .optional()
      .describe('The destructive budget as it was left: machines that could be removed at once, at that time'),
    recovery: z
      .object({
        options: listAtomic(
          z.object({
            way: z.enum(['Refill', 'Cutover']),
            to: shortName().optional(),
            estimatedTime: time().optional(),
          }),
          8,
        ),
      })
      .optional(),
    conditions: conditions(),
  })
  .meta(
    rules(
      {
        rule: '!has(self.live) || (has(self.protected) && self.live.name in self.protected)',
        message: 'status.protected must contain status.live.name: protect first, then go live',
      },
      {
        rule: '!has(oldSelf.protected) || has(self.protected)',
        message: 'status.protected may become empty ([]) but cannot be removed',
      },
      {
        rule: '!has(self.quiesced) || (has(oldSelf.quiesced) && self.quiesced == oldSelf.quiesced) || (has(self.cutover) && self.quiesced.cutover.uid == self.cutover.uid)',
        message: 'status.quiesced is written by the Cutover that holds this Platform (status.cutover)',
      },
    ),
  );

export const platform: Definition = {
  kind: 'Platform',
  plural: 'platforms',
  shortNames: ['plat'],
  description:
    'One site: its roles, what a cutover switches, and the policies around it. Its status holds the live pointer.',
  spec,
  status,
  columns: [
    { name: 'Live', type: 'string', jsonPath: '.status.live.name' },
    { name: 'Previous', type: 'string', jsonPath: '.status.previous.name' },
    { name: 'Protected', type: 'string', jsonPath: '.status.protected' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  rules: [
    shortNameRule('Platform', 'pythonanywhere-us'),
    {
      rule: '!has(oldSelf.status) || has(self.status)',
      message: 'status cannot be removed: it carries the live pointer',
    },
    {
      // One may be taken out: an address that is gone for good must not keep another cutover from taking over.
      rule: '!has(self.status) || !has(self.status.cutover) || self.spec.traffic.all(target, target in oldSelf.spec.traffic)',
      messageExpression:
        "'spec.traffic cannot be changed while Cutover ' + self.status.cutover.name + ' moves it, but for leaving targets out: let the cutover end, or abort it'",
    },
  ],
};

export type PlatformSpec = z.output<typeof spec>;
export type PlatformStatus = z.output<typeof status>;
export type Platform = CustomObject<PlatformSpec, PlatformStatus>;
export type TrafficTarget = z.output<typeof trafficTarget>;
export type TrafficStatus = z.output<typeof trafficStatus>;
