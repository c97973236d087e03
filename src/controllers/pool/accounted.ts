import { type GenerationPool, LABEL } from '../../api/v1alpha1/index.ts';
import { isFull } from '../../domain/absence.ts';
import { ACCOUNTED, type Verdict } from '../../domain/conditions.ts';
import { poolNameOf } from '../../domain/identity.ts';
import { holdOf } from '../../domain/protection.ts';
import type { Machine } from '../../providers/provider.ts';
import type { Instance } from './accounting.ts';
import type { PoolInput } from './input.ts';

/** Ids in a message: more would hide what it says. */
const NAMED = 10;

/**
 * The condition Accounted of a pool. False says which machines are in question, and what people can do about them; the
 * operator does nothing to them meanwhile.
 */
export function accounted(input: PoolInput, instances: readonly Instance[]): Verdict {
  const [first, ...rest] = [untagged(input), unshown(input, instances), surplus(input, instances)].filter(
    (found) => found !== undefined,
  );
  if (!first) return { type: ACCOUNTED, status: true, reason: ACCOUNTED, message: '' };
  const message = [first, ...rest].map((found) => found.message).join('. ');
  return { type: ACCOUNTED, status: false, reason: first.reason, message };
}

interface Found {
  reason: string;
  message: string;
}

function untagged({ pool, sight }: PoolInput): Found | undefined {
  const strays = sight.strays.filter(({ state }) => state !== 'terminated' && state !== 'shutting-down');
  if (strays.length === 0) return undefined;
  const each = strays.map((machine) => `${machine.id} (${lackOf(pool, machine)})`);
  return {
    reason: 'TagsMissing',
    message: `the cloud shows ${named(each)} without this pool's tags, so the operator does not touch them: somebody has changed these. Set the tags again as they are on the pool's other machines, or as the labels of GenerationPool ${pool.metadata.name} say${pool.metadata.deletionTimestamp ? ', or terminate them at the cloud: the pool waits for them' : ''}`,
  };
}

/** The first tags that differ, as they should be. */
function lackOf(pool: GenerationPool, { tags }: Machine): string {
  const wanted = {
    [LABEL.platform]: pool.spec.platform,
    [LABEL.generation]: pool.spec.generation,
    [LABEL.generationUID]: pool.spec.generationUID,
    [LABEL.pool]: poolNameOf(pool),
    [LABEL.role]: pool.spec.role,
  };
  const wrong = Object.entries(wanted).filter(([key, value]) => tags[key] !== value);
  return wrong.length > 0
    ? `lacks ${wrong.map(([key, value]) => `${key}=${value}`).join(', ')}`
    : "lacks this cluster's tag";
}

function unshown({ sight }: PoolInput, instances: readonly Instance[]): Found | undefined {
  const lacking = instances.flatMap(({ id, deniedSince }) => (deniedSince === undefined ? [] : [id]));
  const reason = 'MachinesNotShown';
  if (sight.unseen.length > 0)
    return {
      reason,
      message: `Nodes ${named(sight.unseen)} report with this pool's labels, and the cloud shows no machine of theirs: nothing is launched while more runs than the cloud shows`,
    };
  const denied = new Set(sight.denied);
  const running = [...sight.alive].filter((id) => denied.has(id));
  if (running.length > 0)
    return {
      reason,
      message: `the cloud shows ${named(running)} neither by tags nor by id, and their Nodes are Ready: they count as they are`,
    };
  if (lacking.length === 0) return undefined;
  const why = isFull(sight.look)
    ? 'they count until that has lasted for five minutes'
    : `that proves nothing, as it shows ${sight.look.shown} of all ${sight.look.known} machines that its class has here: they count on. If they are gone for good, bring up others (a new generation, or larger pools): a cloud that shows most of what there is is believed in what it does not show`;
  return { reason, message: `the cloud shows ${named(lacking)} neither by tags nor by id: ${why}` };
}

/** Of a generation that is held; of any other they are ended. */
function surplus(
  { pool, generation, platform, now, scaled }: PoolInput,
  instances: readonly Instance[],
): Found | undefined {
  const hold = generation && !pool.metadata.deletionTimestamp && holdOf(generation, platform, { now, scaled });
  const many = tooMany(pool, instances);
  if (!hold || many <= 0) return undefined;
  const name = poolNameOf(pool);
  return {
    reason: 'Surplus',
    message: `${instances.length} machines are there and ${pool.spec.machines} are wanted. None is ended: ${hold}. Find out where they come from; then set machines: ${instances.length} in pool ${name} of ClusterGeneration ${pool.spec.generation} to keep them, or override its protection by two people: while that is in force, the operator ends ${many} of them, those without a Node and the youngest first`,
  };
}

/** Machines beyond what is wanted. A launch without an answer may be among the instances already: it is waited for. */
export const tooMany = (pool: GenerationPool, instances: readonly Instance[]): number =>
  (pool.status.launches ?? []).length > 0 ? 0 : instances.length - pool.spec.machines;

const named = (ids: readonly string[]): string =>
  ids.length > NAMED ? `${ids.slice(0, NAMED).join(', ')} and ${ids.length - NAMED} more` : ids.join(', ');
