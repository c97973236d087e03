/**
 * guard/ is what stands between the operator and every destructive act. This file is the interlock: the only code that
 * can delete a guarded object or terminate a machine (a test keeps it so). In go a request and the reason for it; out
 * comes what was done, or a refusal that says why. It trusts nobody who calls it: it reads the generation and its
 * platform live before every batch, checks at the cloud whose the machines are and that they never served unknown to
 * Kubernetes, and takes them out of a persisted budget first.
 */
import { type ClusterGeneration, type GenerationPool, LIVE_TIME_TAG, type Platform } from '../api/v1alpha1/index.ts';
import { inconsistencyOf } from '../domain/consistency.ts';
import { freezeOf } from '../domain/freeze.ts';
import { guardTrouble } from '../domain/guard.ts';
import { isMachineOf, uidsOf } from '../domain/identity.ts';
import { momentOf } from '../domain/moment.ts';
import { overrideOf } from '../domain/override.ts';
import { holdOf, wasEverLive } from '../domain/protection.ts';
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
  observer?: { destroyed?(what: 'machine' | 'pool', count: number): void; refused?(what: 'machine' | 'pool'): void };
}

export interface TerminationResult {
  /** Ids whose termination the cloud has accepted. */
  terminated: string[];
  /** Why nothing, or not all, was done; a sentence for people. */
  refused?: string;
  /** Real ms after which to ask again for the rest: the budget or the cloud's pace is used up. */
  retryAfter?: number;
}

export interface Interlock {
  /**
   * Terminates machines of a pool, as many as the pace allows, if the generation is not held.
   * Machines that the cloud does not show with this pool's tags are left alone.
   */
  terminate(pool: GenerationPool, ids: string[], because: string): Promise<TerminationResult>;
  /** Deletes a GenerationPool of a generation that is not held; its finalizer then waits for the machines. Returns the refusal, if any. */
  deletePool(pool: GenerationPool): Promise<string | undefined>;
}

