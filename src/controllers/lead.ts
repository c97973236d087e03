import type { KubeClient } from '../kube/client.ts';
import type { Provider } from '../providers/provider.ts';
import type { Context } from './context.ts';

/**
 * What a process that has slept must not do: move traffic, or start something, in the belief that it still leads. The API
 * server refuses its stale writes by their versions; a value that has come round again, and the cloud, would not.
 */

/** Oldest renewal of the lease with which this process may still write: with the longest write less than its 15 s. Real ms. */
const LEASE_AGE = 8_000;

type Leading = Pick<Context, 'leaseAge'>;

export const leads = ({ leaseAge }: Leading): boolean => leaseAge() <= LEASE_AGE;

/** Throws when this process may no longer be the leader. */
export function assertLeads(context: Leading): void {
  if (!leads(context))
    throw new Error('this process has not renewed its lease for a while and may no longer lead: nothing is moved');
}

/** The client, whose patches ask at the last moment whether this process still leads. */
export const leadingClient = (context: Leading & { client: KubeClient }): KubeClient => ({
  ...context.client,
  patch: async (...args) => {
    assertLeads(context);
    return context.client.patch(...args);
  },
});

/** The provider, whose addresses are moved only while this process leads. */
export const leadingProvider = (context: Leading, provider: Provider): Provider => ({
  ...provider,
  associate: async (...args) => {
    assertLeads(context);
    return provider.associate(...args);
  },
});
