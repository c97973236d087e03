import type { GenerationClass } from '../api/v1alpha1/index.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Provider, ProviderError } from './provider.ts';
import type { Providers } from './registry.ts';

/**
 * The providers of classes, each as long as it speaks to the account that its class is known to have. A look at another
 * account would be an empty one, of which nothing could be told: so it is none, and every use of the class fails.
 */

/** Oldest proof of the account that will do. Declared ms; less than any absence takes to count. */
const PROVED_FOR = 60_000;

export function sameAccount(providers: Providers, clock: Pick<Clock, 'scaled'>): Providers {
  /** By class: what this process has seen before its status says it. */
  const seen = new Map<string, { uid: string; account: string }>();
  /** Connections that have answered once whose they are: later, an answer that fails takes nothing back. */
  const proved = new WeakSet<Provider>();

  return {
    ...providers,
    async for(generationClass) {
      const provider = await providers.for(generationClass);
      const { metadata, spec, status } = generationClass;
      const { name, uid } = metadata;
      const known = status.account?.id ?? (seen.get(name)?.uid === uid ? seen.get(name)?.account : undefined);
      const account = await provider
        .owner(
          spec.subnets.map(({ id }) => id),
          clock.scaled(PROVED_FOR),
        )
        .catch((error: unknown) => {
          if (proved.has(provider)) return known;
          throw error;
        });
      if (known === undefined) {
        if (account !== undefined) seen.set(name, { uid, account });
      } else if (account !== known) throw anotherAccount(generationClass, known, account);
      if (account !== undefined) proved.add(provider);
      return provider;
    },
    forget(name) {
      seen.delete(name);
      providers.forget(name);
    },
  };
}

function anotherAccount(
  { metadata, spec }: GenerationClass,
  known: string,
  account: string | undefined,
): ProviderError {
  const { region = '', endpoint, credentialsSecretRef: ref } = spec.ec2 ?? {};
  const credentials = ref ? `Secret ${ref.namespace}/${ref.name}` : "the operator's own credentials";
  const found =
    account === undefined
      ? 'a place that has none of its subnets'
      : `account ${account}, which owns subnets of the same ids`;
  return new ProviderError(
    `GenerationClass ${metadata.name} has its machines in account ${known}, and ${credentials} at ${endpoint ?? `AWS in ${region}`} lead to ${found}. ` +
      'Nothing is observed, launched or ended until they lead back: correct the credentials, or spec.ec2.endpoint. For another account create another GenerationClass.',
    { reason: 'AnotherAccount', code: 'AnotherAccount', refused: true },
  );
}
