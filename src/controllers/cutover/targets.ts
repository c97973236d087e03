import type { Platform, TrafficTarget } from '../../api/v1alpha1/index.ts';
import { elasticIPTarget } from '../../traffic/elastic-ip.ts';
import { serviceTarget } from '../../traffic/service.ts';
import type { TargetKind } from '../../traffic/target.ts';
import type { Context } from '../context.ts';
import { providerOfClass } from '../provider.ts';

/** The kind of a traffic target, by the block that it has. Addresses are those of the platform's own class. */
export function targetKind(context: Context, platform: Platform, spec: TrafficTarget): TargetKind {
  if (spec.service) return serviceTarget(context.client);
  return elasticIPTarget(() => providerOfClass(context, platform.spec.className));
}
