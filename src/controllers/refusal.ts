import { ApiError, isConflict, isForbidden, isGone, isUnauthorized, isUnreachable } from '../kube/errors.ts';

/**
 * Which errors of the API server people have to see: everything that it has answered and not done. No refusal is a conflict,
 * which is looked at again at once; an expired list, which is listed again; and what also keeps a status from being written:
 * no answer, and credentials that do not count.
 */
export interface Refusal {
  /** For a condition: the API server's own word, or whose word it was. */
  reason: string;
  /** The API server's words, the same each time as long as the cause is. */
  words: string;
  /** What a person can do. */
  remedy: string;
  /** It may be over by the next attempt: the trouble of a server, not its judgement. Only what is refused twice in a row is told. */
  passing: boolean;
}

/** How the message of a condition about a refusal begins. */
export const REFUSES = 'the API server refuses';

/** An effect that the API server has not carried out. `cause` is its ApiError. */
export class NotDone extends Error {
  override readonly name = 'NotDone';
  override readonly cause: ApiError;
  /** What was to be done, for people. */
  readonly what: string;
  constructor(what: string, cause: ApiError) {
    super(`${what}: ${cause.message}`);
    this.what = what;
    this.cause = cause;
  }
}

/** The error of the API server that something else may have wrapped. */
export const causeOf = (error: unknown): unknown => (error instanceof NotDone ? error.cause : error);

/** What people have to be told of an error; undefined of one that is no refusal. */
export function refusalOf(thrown: unknown): Refusal | undefined {
  const error = causeOf(thrown);
  if (!(error instanceof ApiError) || isUnreachable(error) || isUnauthorized(error) || isGone(error)) return undefined;
  const words = stable(error.message);
  // A webhook may answer with any code, that of a conflict too.
  const judged = JUDGEMENTS.find(({ says }) => says.test(words));
  if (judged) return { reason: judged.reason, words, remedy: judged.remedy, passing: false };
  if (isConflict(error)) return undefined;
  if (isForbidden(error)) return { reason: 'Forbidden', words, remedy: ALLOW, passing: false };
  const reason = /^[A-Za-z][A-Za-z0-9]*$/.test(error.reason) ? error.reason : 'Refused';
  return { reason, words, remedy: REMOVE, passing: error.status === 429 || error.status >= 500 };
}

const REMOVE = 'Remove the cause, and it goes on by itself';
const ALLOW = 'Allow it (a role of RBAC, a quota, a policy: whatever it names), and it goes on by itself';

/** Whose word it is, by what Kubernetes writes around it; the first that fits. */
const JUDGEMENTS: { says: RegExp; reason: string; remedy: string }[] = [
  {
    says: /failed calling webhook|failed to call webhook/,
    reason: 'WebhookFails',
    remedy: 'Repair the admission webhook that it names, or delete its configuration, and it goes on by itself',
  },
  {
    says: /admission webhook .* denied the request/,
    reason: 'WebhookDenies',
    remedy: 'Change what the admission webhook refuses, or its rules, and it goes on by itself',
  },
  {
    says: /exceeded quota|failed quota|status unknown for quota/,
    reason: 'QuotaExceeded',
    remedy:
      'Raise the ResourceQuota that it names, delete what it counts, or give what it asks for, and it goes on by itself',
  },
  {
    says: /because it is being terminated/,
    reason: 'NamespaceTerminating',
    remedy: 'The namespace is being deleted: create it anew when it is gone, and it goes on by itself',
  },
];

/**
 * Words without what differs from one attempt to the next: the near end of a connection, the number of a request. A status that
 * has them would be written with each attempt.
 */
export const stable = (words: string): string =>
  words
    .replaceAll(/\b(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]):\d+->/g, '')
    .replaceAll(/\brequest ?-?id\b[:= ]*"?[\w-]+"?/gi, 'request id (left out)');
