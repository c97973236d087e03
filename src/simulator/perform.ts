import { randomUUID } from 'node:crypto';
import { ec2Actions } from './actions/actions.ts';
import { isOperation, type Operation } from './actions/operations.ts';
import { getServiceQuota, type QuotaAnswer } from './actions/service-quota.ts';
import { summarize } from './actions/summary.ts';
import type { Cloud } from './cloud.ts';
import {
  authFailure,
  dryRun,
  Ec2Error,
  internalError,
  invalidAction,
  missingAuthentication,
  notSimulated,
} from './errors.ts';
import { omitting } from './faults/omission.ts';
import { statusOf } from './faults/status.ts';
import { subjectOf } from './faults/subject.ts';
import type { FaultSpec } from './scenario/fault.ts';
import type { Call } from './state/ledger.ts';
import { flag, type Tree, unflatten } from './wire/parameters.ts';
import type { Answer } from './wire/xml.ts';

/** Who calls: an access key id as the request carries it, or a caller by name for the scenario's people. */
export type Credentials = { accessKeyId: string | undefined } | { name: string };

/** What comes of a request: an answer or an error, and what faults do to its delivery. */
export type Outcome<T> = {
  call: Call;
  result: { answer: T } | { error: Ec2Error };
  delivery: { delayMs: number; drop: boolean; hang: boolean };
};

const PROTOCOL = new Set(['Action', 'Version', 'DryRun']);

/** Answers one request of EC2's query protocol, and notes it in the ledger. Never throws. */
export function performEc2(cloud: Cloud, credentials: Credentials, form: Iterable<[string, string]>): Outcome<Answer> {
  const pairs = [...form];
  const operation = pairs.find(([name]) => name === 'Action')?.[1] ?? '';
  return perform(cloud, credentials, operation, pairs, (request) => {
    if (!isOperation(operation) || operation === 'GetServiceQuota') throw invalidAction(operation);
    const action = ec2Actions[operation];
    const parameters = unflatten(pairs);
    pay(cloud, operation, parameters);
    const unknown = Object.keys(parameters).find((name) => !PROTOCOL.has(name) && !action.parameters.includes(name));
    if (unknown !== undefined) throw notSimulated(operation, unknown);
    if (flag(parameters, 'DryRun')) throw dryRun();
    return omitting(action.run(cloud, { ...request, parameters }), request.faults);
  });
}

/** Answers one request for a service quota, and notes it in the ledger. Never throws. */
export function performQuota(
  cloud: Cloud,
  credentials: Credentials,
  input: Record<string, unknown>,
): Outcome<QuotaAnswer> {
  const pairs = Object.entries(input).map(([name, value]): [string, string] => [name, String(value)]);
  return perform(cloud, credentials, 'GetServiceQuota', pairs, () => {
    cloud.limits.takeRequest('GetServiceQuota', true);
    const answer = getServiceQuota(cloud, input);
    if ('error' in answer) throw new Ec2Error(answer.error, answer.message);
    return answer;
  });
}

function perform<T>(
  cloud: Cloud,
  credentials: Credentials,
  operation: string,
  pairs: [string, string][],
  run: (request: {
    caller: string;
    subject: ReturnType<typeof subjectOf>;
    call: Call;
    now: number;
    faults: readonly FaultSpec[];
  }) => T,
): Outcome<T> {
  cloud.agenda.runDue();
  const now = cloud.clock.now();
  const caller = callerName(cloud, credentials);
  const summary = summarize(pairs);
  const call = cloud.ledger.open({
    time: new Date(now).toISOString(),
    caller: caller ?? 'unknown',
    operation,
    parameters: summary,
    requestId: randomUUID(),
  });
  const subject = subjectOf(cloud, operation, caller ?? 'unknown', summary);
  const faults = caller === undefined ? [] : cloud.faults.onRequest(subject);
  if (faults.length > 0) call.faults = faults.map((fault) => fault.name);
  const delivery = deliveryOf(cloud, faults);
  if (delivery.hang) return { call, result: { error: internalError('left hanging by a fault') }, delivery };
  if (delivery.drop) call.responseLost = true;
  try {
    if (caller === undefined) throw unknownCaller(credentials);
    const injected = faults.find((fault) => fault.effect.error !== undefined)?.effect.error;
    if (injected) {
      const status = injected.status ?? statusOf(injected.code);
      throw new Ec2Error(injected.code, injected.message ?? `${injected.code} (injected by a fault)`, status);
    }
    cloud.behind = cloud.clock.scaled(Math.max(0, ...faults.map(({ effect }) => effect.stale ?? 0)));
    const answer = run({ caller, subject, call, now, faults });
    call.status = 200;
    return { call, result: { answer }, delivery };
  } catch (thrown) {
    const error = thrown instanceof Ec2Error ? thrown : bug(cloud, thrown);
    Object.assign(call, { status: error.status, code: error.code, message: error.message });
    if (error.throttled) {
      call.throttled = error.throttled;
      cloud.ledger.countThrottle(operation, error.throttled);
    }
    return { call, result: { error }, delivery };
  } finally {
    cloud.behind = 0;
  }
}

/** Takes the request's token. A Describe call that names, filters or pages has the larger bucket. */
function pay(cloud: Cloud, operation: Operation, parameters: Tree): void {
  const names = Object.keys(parameters).filter((name) => !PROTOCOL.has(name));
  cloud.limits.takeRequest(operation, names.length > 0);
}

function callerName({ scenario }: Cloud, credentials: Credentials): string | undefined {
  if ('name' in credentials) return credentials.name;
  return scenario.callers.find(({ accessKeyId }) => accessKeyId === credentials.accessKeyId)?.name;
}

function unknownCaller(credentials: Credentials): Ec2Error {
  return 'accessKeyId' in credentials && credentials.accessKeyId === undefined
    ? missingAuthentication()
    : authFailure();
}

function deliveryOf(cloud: Cloud, faults: readonly FaultSpec[]): Outcome<never>['delivery'] {
  const slow = faults.reduce((sum, { effect }) => sum + (effect.slow ?? 0), 0);
  return {
    delayMs: cloud.clock.scaled(slow),
    drop: faults.some(({ effect }) => effect.dropResponse),
    hang: faults.some(({ effect }) => effect.hang),
  };
}

function bug(cloud: Cloud, thrown: unknown): Ec2Error {
  cloud.log.error('the simulated cloud failed on a request', {
    error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
  });
  return internalError('An internal error has occurred');
}
