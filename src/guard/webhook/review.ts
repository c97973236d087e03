import { z } from 'zod';
import type { ClusterGeneration, GenerationPool, Platform } from '../../api/v1alpha1/index.ts';
import type { Node } from '../../kube/resources.ts';

/** The API server's question, as admission.k8s.io/v1 has it: only what is used is looked at, once. */

const envelope = z.object({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.object({
    uid: z.string().min(1),
    operation: z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']),
    resource: z.object({ group: z.string(), resource: z.string() }),
    subResource: z.string().optional(),
    name: z.string().optional(),
    namespace: z.string().optional(),
    userInfo: z.object({
      username: z.string().default(''),
      extra: z.record(z.string(), z.array(z.string())).optional(),
    }),
    dryRun: z.boolean().optional(),
    object: z.unknown().optional(),
    oldObject: z.unknown().optional(),
  }),
});

const metadata = z.looseObject({
  name: z.string(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});

/** The API server has checked an object against its own schema; this makes sure that it is one of the kind. */
const known = <T>(shape: z.ZodType) =>
  z.custom<T>((value) => shape.safeParse(value).success, 'not an object of its kind');

const withUID = metadata.extend({ uid: z.string() });
const objects = {
  node: known<Node>(z.looseObject({ metadata })),
  generation: known<ClusterGeneration>(
    z.looseObject({
      metadata: withUID,
      spec: z.looseObject({ platform: z.string(), pools: z.array(z.looseObject({ machines: z.number() })) }),
      status: z.looseObject({}),
    }),
  ),
  pool: known<GenerationPool>(z.looseObject({ metadata: withUID, spec: z.looseObject({ generation: z.string() }) })),
  platform: known<Platform>(
    z.looseObject({
      metadata: withUID,
      spec: z.looseObject({
        retention: z.looseObject({ standby: z.string() }),
        destructiveBudget: z.looseObject({ machinesPerMinute: z.number() }),
        blastRadius: z.looseObject({ machines: z.string(), window: z.string() }),
      }),
      status: z.looseObject({}),
    }),
  ),
};

/** What is to be done, to what, by whom. */
export interface Review {
  uid: string;
  dryRun: boolean;
  user: { username: string; extra: Readonly<Record<string, readonly string[]>> };
  act: Act;
}

export type Act =
  | { kind: 'update-node'; before: Node; after: Node }
  | { kind: 'delete-node'; before: Node }
  | { kind: 'evict'; namespace: string; pod: string }
  | { kind: 'update-generation'; before: ClusterGeneration; after: ClusterGeneration }
  | { kind: 'delete-generation'; before: ClusterGeneration }
  | { kind: 'delete-pool'; before: GenerationPool }
  | { kind: 'update-platform'; before: Platform; after: Platform }
  /** Something that nobody has asked us to judge. */
  | { kind: 'other' };

/** The body of a request was no review that can be judged. The message says what is wrong with it, and where. */
export class ReviewError extends Error {
  override readonly name = 'ReviewError';
}

/** Reads a review from the text of a request's body. Throws ReviewError. */
export function readReview(body: string): Review {
  try {
    const { request } = envelope.parse(JSON.parse(body));
    const { uid, dryRun = false, userInfo } = request;
    return { uid, dryRun, user: { username: userInfo.username, extra: userInfo.extra ?? {} }, act: actOf(request) };
  } catch (error) {
    throw new ReviewError(`not an AdmissionReview of admission.k8s.io/v1: ${explain(error)}`, { cause: error });
  }
}

function actOf(request: z.output<typeof envelope>['request']): Act {
  const { operation, resource, subResource = '', object, oldObject, name = '', namespace = '' } = request;
  const what = `${operation} ${resource.group}/${resource.resource}`;
  switch (what) {
    case 'UPDATE /nodes':
      return { kind: 'update-node', before: objects.node.parse(oldObject), after: objects.node.parse(object) };
    case 'DELETE /nodes':
      return { kind: 'delete-node', before: objects.node.parse(oldObject) };
    case 'CREATE /pods':
      return subResource === 'eviction' ? { kind: 'evict', namespace, pod: name } : { kind: 'other' };
    case 'UPDATE generations.dev/clustergenerations':
      return {
        kind: 'update-generation',
        before: objects.generation.parse(oldObject),
        after: objects.generation.parse(object),
      };
    case 'DELETE generations.dev/clustergenerations':
      return { kind: 'delete-generation', before: objects.generation.parse(oldObject) };
    case 'DELETE generations.dev/generationpools':
      return { kind: 'delete-pool', before: objects.pool.parse(oldObject) };
    case 'UPDATE generations.dev/platforms':
      return {
        kind: 'update-platform',
        before: objects.platform.parse(oldObject),
        after: objects.platform.parse(object),
      };
    default:
      return { kind: 'other' };
  }
}

function explain(error: unknown): string {
  if (!(error instanceof z.ZodError)) return error instanceof Error ? error.message : String(error);
  return error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ');
}

/** The API server's longest status message is its own affair; people read this much. */
const LONGEST_MESSAGE = 2_000;

/** The answer to a review, as the text of a response's body. */
export function answerTo(uid: string, decision: Decision): string {
  const { warnings } = decision;
  const refusal = decision.allowed
    ? {}
    : {
        status: {
          code: decision.code,
          reason: decision.code === 429 ? 'TooManyRequests' : 'Forbidden',
          message: decision.message.slice(0, LONGEST_MESSAGE),
        },
      };
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, allowed: decision.allowed, ...refusal, ...(warnings.length > 0 && { warnings }) },
  });
}

/** What is answered. Warnings reach the caller in either case; the API server cuts each after 256 characters. */
export type Decision =
  | {
      allowed: true;
      warnings: string[];
      /** This takes a Node out of service: it counts from now, before the Node shows it. */
      takesOut?: { generationUID: string; node: string };
    }
  | {
      allowed: false;
      /** 429: to be tried again, which drains do by themselves. */
      code: 403 | 429;
      message: string;
      warnings: string[];
    };

export const allow = (...warnings: string[]): Decision => ({ allowed: true, warnings });

/** Refuses for good. */
export const refuse = (message: string): Decision => ({ allowed: false, code: 403, message, warnings: [] });
