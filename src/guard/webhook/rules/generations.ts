import type { ClusterGeneration, GenerationPool, Platform } from '../../../api/v1alpha1/index.ts';
import type { Moment } from '../../../domain/moment.ts';
import { overrideOf } from '../../../domain/override.ts';
import { allow, type Decision, refuse } from '../review.ts';
import { heldBy, type View } from '../view.ts';
import { expiredOverride } from './override.ts';

/** What is held is the policies' to refuse. Here: what they let pass for an override that is over, and what may surprise. */
export function decideDeletion(generation: ClusterGeneration, view: View, moment: Moment): Decision {
  const { name } = generation.metadata;
  const held = heldBy(generation, view, moment);
  const expired = held && expiredOverride(held, moment);
  if (expired) return refuse(`ClusterGeneration ${name} cannot be deleted: ${expired}`);
  if (held || generation.metadata.deletionTimestamp) return allow();
  return allow(...warningsOf(generation, view.platform(generation.spec.platform), moment));
}

/** A pool goes with its generation; people are refused it anyway, the operator under an override that is over by this. */
export function decidePoolDeletion(pool: GenerationPool, view: View, moment: Moment): Decision {
  const generation = view.generation(pool.spec.generation);
  if (!generation || generation.metadata.uid !== pool.spec.generationUID) return allow();
  const held = heldBy(generation, view, moment);
  const expired = held && expiredOverride(held, moment);
  return expired ? refuse(`GenerationPool ${pool.metadata.name} cannot be deleted: ${expired}`) : allow();
}

function warningsOf(generation: ClusterGeneration, platform: Platform | undefined, moment: Moment): string[] {
  const { name } = generation.metadata;
  const { liveTime, retiredTime, machines } = generation.status;
  const count = machines?.launched ?? 0;
  const override = overrideOf(generation, platform, moment);
  if (override && (liveTime || generation.status.reservedBy) && !retiredTime)
    return [
      override.release
        ? `break-glass: ${name} goes, its ${machinesOf(count)} stay at the cloud, nobody's any more`
        : `break-glass: this terminates the ${machinesOf(count)} of ${name}, ${liveTime ? 'which was live' : 'which a Cutover holds'}`,
    ];
  if (generation.spec.adopt && !retiredTime)
    return count > 0 ? [`${name} has adopted ${machinesOf(count)}: they are let go, none is terminated`] : [];
  if (retiredTime)
    return [
      count > 0
        ? `${name} retired at ${retiredTime} and ${machinesOf(count)} of it are still being removed, at the platform's pace`
        : `this deletes the record of ${name}, live from ${liveTime} and retired at ${retiredTime}`,
    ];
  if (count === 0) return [];
  const live = platform?.status.live;
  return [
    `this deletes ${count} never-live ${count === 1 ? 'machine' : 'machines'} of ${name}; ${live ? `live is ${live.name}` : `nothing is live on ${generation.spec.platform}`}`,
  ];
}

/** Growing surprises nobody; shrinking what never was live is legal and terminates machines. */
export function decideUpdate(before: ClusterGeneration, after: ClusterGeneration): Decision {
  const { name } = before.metadata;
  const { liveTime, retiredTime } = before.status;
  if (liveTime || retiredTime || before.metadata.deletionTimestamp) return allow();
  const warnings: string[] = [];
  for (const pool of before.spec.pools) {
    const now = after.spec.pools.find((other) => other.name === pool.name)?.machines ?? 0;
    if (now < pool.machines)
      warnings.push(
        `this shrinks pool ${pool.name} of ${name} from ${pool.machines} to ${now}: ${machinesOf(pool.machines - now)} too many are terminated`,
      );
  }
  return allow(...warnings);
}

const machinesOf = (count: number): string => (count === 1 ? '1 machine' : `${count} machines`);
