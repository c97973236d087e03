/** The destructive budget as Platform.status.destruction keeps it: machines that could be removed at `time` (ms). */
export interface DestructiveBudget {
  machines: number;
  time: number;
}

/**
 * Takes up to `wanted` machines out of the budget. It holds at most one minute's worth, a new one is empty, and it
 * is persisted before machines are touched: so neither a restart nor a lost answer refills it (S7).
 *
 * @param perMinute machines per minute in real time
 * @returns what may be removed now, the budget to persist first, and when a whole machine is there again (real ms)
 */
export function takeMachines(
  budget: DestructiveBudget | undefined,
  wanted: number,
  perMinute: number,
  now: number,
): { granted: number; budget: DestructiveBudget; retryAfter: number } {
  const perMs = perMinute / 60_000;
  // A clock that went backwards refills nothing.
  const elapsed = budget ? Math.max(0, now - budget.time) : 0;
  const available = Math.min(perMinute, (budget?.machines ?? 0) + elapsed * perMs);
  const granted = Math.min(wanted, Math.floor(available));
  const machines = available - granted;
  return { granted, budget: { machines, time: now }, retryAfter: Math.ceil(Math.max(0, 1 - machines) / perMs) };
}
