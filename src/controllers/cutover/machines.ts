import type { ClusterGeneration, Platform } from '../../api/v1alpha1/index.ts';
import { LABEL } from '../../api/v1alpha1/index.ts';
import { isReleased, uidsOf } from '../../domain/identity.ts';
import type { Machine, Provider } from '../../providers/provider.ts';
import type { Member, Problem } from '../../traffic/target.ts';
import { BY, type Context } from '../context.ts';
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
    const machines = await provider.observe(cluster, clock.scaled(MAX_AGE));
    return machines.filter(
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

/** Those of them that run and have registered as a Node. */
export function membersOf({ caches }: Context, generation: ClusterGeneration, machines: readonly Machine[]): Member[] {
  const uids = uidsOf(generation);
  return machines
    .filter(({ state }) => state === 'running')
    .flatMap(({ id, launchTime, tags, providerID }) => {
      const [node] = caches.nodes.byIndex(BY.providerID, providerID);
      if (!node || !uids.includes(node.labels[LABEL.generationUID] ?? '')) return [];
      return [{ machine: id, launchTime, role: tags[LABEL.role] ?? '', node: node.name, ready: node.ready }];
    });
}
