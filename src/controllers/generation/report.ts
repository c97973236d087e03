import { isDeepStrictEqual } from 'node:util';
import type { ClusterGeneration, GenerationPool, Placement, Refusal } from '../../api/v1alpha1/index.ts';
import {
  ACCOUNTED,
  conditionOf,
  isTrue,
  kstatus,
  timestamp,
  type Verdict,
  withConditions,
} from '../../domain/conditions.ts';
import { isCause } from '../../domain/failures.ts';
import { overrideOf } from '../../domain/override.ts';
import type { Plan } from '../../domain/placement.ts';
import { holdOf } from '../../domain/protection.ts';
import { refusalsNow } from '../../domain/refusals.ts';
import { stageOf } from '../../domain/stage.ts';
import { powerWanted, STANDBY, startEstimate } from '../../domain/standby.ts';
import { ProviderError } from '../../providers/provider.ts';
import type { Objection } from './accept.ts';
import { nowhereElse, vcpusOf } from './capacity.ts';
import type { GenerationInput } from './input.ts';

/** What a generation's status says of it. Nothing is decided here. */

/** The generation's machines, by its pools' own count. */
export function machinesOf({ generation, own }: GenerationInput) {
  const sum = (of: (pool: GenerationPool) => number | undefined) =>
    own.reduce((total, pool) => total + (of(pool) ?? 0), 0);
  return {
    desired: generation.spec.pools.reduce((total, { machines }) => total + machines, 0),
    launched: sum((pool) => pool.status.machines?.launched),
    registered: sum((pool) => pool.status.machines?.registered),
    ready: sum((pool) => pool.status.machines?.ready),
    failed: sum((pool) => pool.status.failures?.find(({ reason }) => reason === 'RegistrationTimeout')?.count),
  };
}

/** Status of a generation that is to exist. */
export function report(
  input: GenerationInput,
  { accepted, plan }: { accepted?: Objection; plan?: Plan | undefined },
): ClusterGeneration['status'] {
  const { generation, capacity, own, now } = input;
  const machines = machinesOf(input);
  const about = { generation: generation.metadata.generation, now };
  const verdicts = [...progress(input, machines, accepted, plan), ...standing(input)];
  const { estimatedReadyTime: before, ...present } = generation.status;
  const estimatedReadyTime = readyTime(input, before);
  const proved = plan?.fits && capacity !== undefined && !(capacity instanceof ProviderError);
  const placement = proved ? plan.placement : undefined;
  const unchanged = isDeepStrictEqual(placement, generation.status.capacity?.placement);
  return {
    ...present,
    ...(estimatedReadyTime !== undefined && { estimatedReadyTime }),
    neverLive: neverLive(input),
    observedGeneration: generation.metadata.generation,
    stage: stageOf(generation, input.platform, { planned: own.length > 0, ...machines }),
    machines,
    ...(proved &&
      placement &&
      !unchanged && {
        capacity: {
          machines: machines.desired,
          vcpus: vcpusOf(generation, capacity),
          placement,
          provedTime: timestamp(now),
        },
      }),
    conditions: withConditions(generation.status.conditions, verdicts, about),
  };
}

/** Pools that are Ready, or not, because their machines were stopped for a rollback. */
const stoppedPools = ({ own }: GenerationInput): GenerationPool[] =>
  own.filter((pool) => Object.values<string | undefined>(STANDBY).includes(conditionOf(pool, 'Ready')?.reason));

/**
 * When the machines of a standby that is being started will be Ready: said once, and again only when it did not come
 * true. Nothing is said of any other generation.
 */
function readyTime(input: GenerationInput, before: string | undefined): string | undefined {
  const { generation, platform, own, now, scaled } = input;
  const { desired, ready } = machinesOf(input);
  const starting =
    powerWanted(generation, platform) === 'Running' &&
    generation.status.retention !== undefined &&
    stoppedPools(input).length > 0;
  if (!starting || (ready >= desired && own.every((pool) => isTrue(pool, 'Ready')))) return undefined;
  if (before !== undefined && Date.parse(before) > now) return before;
  return timestamp(now + scaled(startEstimate(desired - ready)));
}

function progress(
  input: GenerationInput,
  machines: ReturnType<typeof machinesOf>,
  accepted: Objection | undefined,
  plan: Plan | undefined,
): Verdict[] {
  const { capacity, own } = input;
  if (accepted)
    return [
      { type: 'Accepted', status: false, ...accepted },
      { type: 'Ready', status: false, ...accepted },
      ...kstatus('Stalled', accepted.reason, accepted.message),
    ];
  const verdicts: Verdict[] = [{ type: 'Accepted', status: true, reason: 'Accepted', message: '' }];
  if (capacity instanceof ProviderError) {
    const { reason, message } = capacity;
    verdicts.push({ type: 'CapacityProved', status: 'Unknown', reason, message });
    return [...verdicts, { type: 'Ready', status: false, reason, message }, ...kstatus('Reconciling', reason, message)];
  }
  if (plan && !plan.fits) {
    const { reason, message } = plan;
    verdicts.push({ type: 'CapacityProved', status: false, reason, message });
    return [...verdicts, { type: 'Ready', status: false, reason, message }, ...kstatus('Stalled', reason, message)];
  }
  verdicts.push(placedWhere(input, machines.desired, plan?.placement ?? []));
  if (powerWanted(input.generation, input.platform) === 'Stopped') return [...verdicts, ...standbyProgress(input)];
  const done = machines.ready >= machines.desired && own.every((pool) => isTrue(pool, 'Ready'));
  const waiting = own.find((pool) => !isTrue(pool, 'Ready'));
  const trouble = own.flatMap((pool) =>
    (pool.status.failures ?? []).filter(isCause).map((failure) => ({ pool, failure })),
  )[0];
  const starting = stoppedPools(input).length > 0;
  const reason = done ? 'AllReady' : (trouble?.failure.reason ?? (starting ? STANDBY.starting : 'Provisioning'));
  const counts = `${machines.launched} of ${machines.desired} machines launched, ${machines.ready} ready`;
  const message = done
    ? `${machines.ready} machines are ready`
    : trouble
      ? `${counts}; pool ${trouble.pool.metadata.name}: ${trouble.failure.message}`
      : waiting
        ? `${counts}; waiting for pool ${waiting.metadata.name}`
        : counts;
  return [
    ...verdicts,
    { type: 'Provisioned', status: done, reason, message },
    { type: 'Ready', status: done, reason, message },
    ...kstatus(done ? 'Current' : 'Reconciling', reason, message),
  ];
}

