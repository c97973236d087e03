import { type Provider, ProviderError } from '../../providers/provider.ts';
import type { Context } from '../context.ts';

/** The provider of a class that a generation or a platform names. Throws ProviderError, also when there is no such class. */
export async function providerOfClass(context: Context, className: string): Promise<Provider> {
  const generationClass = context.caches.classes.get(className);
  if (generationClass) return context.providerOf(generationClass);
  throw new ProviderError(`GenerationClass ${className} does not exist: create it`, {
    reason: 'InvalidTemplate',
    code: 'ClassNotFound',
    refused: true,
  });
}
