import type { Cloud } from '../cloud.ts';
import type { AddressChange, Call, MachineRecord, Throttles } from '../state/ledger.ts';

/** The answer of GET /ledger. */
export type LedgerView = {
  startedAt: string;
  now: string;
  timeScale: number;
  /** Seq of the last call in `calls`, or `since` when there is none; what the next `since` should be. */
  last: number;
  /** True when `limit` cut the list short. */
  more: boolean;
  calls: Call[];
  machines: MachineRecord[];
  throttled: Throttles;
  addresses: { allocationId: string; publicIp: string; history: AddressChange[] }[];
};

/**
 * Everything that happened. `?since=N` leaves out calls up to seq N, `?limit=N` the calls after the N first of
 * those, `?machines=false` the machines.
 */
export function ledgerView(cloud: Cloud, query: URLSearchParams): LedgerView {
  const { ledger, clock, startedAt } = cloud;
  const since = whole(query.get('since')) ?? 0;
  const limit = whole(query.get('limit')) ?? Number.POSITIVE_INFINITY;
  const calls = ledger.calls.slice(since, since + limit);
  return {
    startedAt: new Date(startedAt).toISOString(),
    now: new Date(clock.now()).toISOString(),
    timeScale: clock.scale,
    last: calls.at(-1)?.seq ?? since,
    more: since + calls.length < ledger.calls.length,
    calls,
    machines: query.get('machines') === 'false' ? [] : [...ledger.machines.values()],
    throttled: ledger.throttled,
    addresses: [...ledger.addresses].map(([allocationId, address]) => ({ allocationId, ...address })),
  };
}

function whole(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
