import { type Provider, ProviderError } from '../providers/provider.ts';
import type { Context } from './context.ts';

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

/** The same trouble for a condition. What is no ProviderError is thrown on. */
export function troubleWith(error: unknown): { reason: string; message: string } {
  if (!(error instanceof ProviderError)) throw error;
  return { reason: error.code === 'ClassNotFound' ? error.code : error.reason, message: error.message };
}
