// Codes that EC2 answers with another status than 400.
const STATUSES: Record<string, number> = {
  AuthFailure: 401,
  UnauthorizedOperation: 403,
  DryRunOperation: 412,
  RequestLimitExceeded: 503,
  Unavailable: 503,
  ServiceUnavailable: 503,
  InternalError: 500,
  InternalFailure: 500,
  InsufficientInstanceCapacity: 500,
  InsufficientCapacity: 500,
  InsufficientHostCapacity: 500,
  InsufficientAddressCapacity: 500,
};

/** The HTTP status that goes with one of EC2's error codes. */
export function statusOf(code: string): number {
  return STATUSES[code] ?? 400;
}
