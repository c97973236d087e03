import type { Platform, TrafficTarget } from '../../api/v1alpha1/index.ts';
import { ProviderError } from '../../providers/provider.ts';
import { elasticIPTarget } from '../../traffic/elastic-ip.ts';
import { serviceTarget } from '../../traffic/service.ts';
import type { TargetKind } from '../../traffic/target.ts';
import type { Context } from '../context.ts';

/** The kind of a traffic target, by the block that it has. Addresses are those of the platform's own class. */
export function targetKind(context: Context, platform: Platform, spec: TrafficTarget): TargetKind {
  if (spec.service) return serviceTarget(context.client);
  return elasticIPTarget(async () => {
    const { className } = platform.spec;
    const generationClass = context.caches.classes.get(className);
    if (generationClass) return context.providerOf(generationClass);
    throw new ProviderError(`GenerationClass ${className} does not exist: create it`, {
      reason: 'InvalidTemplate',
      code: 'ClassNotFound',
      refused: true,
    });
  });
}
