import type { ApiBudget } from '../api/v1alpha1/index.ts';
import type { BudgetLimits } from '../domain/api-budget.ts';
import type { BucketLimits } from '../domain/token-bucket.ts';

/** From what GenerationClasses declare to the ceilings of an account's budgets. */

/** The limits of several classes on one account: the lowest of each, and the largest reserve. Undefined for none. */
export function lowest(limits: readonly BudgetLimits[]): BudgetLimits | undefined {
  const lower = (a: BucketLimits, b: BucketLimits) => ({
    rate: Math.min(a.rate, b.rate),
    burst: Math.min(a.burst, b.burst),
  });
  const [first, ...others] = limits;
  if (!first) return undefined;
  return others.reduce((one, other) => {
    const resources =
      one.resources && other.resources ? lower(one.resources, other.resources) : (one.resources ?? other.resources);
    return {
      requests: lower(one.requests, other.requests),
      ...(resources && { resources }),
      reserve: Math.max(one.reserve, other.reserve),
      pace: one.pace,
    };
  }, first);
}

/**
 * What a class declares for an operation, over the provider's documented sizes. `rate` makes a declared rate a real
 * one; `reserve` is a percentage as the API has it: "20%".
 */
export function limitsOf(
  declared: ApiBudget | undefined,
  documented: ApiBudget,
  reserve: string,
  rate: (perSecond: number) => number,
): BudgetLimits {
  const { requestsPerSecond, requestBurst, resourcesPerSecond, resourceBurst } = { ...documented, ...declared };
  const limited = resourcesPerSecond !== undefined || resourceBurst !== undefined;
  return {
    requests: { rate: rate(requestsPerSecond), burst: requestBurst },
    ...(limited && {
      resources: {
        rate: rate(resourcesPerSecond ?? resourceBurst ?? 1),
        burst: resourceBurst ?? Math.max(1, Math.ceil(resourcesPerSecond ?? 1)),
      },
    }),
    reserve: Number.parseInt(reserve, 10) / 100,
    pace: rate(1),
  };
}