/** Whether every machine has a place where the cloud can have it; which subnets are left out, and in whose words. */
function placedWhere(
  { own, generationClass, now }: GenerationInput,
  desired: number,
  placement: readonly Placement[],
): Verdict {
  const say = (pool: GenerationPool, refusals: readonly Refusal[]) =>
    refusals.map(({ subnet, message }) => `${subnet} for pool ${pool.metadata.name}: ${message}`);
  const stuck = own.flatMap((pool) => say(pool, nowhereElse(pool, placement, now)));
  if (stuck.length > 0) {
    const message = `no subnet of GenerationClass ${generationClass?.metadata.name} with room can have all machines. ${stuck.join('; ')}`;
    return { type: 'CapacityProved', status: false, reason: 'SubnetUnsuitable', message };
  }
  const leftOut = own.flatMap((pool) => say(pool, refusalsNow(pool, now)));
  const message = [`${desired} machines have a place`, ...leftOut.map((one) => `left out is ${one}`)].join('; ');
  return { type: 'CapacityProved', status: true, reason: 'Fits', message };
}

/** A stopped standby is as it should be, whatever of it is still being stopped: nothing that anybody waits for is missing. */
function standbyProgress({ generation, own }: GenerationInput): Verdict[] {
  const moving = own.find((pool) => conditionOf(pool, 'Ready')?.reason !== STANDBY.stopped);
  const reason = moving ? STANDBY.stopping : STANDBY.stopped;
  const until = `kept for a rollback until ${generation.status.retention?.until}`;
  const detail = moving && conditionOf(moving, 'Ready')?.message;
  const message = moving
    ? `its machines are being stopped, and ${until}; pool ${moving.metadata.name}: ${detail ?? 'not looked at yet'}`
    : `its machines are stopped, and ${until}`;
  return [
    { type: 'Provisioned', status: true, reason, message },
    { type: 'Ready', status: true, reason, message },
    ...kstatus('Current', reason, message),
  ];
}

/** While it is held: what a person may have meant who tries to delete it. As the platform has it. */
export function neverLive({ generation, platform, ...moment }: GenerationInput): string[] | undefined {
  return holdOf(generation, platform, moment) ? platform?.status.neverLive : undefined;
}

/** What holds whatever else happens: is it live, is it throttled, may it be deleted. */
export function standing({ generation, platform, own, ...moment }: GenerationInput): Verdict[] {
  const { liveTime, retiredTime, retiredBy } = generation.status;
  const live = platform?.status.live?.uid === generation.metadata.uid;
  const throttled = own.find((pool) => pool.status.failures?.some(({ reason }) => reason === 'Throttled'));
  const hold = holdOf(generation, platform, moment);
  const overridden = overrideOf(generation, platform, moment);
  return [
    {
      type: 'Live',
      status: live,
      reason: live ? 'Live' : liveTime ? 'WasLive' : 'NeverLive',
      message: live ? `it is what Platform ${platform?.metadata.name} serves from since ${liveTime}` : '',
    },
    {
      type: 'Retired',
      status: retiredTime !== undefined,
      reason: retiredTime ? 'Retired' : 'NotRetired',
      message: retiredTime ? `retired at ${retiredTime}${retiredBy ? ` by Cutover ${retiredBy.name}` : ''}` : '',
    },
    {
      type: 'Throttled',
      status: throttled !== undefined,
      reason: throttled ? 'Throttled' : 'WithinBudgets',
      message: throttled ? `pool ${throttled.metadata.name} is slowed down by the cloud's rate limits` : '',
    },
    accounted(own),
    hold
      ? { type: 'Deletable', status: false, reason: 'Protected', message: hold }
      : overridden
        ? { type: 'Deletable', status: true, reason: 'Overridden', message: `by two people, until ${overridden.until}` }
        : { type: 'Deletable', status: true, reason: retiredTime ? 'Retired' : 'NeverLive', message: '' },
  ];
}

/** Whether the machines of all its pools are accounted for; the words are the pools' own. */
function accounted(own: readonly GenerationPool[]): Verdict {
  const open = own.flatMap((pool) => {
    const said = conditionOf(pool, ACCOUNTED);
    return said?.status === 'False'
      ? [{ reason: said.reason, message: `pool ${pool.metadata.name}: ${said.message}` }]
      : [];
  });
  const [first] = open;
  if (!first) return { type: ACCOUNTED, status: true, reason: ACCOUNTED, message: '' };
  return {
    type: ACCOUNTED,
    status: false,
    reason: first.reason,
    message: open.map(({ message }) => message).join('. '),
  };
}
