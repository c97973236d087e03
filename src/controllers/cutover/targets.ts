import type { Platform, TrafficTarget } from '../../api/v1alpha1/index.ts';
import { isThrottled, ProviderError } from '../../providers/provider.ts';
import { elasticIPTarget } from '../../traffic/elastic-ip.ts';
import { serviceTarget } from '../../traffic/service.ts';
import { ForeignChange, type TargetKind } from '../../traffic/target.ts';
import type { Context } from '../context.ts';
import { leadingClient, leadingProvider } from '../lead.ts';
import { providerOfClass } from '../provider.ts';
import type { Effect } from './input.ts';

/** The kind of a traffic target, by the block that it has. Addresses are those of the platform's own class. */
export function targetKind(context: Context, platform: Platform, spec: TrafficTarget): TargetKind {
  if (spec.service) return serviceTarget(leadingClient(context));
  const provider = async () => leadingProvider(context, await providerOfClass(context, platform.spec.className));
  return elasticIPTarget(provider, addressesOf(platform, spec.role));
}

/** A machine has one address: targets of one role share its machines in the order in which the Platform lists them. */
const addressesOf = ({ spec: { traffic } }: Platform, role: string): string[] =>
  traffic.flatMap((target) => (target.role === role ? (target.elasticIPs?.allocationIDs ?? []) : []));

/**
 * Makes all moves at once, each compared before and seen after. When all have settled it throws the problem that matters
 * most: ForeignChange, a ProviderError that a person has to see to, one that only asks for patience, anything else.
 */
export async function switchAll(
  context: Context,
  platform: Platform | undefined,
  { moves }: Extract<Effect, { do: 'switch' }>,
): Promise<void> {
  const settled = await Promise.allSettled(
    moves.map(async ({ target, from, to }) => {
      const spec = platform?.spec.traffic.find(({ name }) => name === target);
      if (!platform || !spec) throw new ForeignChange(`traffic target ${target} was taken out of the Platform`);
      await targetKind(context, platform, spec).point(spec, from, to);
    }),
  );
  const problems = settled
    .flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []))
    .toSorted((a, b) => weight(a) - weight(b));
  if (problems.length > 0) throw problems[0];
}

function weight(problem: unknown): number {
  if (problem instanceof ForeignChange) return 0;
  if (!(problem instanceof ProviderError)) return 3;
  return isThrottled(problem) ? 2 : 1;
}
