import { CLUSTER_TAG } from '../../api/v1alpha1/labels.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Provider } from '../provider.ts';
import { shareEach } from '../share.ts';
import { remember } from './account.ts';
import { associate, describeAddresses } from './addresses.ts';
import { capacityOf, ownerOf, typeCatalogue } from './capacity.ts';
import type { DestroyerClient } from './client.ts';
import { checkTemplate, launch, MOST_MACHINES } from './launch.ts';
import { findMachines, observeTagged } from './observe.ts';
import { protect, protectionOf } from './protect.ts';
import { start } from './start.ts';
import { tag } from './tag.ts';

/**
 * ec2/ is the provider for Amazon EC2 and what speaks its API. In go the requests of provider.ts; out come machines,
 * subnets, addresses, and ProviderErrors made in errors.ts. Every call passes client.ts, which paces it, and sdk.ts,
 * which alone knows the AWS SDK. destroy.ts is for guard/destroy.ts.
 */

/** Sets of subnets whose owner is remembered: one for each class of the account, and some to spare. */
const SUBNET_SETS = 64;

/** Clusters of one account whose observations are kept: an operator has one. */
const CLUSTERS = 8;

/** The provider of one account in one region; several classes may share it. */
export function ec2Provider(client: DestroyerClient, clock: Clock): Provider {
  const observe = shareEach(clock, CLUSTERS, (cluster) => observeTagged(client, CLUSTER_TAG, cluster));
  const owner = shareEach(clock, SUBNET_SETS, (key) => ownerOf(client, key.split(',')));
  const typesOf = typeCatalogue(client, clock);
  const provider: Provider = {
    observe,
    find: (ids) => findMachines(client, ids),
    owner: (subnets, maxAge) => owner([...new Set(subnets)].toSorted().join(','), maxAge),
    capacity: capacityOf(client, clock, typesOf),
    affordable: (priority) => Math.min(MOST_MACHINES, client.affordable('RunInstances', priority)),
    launch: (request, priority) => launch(client, request, priority),
    start: (ids, priority) => start(client, ids, priority),
    protect: (id) => protect(client, id),
    protection: (id) => protectionOf(client, id),
    tag: (ids, tags) => tag(client, ids, tags),
    addresses: (allocationIDs) => describeAddresses(client, allocationIDs),
    associate: (allocationID, instanceID) => associate(client, allocationID, instanceID),
    checkTemplate: (template) => checkTemplate(client, typesOf, template),
    budgets: () => client.budgets(),
  };
  remember(provider, client);
  return provider;
}
