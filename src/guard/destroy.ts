/**
 * guard/ is what stands between the operator and every destructive act. This file is the interlock: the only code that
 * can delete a guarded object, or terminate or stop a machine (a test keeps it so). In go a request and the reason for it; out
 * comes what was done, or a refusal that says why: telling people, once, is for who has asked. It trusts nobody who calls it:
 * it reads the generation and its platform live before every batch, checks at the cloud whose the machines are and that they
 * never served unknown to Kubernetes, and takes them out of a persisted budget first.
 */
import type { ClusterGeneration, GenerationPool, Platform } from '../api/v1alpha1/index.ts';
import { inconsistencyOf } from '../domain/consistency.ts';
import { isMachineOf, liveTimeAtCloud, uidsOf } from '../domain/identity.ts';
import { momentOf } from '../domain/moment.ts';
import { overrideOf } from '../domain/override.ts';
import { wasEverLive } from '../domain/protection.ts';
import { objectionToRemoval, objectionToStop } from '../domain/removal.ts';
import { clusterGenerations, generationPools, platforms } from '../kinds.ts';
import type { KubeClient } from '../kube/client.ts';
import { deleteObject } from '../kube/delete.ts';
import { find } from '../kube/find.ts';
import { createDestroyer } from '../providers/ec2/destroy.ts';
import { type Destroyer, isThrottled, type Machine, type Provider } from '../providers/provider.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { BATCH, withdraw } from './budget.ts';

/** A cloud goes on showing a machine that it is terminating for this long. Declared ms. */
const CONSISTENCY_WINDOW = 60_000;

/** Oldest renewal of the lease with which this process may still believe that it leads, real ms. */
const LEASE_AGE = 10_000;

export interface InterlockOptions {
  client: KubeClient;
  clock: Clock;
  log: Logger;
  /** UID of the kube-system namespace. */
  cluster: string;
  /** Real ms since this process last renewed its lease; Infinity when it does not lead. */
  leaseAge(): number;
  /** The provider of a GenerationClass, by its name. */
  providerOf(className: string): Promise<Provider>;
  /** How machines of that provider are removed; EC2's unless a test says otherwise. */
  destroyerOf?: (provider: Provider) => Destroyer;
  /** Told of every act and every refusal, for metrics. */
  observer?: {
    destroyed?(what: 'machine' | 'pool', count: number): void;
    stopped?(count: number): void;
    refused?(what: 'machine' | 'pool'): void;
  };
}

export interface TerminationResult {
  /** Ids whose termination the cloud has accepted. */
  terminated: string[];
  /** Why nothing, or not all, was done; a sentence for people. */
  refused?: string;
  /** Real ms after which to ask again for the rest: the budget or the cloud's pace is used up. */
  retryAfter?: number;
}

export interface StopResult extends Omit<TerminationResult, 'terminated'> {
  /** Ids whose stop the cloud has accepted. */
  stopped: string[];
}

export interface Interlock {
  /**
   * Terminates machines of a pool, as many as the pace allows, if the generation is not held.
   * Machines that the cloud does not show with this pool's tags are left alone.
   */
  terminate(pool: GenerationPool, ids: string[], because: string): Promise<TerminationResult>;
  /**
   * Stops machines of a pool, as many as the pace allows, if its generation is a standby that is to be stopped. They stay
   * protected against termination. Machines as above.
   */
  stop(pool: GenerationPool, ids: string[], because: string): Promise<StopResult>;
  /** Deletes a GenerationPool of a generation that is not held; its finalizer then waits for the machines. Returns the refusal, if any. */
  deletePool(pool: GenerationPool): Promise<string | undefined>;
}