export function interlock(options: InterlockOptions): Interlock {
  const { client, clock, cluster, observer, destroyerOf = createDestroyer } = options;
  const log = options.log.child({ part: 'interlock' });

  /** When the cloud accepted the end of a machine that it may still show: asking again would spend the budget twice. */
  const accepted = new Map<string, number>();
  const isLeaving = ({ id }: Machine): boolean => {
    for (const [old, time] of accepted)
      if (clock.monotonic() - time > clock.scaled(CONSISTENCY_WINDOW)) accepted.delete(old);
    return accepted.has(id);
  };

  const refuse = (what: 'machine' | 'pool', pool: GenerationPool, why: string): string => {
    observer?.refused?.(what);
    log.warn('Refused to destroy', { what, pool: pool.metadata.name, generation: pool.spec.generation, why });
    return why;
  };

  /** The generation and its platform as they are now, or why nothing may be destroyed. */
  const admit = async (pool: GenerationPool): Promise<Admission> => {
    if (options.leaseAge() > LEASE_AGE) return { refused: 'this process may no longer be the leader' };
    const generation = await find(client, clusterGenerations, pool.spec.generation);
    if (!generation || !uidsOf(generation).includes(pool.spec.generationUID))
      return {
        refused: `ClusterGeneration ${pool.spec.generation} with UID ${pool.spec.generationUID} does not exist any more, so whether it was live cannot be known; a person must look at its machines`,
      };
    const platform = await find(client, platforms, generation.spec.platform);
    const moment = momentOf(clock);
    // An override lifts what Kubernetes says; that the cloud says something else, it does not.
    const hold = holdOf(generation, platform, moment) ?? (platform && freezeOf(platform));
    if (hold) return { refused: hold };
    const trouble = platform && wasEverLive(generation) && guardTrouble(platform, moment);
    if (trouble) return { refused: `${trouble}. What was ever live is removed only while the guard is seen to work` };
    return { generation, platform, release: overrideOf(generation, platform, moment)?.release ?? false };
  };

  /** The same for its machines: those of a generation that is released are let go, not terminated. */
  const admitMachines = async (pool: GenerationPool): Promise<Admission> => {
    const admission = await admit(pool);
    if (admission.refused !== undefined || !admission.release) return admission;
    return { refused: `the override of ${pool.spec.generation} says release: its machines are let go, not terminated` };
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

  const terminate: Interlock['terminate'] = async (pool, ids, because) => {
    const admission = await admitMachines(pool);
    if (admission.refused !== undefined) return { terminated: [], refused: refuse('machine', pool, admission.refused) };
    const { generation, platform } = admission;
    const destroyer = destroyerOf(await options.providerOf(pool.spec.className));
    const machines = await destroyer.describe(ids);
    const ours = machines.filter(({ tags }) => isMachineOf(pool, cluster, tags, generation.status.formerUIDs));
    const unknown = (platform && inconsistencyOf(platform, [generation], ours)?.message) ?? retagged(generation, ours);
    if (unknown) return { terminated: [], refused: refuse('machine', pool, unknown) };
    const foreign = machines.filter((machine) => !ours.includes(machine));
    let refused =
      foreign.length > 0
        ? refuse(
            'machine',
            pool,
            `${foreign.map(({ id }) => id).join(', ')} at the cloud do not carry this pool's tags`,
          )
        : undefined;
    const alive = ours.filter(
      (machine) => machine.state !== 'terminated' && machine.state !== 'shutting-down' && !isLeaving(machine),
    );
    const grant = await withdraw(client, clock, admission, alive.length);
    const done = await remove(destroyer, alive.slice(0, grant.machines), {
      // Of what ever served, one at a time is without protection.
      batch: wasEverLive(generation) ? 1 : BATCH,
      leaseAge: options.leaseAge,
      objection: async () => (await admitMachines(pool)).refused,
    });
    if (done.refused !== undefined) refused = refuse('machine', pool, done.refused);
    for (const id of done.terminated) accepted.set(id, clock.monotonic());
    if (done.terminated.length > 0) {
      observer?.destroyed?.('machine', done.terminated.length);
      log.info('Terminated machines', {
        pool: pool.metadata.name,
        generation: pool.spec.generation,
        because,
        machines: done.terminated,
      });
    }
    const retryAfter = done.retryAfter ?? grant.retryAfter;
    return {
      terminated: done.terminated,
      ...(refused !== undefined && { refused }),
      ...(done.terminated.length < alive.length && retryAfter !== undefined && { retryAfter }),
    };
  };

  return { terminate, deletePool };
}

/** Why these machines cannot be this generation's, whatever their tags say: they served as live, and it never did. */
function retagged(generation: ClusterGeneration, machines: readonly Machine[]): string | undefined {
  if (wasEverLive(generation)) return undefined;
  const served = machines.filter(({ tags }) => tags[LIVE_TIME_TAG] !== undefined).map(({ id }) => id);
  if (served.length === 0) return undefined;
  const { name } = generation.metadata;
  return `${served.join(', ')} at the cloud say that they became live, and ${name} never did: somebody has changed their tags. Set the tags right: whose they are is in the GenerationPool that lists them`;
}

type Admission =
  | { refused: string }
  | { refused?: never; generation: ClusterGeneration; platform: Platform | undefined; release: boolean };

/**
 * Lifts protection machine by machine, `batch` of them at most, and terminates what was lifted; asks before each batch
 * whether it still may. Stops, without loss, where the cloud says so.
 */
async function remove(
  destroyer: Destroyer,
  machines: readonly Machine[],
  about: { batch: number; leaseAge(): number; objection(): Promise<string | undefined> },
): Promise<{ terminated: string[]; refused?: string; retryAfter?: number }> {
  const terminated: string[] = [];
  let lifted: string[] = [];
  const flush = async () => {
    if (lifted.length === 0 || about.leaseAge() > LEASE_AGE) return;
    await destroyer.terminate(lifted);
    terminated.push(...lifted);
    lifted = [];
  };
  try {
    for (const { id } of machines) {
      const refused = lifted.length === 0 ? await about.objection() : undefined;
      if (refused !== undefined) return { terminated, refused };
      if (about.leaseAge() > LEASE_AGE) break;
      await destroyer.unprotect(id);
      lifted.push(id);
      if (lifted.length === about.batch) await flush();
    }
    await flush();
  } catch (error) {
    if (!isThrottled(error)) throw error;
    await flush().catch((again: unknown) => {
      if (!isThrottled(again)) throw again;
    });
    return { terminated, ...(error.retryAfter !== undefined && { retryAfter: error.retryAfter }) };
  }
  return { terminated };
}
