import { type Destroyer, type Provider, ProviderError } from '../provider.ts';
import { clientOf } from './account.ts';
import type { DestroyerClient } from './client.ts';
import { MOST_MACHINES } from './launch.ts';
import { findMachines } from './observe.ts';

/**
 * What takes protection and life away from EC2 machines, or stops them. Only guard/destroy.ts imports it, and it decides nothing:
 * whether a machine may go has been decided there, from a live read.
 */

/** The destroyer of the account that `provider` speaks to: same client, same budgets. Throws ProviderError for another kind. */
export function createDestroyer(provider: Provider): Destroyer {
  const client = clientOf(provider);
  if (!client) {
    throw new ProviderError('This provider is not EC2: its machines cannot be removed by ec2/destroy.ts.', {
      reason: 'Unknown',
      code: 'NotEC2',
      refused: true,
    });
  }
  const half = halfLiftedOf(client);
  return {
    describe: (ids) => findMachines(client, ids),
    async unprotect(id) {
      const terms = { priority: 'planned', what: `lifting the protection of ${id}` } as const;
      // One attribute a call is all that EC2 takes. Stop protection first: lifted alone, it lets nobody terminate.
      try {
        if (!half.has(id)) {
          await client.send('ModifyInstanceAttribute', { InstanceId: id, DisableApiStop: { Value: false } }, terms);
          half.add(id);
        }
        await client.send(
          'ModifyInstanceAttribute',
          { InstanceId: id, DisableApiTermination: { Value: false } },
          terms,
        );
        half.delete(id);
      } catch (error) {
        // On its way out already: the cloud's list shows that late.
        if (!(error instanceof ProviderError && error.code === 'IncorrectInstanceState')) throw error;
        half.delete(id);
      }
    },
    async terminate(ids) {
      if (ids.length === 0) return;
      const what = ids.length === 1 ? `machine ${ids[0]}` : `${ids.length} machines, ${ids[0]} and others`;
      if (ids.length > MOST_MACHINES) {
        throw new ProviderError(`At most ${MOST_MACHINES} machines can be terminated at once, not ${ids.length}.`, {
          reason: 'Unknown',
          code: 'TooMany',
          refused: true,
        });
      }
      // A protected machine fails the batch of its zone only: those of other zones have been terminated.
      const terms = { priority: 'planned', what, machines: ids.length, partial: ids.length > 1 } as const;
      await client.send('TerminateInstances', { InstanceIds: ids }, terms);
    },
    async allowStop(id) {
      const terms = { priority: 'planned', what: `lifting the stop protection of ${id}` } as const;
      await client.send('ModifyInstanceAttribute', { InstanceId: id, DisableApiStop: { Value: false } }, terms);
    },
    async stop(ids) {
      if (ids.length === 0) return;
      const what = ids.length === 1 ? `machine ${ids[0]}` : `${ids.length} machines, ${ids[0]} and others`;
      const terms = { priority: 'planned', what, machines: ids.length, partial: ids.length > 1 } as const;
      await client.send('StopInstances', { InstanceIds: ids }, terms);
    },
  };
}

/**
 * By account: machines whose stop protection was lifted while the second call had to wait. Beginning anew each time, an account
 * that lets one call through at a time would never get to the second.
 */
const halfLifted = new WeakMap<DestroyerClient, Set<string>>();

function halfLiftedOf(client: DestroyerClient): Set<string> {
  const known = halfLifted.get(client) ?? new Set();
  halfLifted.set(client, known);
  return known;
}
