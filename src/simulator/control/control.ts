/**
 * control/ is the side door for whoever judges or disturbs: the ledger of everything that happened, the state now,
 * and faults added or removed while the cloud runs. Plain HTTP and JSON, no signature.
 */
import type { Cloud } from '../cloud.ts';
import { faultSchema } from '../scenario/fault.ts';
import { firstProblem } from '../scenario/load.ts';
import { ledgerView } from './ledger.ts';
import { stateView } from './state.ts';

/** An answer: an HTTP status and what to send as JSON. */
export type ControlAnswer = { status: number; body: unknown };

/** Answers a request to any path but `/`. */
export function control(cloud: Cloud, method: string, url: URL, body: string): ControlAnswer {
  cloud.agenda.runDue();
  const [, first = '', second = ''] = url.pathname.split('/').map(decode);
  switch (`${method} /${first}`) {
    case 'GET /healthz':
      return { status: 200, body: { ok: true } };
    case 'GET /ledger':
      return { status: 200, body: ledgerView(cloud, url.searchParams) };
    case 'GET /state':
      return { status: 200, body: stateView(cloud) };
    case 'GET /faults':
      return { status: 200, body: { faults: cloud.faults.list } };
    case 'POST /faults':
      return addFault(cloud, body);
    case 'DELETE /faults':
      return cloud.faults.remove(second)
        ? { status: 200, body: { removed: second } }
        : refusal(404, `there is no fault named ${second}`);
    default:
      return refusal(
        404,
        `${method} ${url.pathname} is none of GET /ledger, /state, /faults, /healthz, POST /faults, DELETE /faults/<name>`,
      );
  }
}

function addFault(cloud: Cloud, body: string): ControlAnswer {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return refusal(400, 'the body is not JSON');
  }
  const parsed = faultSchema.safeParse(value);
  if (!parsed.success) return refusal(400, firstProblem(parsed.error));
  cloud.faults.add(parsed.data);
  return { status: 201, body: parsed.data };
}

function refusal(status: number, error: string): ControlAnswer {
  return { status, body: { error } };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
