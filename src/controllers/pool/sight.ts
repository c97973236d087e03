import type { GenerationPool } from '../../api/v1alpha1/index.ts';
import { type Look, lacksNearlyAll, SHOWN_WITHIN } from '../../domain/absence.ts';
import { poolNameOf, uidsOf } from '../../domain/identity.ts';
import type { Machine, Provider } from '../../providers/provider.ts';
import { BY, type Context } from '../context.ts';
import { machineIdOf, memberKey } from '../nodes.ts';
import type { Instance } from './accounting.ts';
import { REGISTRATION_TIMEOUT } from './census.ts';
import type { PoolInput, Sight } from './input.ts';

/**
 * What the cloud's list by tag lacks is asked for by id, and what it lacks then is weighed: by what else the cloud has to
 * show, and by the Nodes whose kubelets report. All that a pool concludes from an absence rests on this look.
 */

/** Machines of other pools that are asked for by id to find out whether a look is whole: one request. */
const ASKED_BESIDES = 100;

interface Seen {
  /** With the pool's tags, by either question. */
  machines: Machine[];
  sight: Sight;
}

/**
 * @param observed all machines of the cluster, by tag
 * @param isOwn whether a machine's tags are this pool's
 */
export async function sightOf(
  context: Context,
  { pool, generation, now, scaled }: Pick<PoolInput, 'pool' | 'generation' | 'now' | 'scaled'>,
  provider: Pick<Provider, 'find'>,
  observed: readonly Machine[],
  isOwn: (machine: Machine) => boolean,
): Promise<Seen> {
  const shown = new Set(observed.map(({ id }) => id));
  const own = observed.filter(isOwn);
  const byTag = new Set(own.map(({ id }) => id));
  const old = ({ time }: Instance) => now - Date.parse(time) > scaled(SHOWN_WITHIN);
  const counted = pool.status.instances ?? [];
  const lacking = counted.filter((instance) => !byTag.has(instance.id) && old(instance)).map(({ id }) => id);
  const found = lacking.length > 0 ? await provider.find(lacking) : [];
  for (const { id } of found) shown.add(id);
  const machines = [...own, ...found.filter(isOwn)];
  const runs = (id: string) => context.caches.nodes.byIndex(BY.machine, id).some(({ ready }) => ready);
  return {
    machines,
    sight: {
      strays: found.filter((machine) => !isOwn(machine)),
      denied: lacking.filter((id) => !shown.has(id)),
      alive: new Set(counted.filter(({ id }) => !shown.has(id) && runs(id)).map(({ id }) => id)),
      look: lacking.length > 0 ? await lookOf(context, pool, provider, shown, old, runs) : WHOLE,
      unseen: unseenOf(context, pool, generation ? uidsOf(generation) : [], shown),
      nodesLack: nodesLack(context, pool, now, scaled),
    },
  };
}

/** Of a look that lacks nothing nobody has to ask. */
const WHOLE: Look = { known: 0, shown: 0, contradicted: [] };

/** The sight of a pool whose machines are all shown. */
export const NOTHING_LACKS: Sight = {
  strays: [],
  denied: [],
  alive: new Set(),
  look: WHOLE,
  unseen: [],
  nodesLack: false,
};

const poolsOf = ({ caches }: Context, { spec }: GenerationPool): GenerationPool[] =>
  caches.pools.list().filter((other) => other.spec.className === spec.className);

/** How much of what the pools of a class count this look shows. What runs and lacks is asked for by its id first. */
async function lookOf(
  context: Context,
  pool: GenerationPool,
  provider: Pick<Provider, 'find'>,
  shown: Set<string>,
  old: (instance: Instance) => boolean,
  runs: (id: string) => boolean,
): Promise<Look> {
  const all = poolsOf(context, pool).flatMap(({ status }) => (status.instances ?? []).filter(old));
  const contradicting = all.filter(({ id }) => !shown.has(id) && runs(id)).map(({ id }) => id);
  const asked = contradicting.slice(0, ASKED_BESIDES);
  if (asked.length > 0) for (const { id } of await provider.find(asked)) shown.add(id);
  return {
    known: all.length,
    shown: all.filter(({ id }) => shown.has(id)).length,
    contradicted: contradicting.filter((id) => !shown.has(id)),
  };
}

/**
 * Nodes that report with this pool's labels, of machines that nobody knows: the pool has lost its journal, or the cloud
 * shows less than there is. Either way there is more than it seems.
 */
function unseenOf(
  { caches }: Context,
  pool: GenerationPool,
  uids: readonly string[],
  shown: ReadonlySet<string>,
): string[] {
  const counted = new Set((pool.status.instances ?? []).map(({ id }) => id));
  return [...new Set([pool.spec.generationUID, ...uids])]
    .flatMap((uid) => caches.nodes.byIndex(BY.pool, memberKey(uid, poolNameOf(pool))))
    .filter(({ ready, providerID }) => ready && providerID !== '')
    .filter(({ providerID }) => !counted.has(machineIdOf(providerID)) && !shown.has(machineIdOf(providerID)))
    .map(({ name }) => name);
}

/** Asked only where a machine may be taken for one that never registered. */
function nodesLack(context: Context, pool: GenerationPool, now: number, scaled: (ms: number) => number): boolean {
  const suspects = (pool.status.instances ?? []).some(
    ({ time, registeredTime }) => registeredTime === undefined && now - Date.parse(time) > scaled(REGISTRATION_TIMEOUT),
  );
  if (!suspects) return false;
  const registered = poolsOf(context, pool).flatMap(({ status }) =>
    (status.instances ?? []).filter(({ registeredTime }) => registeredTime !== undefined),
  );
  const shown = registered.filter(({ id }) => context.caches.nodes.byIndex(BY.machine, id).length > 0).length;
  return lacksNearlyAll({ known: registered.length, shown });
}
