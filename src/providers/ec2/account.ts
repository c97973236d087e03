import type { Provider } from '../provider.ts';
import type { DestroyerClient } from './client.ts';

/**
 * Ties a provider to the client of its account, so that destroy.ts spends the same budgets. Nothing outside this
 * folder may import it (test/providers/fence.test.ts): with a Provider alone nobody can take a machine's life.
 */

const clients = new WeakMap<Provider, DestroyerClient>();

export function remember(provider: Provider, client: DestroyerClient): void {
  clients.set(provider, client);
}

/** Undefined for a provider that is not EC2's. */
export function clientOf(provider: Provider): DestroyerClient | undefined {
  return clients.get(provider);
}
