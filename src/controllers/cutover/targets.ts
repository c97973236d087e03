import type { Platform, TrafficTarget } from '../../api/v1alpha1/index.ts';
import { elasticIPTarget } from '../../traffic/elastic-ip.ts';
import { serviceTarget } from '../../traffic/service.ts';
import type { TargetKind } from '../../traffic/target.ts';
import { ForeignChange } from '../../traffic/target.ts';
import type { Context } from '../context.ts';
import { providerOfClass } from '../provider.ts';
import type { Effect } from './input.ts';

/** The kind of a traffic target, by the block that it has. Addresses are those of the platform's own class. */
export function targetKind(context: Context, platform: Platform, spec: TrafficTarget): TargetKind {
  if (spec.service) return serviceTarget(context.client);
  return elasticIPTarget(() => providerOfClass(context, platform.spec.className));
}

/** Makes all moves at once, each compared before and seen after; the first problem is thrown when all have settled. */
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
  const failed = settled.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown);
  const first = failed.find((error) => error instanceof ForeignChange) ?? failed[0];
  if (first !== undefined) throw first;
}
