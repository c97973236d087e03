import {
  type ClusterGeneration,
  type GenerationPool,
  LABEL,
  type Platform,
  type TrafficTarget,
} from '../../api/v1alpha1/index.ts';
import { lacksNearlyAll, SHOWN_WITHIN } from '../../domain/absence.ts';
import { freezeOf } from '../../domain/freeze.ts';
import { find } from '../../kube/find.ts';
import { services } from '../../kube/resources.ts';
import { type Machine, ProviderError } from '../../providers/provider.ts';
import type { Context } from '../context.ts';
import { machineIdOf } from '../nodes.ts';
import { providerOfClass, troubleWith } from '../provider.ts';
import type { CloudView, Witness } from './input.ts';

/**
 * All machines of this cluster in the accounts where the platform may have some: of its own class, and of those that
 * its generations and pools name.
 *
 * @param maxAge oldest answer that will do, real ms
 */
export async function lookAtCloud(
  context: Context,
  platform: Platform,
  generations: readonly ClusterGeneration[],
  maxAge: number,
): Promise<CloudView> {
  const pools = context.caches.pools.list().filter(({ spec }) => spec.platform === platform.metadata.name);
  const classes = new Set(
    [platform, ...generations, ...pools].flatMap(({ spec }) => (spec.className ? [spec.className] : [])),
  );
  const machines = new Map<string, Machine>();
  let trouble: CloudView['trouble'];
  for (const name of classes) {
    try {
      const provider = await providerOfClass(context, name);
      for (const machine of await provider.observe(context.cluster, maxAge)) machines.set(machine.id, machine);
    } catch (error) {
      trouble = troubleWith(error);
    }
  }
  trouble ??= doubtOf(context, platform, pools, machines);
  return { machines: [...machines.values()], ...(trouble && { trouble }) };
}

/**
 * Why what the cloud does not show proves nothing: it lacks nearly all that the platform's pools count. And while the two
 * sides disagree, or have never been compared, it may not lack a single machine whose Node reports: agreement lets things
 * go on.
 */
function doubtOf(
  { caches, clock }: Context,
  platform: Platform,
  pools: readonly GenerationPool[],
  machines: ReadonlyMap<string, Machine>,
): CloudView['trouble'] {
  const { name } = platform.metadata;
  const counted = pools
    .flatMap(({ status }) => status.instances ?? [])
    .filter(({ time }) => clock.now() - Date.parse(time) > clock.scaled(SHOWN_WITHIN));
  const shown = counted.filter(({ id }) => machines.has(id)).length;
  const reason = 'MachinesNotShown';
  if (lacksNearlyAll({ known: counted.length, shown }))
    return { reason, message: `the cloud shows ${shown} of the ${counted.length} machines of Platform ${name}` };
  if (platform.status.protected !== undefined && freezeOf(platform) === undefined) return undefined;
  const reporting = caches.nodes
    .list()
    .filter(({ ready, providerID, labels }) => ready && providerID !== '' && labels[LABEL.platform] === name)
    .filter(({ providerID }) => !machines.has(machineIdOf(providerID)));
  if (reporting.length === 0) return undefined;
  const names = reporting.slice(0, 5).map((node) => node.name);
  return {
    reason,
    message: `the cloud does not show the machines of ${reporting.length} Ready Nodes of Platform ${name}: ${names.join(', ')}`,
  };
}

/** Where the platform's traffic goes now, target by target. A target that cannot be read testifies for nobody. */
export async function witnesses(context: Context, platform: Platform, { machines }: CloudView): Promise<Witness[]> {
  const uids = new Map(machines.map(({ id, tags }) => [id, tags[LABEL.generationUID]]));
  return Promise.all(
    platform.spec.traffic.map(async (target) =>
      target.service
        ? serviceWitness(context, platform, target, target.service)
        : addressWitness(context, platform, target, uids),
    ),
  );
}

async function serviceWitness(
  { client }: Context,
  platform: Platform,
  { name: target }: TrafficTarget,
  { namespace, name }: { namespace: string; name: string },
): Promise<Witness> {
  const selector = (await find(client, services, name, { namespace }))?.spec?.selector ?? {};
  return { target, name: selector[LABEL.platform] === platform.metadata.name ? selector[LABEL.generation] : undefined };
}

/** All addresses must point at machines of one generation. */
async function addressWitness(
  context: Context,
  platform: Platform,
  { name: target, elasticIPs }: TrafficTarget,
  uids: ReadonlyMap<string, string | undefined>,
): Promise<Witness> {
  try {
    const provider = await providerOfClass(context, platform.spec.className);
    const ids = elasticIPs?.allocationIDs ?? [];
    const addresses = await provider.addresses(ids);
    const found = new Set(addresses.map(({ instanceID }) => uids.get(instanceID ?? '')));
    const [uid] = found;
    return { target, uid: found.size === 1 && addresses.length === ids.length ? uid : undefined };
  } catch (error) {
    if (error instanceof ProviderError) return { target };
    throw error;
  }
}
