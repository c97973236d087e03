import { z } from 'zod';
import { duration } from './duration.ts';

const errorEffect = z.union([
  z.string().transform((code) => ({ code, message: undefined, status: undefined })),
  z.strictObject({ code: z.string(), message: z.string().optional(), status: z.int().min(400).max(599).optional() }),
]);

const effectSchema = z
  .strictObject({
    /** Refuse the request with this code before anything is done. */
    error: errorEffect.optional(),
    /** Machines that can still be launched; then InsufficientInstanceCapacity. Terminated ones do not come back. */
    capacity: z.int().min(0).optional(),
    /** The share of the machines launched that run but never become a Node. */
    neverBoots: z.number().min(0).max(1).optional(),
    /** The machines launched are ended by the cloud itself so long after their launch, for this StateReason, whatever protects them. */
    ends: z.strictObject({ after: duration, code: z.string().min(1), message: z.string().min(1) }).optional(),
    /** Do the work at once, answer this much later. */
    slow: duration.optional(),
    /** Do the work, then close the connection without an answer. */
    dropResponse: z.literal(true).optional(),
    /** Do nothing and never answer. */
    hang: z.literal(true).optional(),
    /** Answer without this share of what there is to be listed, the oldest first: 1 is an empty list. */
    omits: z.number().gt(0).max(1).optional(),
    /** Answer what was so long before, beyond the usual delay. */
    stale: duration.optional(),
  })
  .refine((effect) => Object.values(effect).filter((value) => value !== undefined).length === 1, {
    message: 'must have exactly one of error, capacity, neverBoots, ends, slow, dropResponse, hang, omits, stale',
  });

/** One fault: which requests, from when, how often, and what happens to them. */
export const faultSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9._-]+$/, 'must be letters, digits, dots, dashes and underscores'),
  /** Names of operations; all when left out. */
  operations: z.array(z.string()).min(1).optional(),
  /** What the request must be about: one machine of it that fits all of these, and the caller. */
  match: z
    .strictObject({
      caller: z.string().optional(),
      subnet: z.string().optional(),
      instanceType: z.string().optional(),
      tags: z.record(z.string(), z.string()).optional(),
    })
    .prefault({}),
  /** What must have happened before: time since the start, matching requests, machines launched by them. */
  after: z
    .strictObject({
      time: duration.optional(),
      requests: z.int().min(0).optional(),
      machines: z.int().min(0).optional(),
    })
    .prefault({}),
  /** When it is over, after the start of the simulator. */
  until: duration.optional(),
  /** On how many requests (for neverBoots and ends: machines) it acts at most. */
  count: z.int().positive().optional(),
  /** On what share of the matching requests it acts. */
  probability: z.number().min(0).max(1).default(1),
  effect: effectSchema,
});

export type FaultSpec = z.output<typeof faultSchema>;