export function interlock(options: InterlockOptions): Interlock {
  const { client, clock, cluster, observer, destroyerOf = createDestroyer } = options;
  const log = options.log.child({ part: 'interlock' });

  /** When the cloud accepted an end, or a stop, that it may not show yet: asking again would spend the budget twice. */
  const accepted = { terminate: new Map<string, number>(), stop: new Map<string, number>() };
  const isUnderWay = (act: keyof typeof accepted, { id }: Machine): boolean => {
    for (const [old, time] of accepted[act])
      if (clock.monotonic() - time > clock.scaled(CONSISTENCY_WINDOW)) accepted[act].delete(old);
    return accepted[act].has(id);
  };

  const refuse = (what: 'machine' | 'pool', pool: GenerationPool, why: string): string => {
    observer?.refused?.(what);
    log.debug('Refused to destroy', { what, ...about(pool), why });
    return why;
  };

  /** The generation and its platform as they are now, or why nothing is known of them. */
  const read = async (
    pool: GenerationPool,
  ): Promise<
    { refused: string } | { refused?: never; generation: ClusterGeneration; platform: Platform | undefined }
  > => {
    if (options.leaseAge() > LEASE_AGE) return { refused: 'this process may no longer be the leader' };
    const generation = await find(client, clusterGenerations, pool.spec.generation);
    if (!generation || !uidsOf(generation).includes(pool.spec.generationUID))
      return {
        refused: `ClusterGeneration ${pool.spec.generation} with UID ${pool.spec.generationUID} does not exist any more, so whether it was live cannot be known; a person must look at its machines`,
      };
    return { generation, platform: await find(client, platforms, generation.spec.platform) };
  };

  /** Whether what belongs to a generation may be destroyed now. */
  const admit = async (pool: GenerationPool): Promise<Admission> => {
    const now = await read(pool);
    if (now.refused !== undefined) return now;
    const { generation, platform } = now;
    const moment = momentOf(clock);
    const refused = objectionToRemoval(generation, platform, moment);
    if (refused !== undefined) return { refused };
    return { generation, platform, release: overrideOf(generation, platform, moment)?.release ?? false };
  };

  /** The same for its machines: those of a generation that is released are let go, not terminated. */
  const admitMachines = async (pool: GenerationPool): Promise<Admission> => {
    const admission = await admit(pool);
    if (admission.refused !== undefined || !admission.release) return admission;
    return { refused: `the override of ${pool.spec.generation} says release: its machines are let go, not terminated` };
  };

  /** Whether its machines may be stopped now. */
  const admitStop = async (pool: GenerationPool): Promise<Admission> => {
    const now = await read(pool);
    if (now.refused !== undefined) return now;
    const { generation, platform } = now;
    const moment = momentOf(clock);
    const refused = objectionToStop(generation, platform, moment);
    if (refused !== undefined) return { refused };
    const release = overrideOf(generation, platform, moment)?.release ?? false;
    return release
      ? { refused: `the override of ${pool.spec.generation} says release: its machines are let go, not stopped` }
      : { generation, platform, release };
  };

  const deletePool: Interlock['deletePool'] = async (pool) => {
    const now = await find(client, generationPools, pool.metadata.name);
    if (now?.metadata.uid !== pool.metadata.uid || now.metadata.deletionTimestamp) return undefined;
    const admission = await admit(now);
    if (admission.refused !== undefined) return refuse('pool', now, admission.refused);
    const { name, uid, resourceVersion } = now.metadata;
    await deleteObject(client, generationPools, { name, uid, resourceVersion });
    observer?.destroyed?.('pool', 1);
    log.info('Deleted a pool', { pool: name, generation: now.spec.generation });
    return undefined;
  };

  /** One act on machines: decided on live reads, checked at the cloud, paid for, then done machine by machine. */
  const perform = async (
    pool: GenerationPool,
    ids: string[],
    act: {
      name: keyof typeof accepted;
      admit(pool: GenerationPool): Promise<Admission>;
      applies(machine: Machine): boolean;
      steps(destroyer: Destroyer): Steps;
    },
  ): Promise<{ done: string[]; refused?: string; retryAfter?: number }> => {
    const admission = await act.admit(pool);
    if (admission.refused !== undefined) return { done: [], refused: refuse('machine', pool, admission.refused) };
    const { generation, platform } = admission;
    const destroyer = destroyerOf(await options.providerOf(pool.spec.className));
    const machines = await destroyer.describe(ids);
    const ours = machines.filter(({ tags }) => isMachineOf(pool, cluster, tags, generation.status.formerUIDs));
    const unknown = (platform && inconsistencyOf(platform, [generation], ours)?.message) ?? retagged(generation, ours);
    if (unknown) return { done: [], refused: refuse('machine', pool, unknown) };
    const foreign = machines.filter((machine) => !ours.includes(machine));
    let refused =
      foreign.length > 0
        ? refuse(
            'machine',
            pool,
            `${foreign.map(({ id }) => id).join(', ')} at the cloud do not carry this pool's tags`,
          )
        : undefined;
    const due = ours.filter((machine) => act.applies(machine) && !isUnderWay(act.name, machine));
    const grant = await withdraw(client, clock, admission, due.length);
    const result = await takeDown(act.steps(destroyer), due.slice(0, grant.machines), {
      // Of what ever served, one at a time is without protection.
      batch: wasEverLive(generation) ? 1 : BATCH,
      leaseAge: options.leaseAge,
      objection: async () => (await act.admit(pool)).refused,
    });
    if (result.refused !== undefined) refused = refuse('machine', pool, result.refused);
    for (const id of result.done) accepted[act.name].set(id, clock.monotonic());
    const retryAfter = result.retryAfter ?? grant.retryAfter;
    return {
      done: result.done,
      ...(refused !== undefined && { refused }),
      ...(result.done.length < due.length && retryAfter !== undefined && { retryAfter }),
    };
  };

  const terminate: Interlock['terminate'] = async (pool, ids, because) => {
    const { done, ...rest } = await perform(pool, ids, {
      name: 'terminate',
      admit: admitMachines,
      applies: ({ state }) => state !== 'terminated' && state !== 'shutting-down',
      steps: ({ unprotect, terminate }) => ({ bare: unprotect, end: terminate }),
    });
    if (done.length > 0) {
      observer?.destroyed?.('machine', done.length);
      log.info('Terminated machines', { ...about(pool), because, machines: done });
    }
    return { terminated: done, ...rest };
  };

  const stop: Interlock['stop'] = async (pool, ids, because) => {
    const { done, ...rest } = await perform(pool, ids, {
      name: 'stop',
      admit: admitStop,
      applies: ({ state }) => state === 'running',
      steps: ({ allowStop, stop }) => ({ bare: allowStop, end: stop }),
    });
    if (done.length > 0) {
      observer?.stopped?.(done.length);
      log.info('Stopped machines', { ...about(pool), because, machines: done });
    }
    return { stopped: done, ...rest };
  };

  return { terminate, stop, deletePool };
}

