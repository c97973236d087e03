/** One field that the API server found wrong. */
export type Cause = { reason?: string; message?: string; field?: string };

/** The body of a failed request as the API server sends it. */
export type Status = {
  kind?: string;
  code?: number;
  reason?: string;
  message?: string;
  details?: { name?: string; kind?: string; causes?: Cause[]; retryAfterSeconds?: number };
};

/**
 * A request that the API server refused, or that never got an answer. `status` is the HTTP status, 0 when there was no
 * answer; `reason` is the API server's machine-readable word (`Conflict`, `Invalid`, ...), or `Unreachable`.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly reason: string;
  readonly causes: readonly Cause[];
  readonly retryAfterSeconds?: number;

  constructor(fields: {
    status: number;
    reason: string;
    message: string;
    causes?: readonly Cause[] | undefined;
    retryAfterSeconds?: number | undefined;
    cause?: unknown;
  }) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.status = fields.status;
    this.reason = fields.reason;
    this.causes = fields.causes ?? [];
    if (fields.retryAfterSeconds !== undefined) this.retryAfterSeconds = fields.retryAfterSeconds;
  }
}

const is = (test: (error: ApiError) => boolean) => (error: unknown) => error instanceof ApiError && test(error);

/** The object, the collection or the path does not exist. */
export const isNotFound = is((e) => e.status === 404);
/** The object has changed since it was read, or a uid or resourceVersion precondition does not hold. */
export const isConflict = is((e) => e.status === 409 && e.reason !== 'AlreadyExists');
/** An object of that name exists already. */
export const isAlreadyExists = is((e) => e.status === 409 && e.reason === 'AlreadyExists');
/** RBAC or an admission policy refused it. */
export const isForbidden = is((e) => e.status === 403);
/** The credentials are missing, wrong or expired. */
export const isUnauthorized = is((e) => e.status === 401);
/** The object breaks its schema or a validation rule. `causes` names the fields. */
export const isInvalid = is((e) => e.status === 422);
/** The server could not make sense of the request. */
export const isBadRequest = is((e) => e.status === 400);
/** The resourceVersion or continue token is too old: list again. */
export const isGone = is((e) => e.status === 410);
/** No answer: connection refused, reset, TLS failure, time-out. Whether a write took effect is unknown. */
export const isUnreachable = is((e) => e.status === 0);
/** The server failed or timed out inside. Whether a write took effect is unknown. */
export const isServerError = is((e) => e.status >= 500);

/**
 * The error that an answer stands for. `body` is its text, a Status object or, from a proxy in between, anything.
 * `what` says which request it was, for the message: `get Node node-1`.
 */
export function errorFrom(status: number, body: string, what: string, retryAfter?: string): ApiError {
  const parsed = parseStatus(body);
  const seconds = parsed?.details?.retryAfterSeconds ?? (retryAfter === undefined ? undefined : Number(retryAfter));
  return new ApiError({
    status: parsed?.code && parsed.code >= 400 ? parsed.code : status,
    reason: parsed?.reason || `Http${status}`,
    message: `${what}: ${parsed?.message || `HTTP ${status} ${body.slice(0, 200).trim()}`.trim()}`,
    causes: parsed?.details?.causes,
    retryAfterSeconds: seconds !== undefined && Number.isFinite(seconds) ? seconds : undefined,
  });
}

/** The error for a request that got no answer. The message names the lowest cause: `connect ECONNREFUSED ...`. */
export function unreachable(cause: unknown, what: string): ApiError {
  return new ApiError({
    status: 0,
    reason: 'Unreachable',
    message: `${what}: no answer: ${rootMessage(cause)}`,
    cause,
  });
}

function parseStatus(body: string): Status | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null && (parsed as Status).kind === 'Status'
      ? (parsed as Status)
      : undefined;
  } catch {
    return undefined;
  }
}

function rootMessage(error: unknown): string {
  const { message, name, cause, errors } = (error ?? {}) as Partial<AggregateError>;
  if (errors && errors.length > 0) return rootMessage(errors[0]);
  if (cause) return rootMessage(cause);
  return message || name || String(error);
}
