import type { ClusterGeneration, Platform } from '../../api/v1alpha1/index.ts';
import { LABEL } from '../../api/v1alpha1/index.ts';
import { lacksNearlyAll, SHOWN_WITHIN } from '../../domain/absence.ts';
import { isReleased, uidsOf } from '../../domain/identity.ts';
import type { Machine, Provider } from '../../providers/provider.ts';
import type { Member, Problem } from '../../traffic/target.ts';
import { BY, type Context } from '../context.ts';
import { nodeOfMachine } from '../nodes.ts';
import { providerOfClass, troubleWith } from '../provider.ts';

/** The machines of the generation that a cutover goes to: where they are, and which of them can take traffic. */

/** Oldest look at the cloud's machines that a decision may rest on. Declared ms. */
const MAX_AGE = 2_000;

/** The provider of a generation's own class, or of its platform's. Throws ProviderError. */
export const providerFor = (
  context: Context,
  generation: ClusterGeneration,
  platform: Platform | undefined,
): Promise<Provider> => providerOfClass(context, generation.spec.className ?? platform?.spec.className ?? '');

/** Machines of a generation that have not ended, by the cloud's own list; or why that cannot be had. */
export async function machinesOf(
  context: Context,
  generation: ClusterGeneration,
  platform: Platform | undefined,
): Promise<Machine[] | Problem> {
  const { clock, cluster } = context;
  const uids = uidsOf(generation);
  try {
    const provider = await providerFor(context, generation, platform);
    const observed = await provider.observe(cluster, clock.scaled(MAX_AGE));
    const shown = new Set(observed.map(({ id }) => id));
    const instances = instancesOf(context, generation);
    const old = instances.filter(({ time }) => clock.now() - Date.parse(time) > clock.scaled(SHOWN_WITHIN));
    const lacking = old.filter(({ id }) => !shown.has(id));
    const found = lacking.length > 0 ? await provider.find(lacking.map(({ id }) => id)) : [];
    const doubt = doubtOf(context, generation.metadata.name, old, [...observed, ...found]);
    if (doubt) return doubt;
    return [...observed, ...found].filter(
      ({ tags, state }) =>
        uids.includes(tags[LABEL.generationUID] ?? '') &&
        !isReleased(tags) &&
        state !== 'terminated' &&
        state !== 'shutting-down',
    );
  } catch (error) {
    return troubleWith(error);
  }
}

const instancesOf = ({ caches }: Context, generation: ClusterGeneration) => {
  const uids = uidsOf(generation);
  return caches.pools
    .byIndex(BY.generation, generation.metadata.name)
    .filter(({ spec }) => uids.includes(spec.generationUID))
    .flatMap(({ status }) => status.instances ?? []);
};

/**
 * Why machines that cloud or Kubernetes lack are not lost: others say that they run. A cutover would go back for it, or
 * count what it leaves for less than it is.
 */
function doubtOf(
  { caches }: Context,
  generation: string,
  instances: ReturnType<typeof instancesOf>,
  machines: readonly Machine[],
): Problem | undefined {
  const states = new Map(machines.map(({ id, state }) => [id, state]));
  const nodesOf = ({ id }: { id: string }) => caches.nodes.byIndex(BY.machine, id);
  const reporting = instances.filter((one) => !states.has(one.id) && nodesOf(one).some(({ ready }) => ready));
  if (reporting.length > 0)
    return {
      reason: 'MachinesNotShown',
      message: `the cloud shows ${reporting.length} of ${instances.length} machines of ${generation} neither by tags nor by id, and their Nodes are Ready: nothing is concluded from that`,
    };
  const registered = instances.filter(({ id, registeredTime }) => registeredTime && states.get(id) === 'running');
  if (!lacksNearlyAll({ known: registered.length, shown: registered.filter((one) => nodesOf(one).length > 0).length }))
    return undefined;
  return {
    reason: 'NodesNotShown',
    message: `nearly all ${registered.length} Nodes of ${generation} are missing at once, and its machines run at the cloud: nothing is concluded from that`,
  };
}

/** Those of them that run and have registered as a Node. */
export function membersOf({ caches }: Context, generation: ClusterGeneration, machines: readonly Machine[]): Member[] {
  const uids = uidsOf(generation);
  return machines
    .filter(({ state }) => state === 'running')
    .flatMap(({ id, launchTime, tags, providerID }) => {
      const node = nodeOfMachine(caches.nodes.byIndex(BY.providerID, providerID));
      if (!node || !uids.includes(node.labels[LABEL.generationUID] ?? '')) return [];
      return [{ machine: id, launchTime, role: tags[LABEL.role] ?? '', node: node.name, ready: node.ready }];
    });
}