const about = (pool: GenerationPool) => ({ pool: pool.metadata.name, generation: pool.spec.generation });

/** Why these machines cannot be this generation's, whatever their tags say: they served as live, and it never did. */
function retagged(generation: ClusterGeneration, machines: readonly Machine[]): string | undefined {
  if (wasEverLive(generation)) return undefined;
  const served = machines.filter(({ tags }) => liveTimeAtCloud(tags) !== undefined).map(({ id }) => id);
  if (served.length === 0) return undefined;
  const { name } = generation.metadata;
  return `${served.join(', ')} at the cloud say that they became live, and ${name} never did: somebody has changed their tags. Set the tags right: whose they are is in the GenerationPool that lists them`;
}

type Admission =
  | { refused: string }
  | { refused?: never; generation: ClusterGeneration; platform: Platform | undefined; release: boolean };

/** The two halves of an act on a machine: its protection goes, then it does. */
interface Steps {
  bare(id: string): Promise<void>;
  end(ids: string[]): Promise<void>;
}

/**
 * Lifts protection machine by machine, `batch` of them at most, and does to those what is to be done; asks before each
 * batch whether it still may. Stops, without loss, where the cloud says so.
 */
async function takeDown(
  { bare, end }: Steps,
  machines: readonly Machine[],
  about: { batch: number; leaseAge(): number; objection(): Promise<string | undefined> },
): Promise<{ done: string[]; refused?: string; retryAfter?: number }> {
  const done: string[] = [];
  let lifted: string[] = [];
  const flush = async () => {
    if (lifted.length === 0 || about.leaseAge() > LEASE_AGE) return;
    await end(lifted);
    done.push(...lifted);
    lifted = [];
  };
  try {
    for (const { id } of machines) {
      const refused = lifted.length === 0 ? await about.objection() : undefined;
      if (refused !== undefined) return { done, refused };
      if (about.leaseAge() > LEASE_AGE) break;
      await bare(id);
      lifted.push(id);
      if (lifted.length === about.batch) await flush();
    }
    await flush();
  } catch (error) {
    if (!isThrottled(error)) throw error;
    await flush().catch((again: unknown) => {
      if (!isThrottled(again)) throw again;
    });
    return { done, ...(error.retryAfter !== undefined && { retryAfter: error.retryAfter }) };
  }
  return { done };
}
