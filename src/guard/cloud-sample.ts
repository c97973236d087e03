import { type ClusterGeneration, LABEL, LIVE_TIME_TAG, type Platform } from '../api/v1alpha1/index.ts';
import { freezeOf } from '../domain/freeze.ts';
import { PROBE_INTERVAL } from '../domain/guard.ts';
import { isReleased, liveTimeAtCloud, uidsOf } from '../domain/identity.ts';
import { momentOf } from '../domain/moment.ts';
import { holdOf } from '../domain/protection.ts';
import { clusterGenerations, platforms } from '../kinds.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Recorder } from '../kube/events.ts';
import { find } from '../kube/find.ts';
import { type Machine, type Protection, type Provider, ProviderError } from '../providers/provider.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';

/**
 * Looks, a machine a round, whether the cloud's protection is still on the machines of protected generations. Nobody
 * but the interlock lifts it, and only of what nothing holds any more: a held machine without it means that somebody
 * else did. Then it is put back, people are told, and the other machines of that generation are looked at as well.
 */

/** Oldest list of machines that a round may take its machine from. Declared ms. */
const MAX_AGE = 10_000;

/** Machines looked at in one round once one has been found bare: 20 of the 100 calls that EC2 lets through at once. */
const MOST_AT_ONCE = 10;

export interface SamplerOptions {
  client: Pick<KubeClient, 'get'>;
  clock: Clock;
  log: Logger;
  events: Pick<Recorder, 'record'>;
  /** UID of the kube-system namespace. */
  cluster: string;
  /** The provider of a GenerationClass, by its name. Throws ProviderError. */
  providerOf(className: string): Promise<Provider>;
  /** Told of every machine that was found without protection, for metrics. */
  observer?: { protectionLifted?(platform: string, generation: string): void };
}

/** What a round found. */
export type Sample =
  /** These were looked at, and all are protected. */
  | { outcome: 'Protected'; machines: string[] }
  /** Somebody has lifted the protection of these; `restored` is what has it again. */
  | { outcome: 'Lifted'; machines: string[]; restored: string[] }
  /** Nothing is known: there is no machine to look at, or the cloud has not answered. */
  | { outcome: 'Unknown'; reason: string };

export interface ProtectionSampler {
  /** One round. `generations`: those of the platform; which of them are held is worked out here. */
  sample(platform: Platform, generations: readonly ClusterGeneration[]): Promise<Sample>;
}

/** How far the rounds of a platform are. */
interface Course {
  /** The machine whose turn it was last. */
  last?: string;
  /** Ids to look at besides: their protection could not be put back, or another of their generation had lost its own. */
  suspects: Set<string>;
}

type Candidate = { machine: Machine; generation: ClusterGeneration; provider: Provider };

export function protectionSampler(options: SamplerOptions): ProtectionSampler {
  /** By platform. */
  const courses = new Map<string, Course>();

  return {
    async sample(platform, generations) {
      const course = courses.get(platform.metadata.uid) ?? { suspects: new Set() };
      courses.set(platform.metadata.uid, course);
      const { suspects } = course;
      const seen: string[] = [];
      const lifted: string[] = [];
      const restored: string[] = [];
      try {
        const candidates = await candidatesOf(options, platform, generations);
        for (const id of suspects) if (!candidates.some(({ machine }) => machine.id === id)) suspects.delete(id);
        const turn = turnOf(candidates, course.last, options.clock);
        if (!turn) return { outcome: 'Unknown', reason: 'no protected generation has a machine' };
        course.last = turn.machine.id;
        const others = candidates.filter((candidate) => candidate !== turn && suspects.has(candidate.machine.id));
        for (const candidate of [turn, ...others].slice(0, MOST_AT_ONCE)) {
          const { id } = candidate.machine;
          const protection = await candidate.provider.protection(id);
          seen.push(id);
          if (isWhole(protection, candidate)) {
            suspects.delete(id);
            await completeTag(options, platform, candidate);
            continue;
          }
          const suspected = suspects.has(id);
          suspects.add(id);
          if (!(await isHeldNow(options, candidate, platform))) continue;
          lifted.push(id);
          // Once for all: a machine that is looked at because of another one casts no suspicion of its own.
          if (!suspected)
            for (const { machine, generation } of candidates)
              if (generation === candidate.generation && !seen.includes(machine.id)) suspects.add(machine.id);
          if (!(await putBack(options, platform, candidate, protection))) continue;
          suspects.delete(id);
          restored.push(id);
        }
      } catch (error) {
        // What the cloud does not say is neither protection nor its absence.
        if (!(error instanceof ProviderError)) throw error;
        if (seen.length === 0) return { outcome: 'Unknown', reason: error.message };
      }
      return lifted.length > 0
        ? { outcome: 'Lifted', machines: lifted, restored }
        : { outcome: 'Protected', machines: seen };
    },
  };
}

/**
 * The stop protection of a stopped standby is the interlock's to lift, and the pool controller's to put back. A machine
 * that does not run has nothing to lose by a stop.
 */
const isWhole = ({ termination, stop }: Protection, { machine, generation }: Candidate): boolean =>
  termination &&
  (stop ||
    generation.status.retention?.standby === 'Stopped' ||
    machine.state === 'stopping' ||
    machine.state === 'stopped');

/** Machines of generations that are held now, in the order of their ids. One under an override in force is not held. */
async function candidatesOf(
  { clock, cluster, providerOf }: SamplerOptions,
  platform: Platform,
  generations: readonly ClusterGeneration[],
): Promise<Candidate[]> {
  const held = generations.filter((generation) => holdOf(generation, platform, momentOf(clock)) !== undefined);
  const candidates: Candidate[] = [];
  for (const generation of held) {
    const provider = await providerOf(generation.spec.className ?? platform.spec.className);
    const uids = uidsOf(generation);
    for (const machine of await provider.observe(cluster, clock.scaled(MAX_AGE)))
      if (uids.includes(machine.tags[LABEL.generationUID] ?? '') && isAtWork(machine))
        candidates.push({ machine, generation, provider });
  }
  return candidates.toSorted((a, b) => (a.machine.id < b.machine.id ? -1 : 1));
}

const isAtWork = ({ state, tags }: Machine): boolean =>
  state !== 'shutting-down' && state !== 'terminated' && !isReleased(tags);

/** Round robin in the order of ids. The first round after a start begins somewhere by the clock: leaders may change often. */
function turnOf(candidates: readonly Candidate[], last: string | undefined, clock: Clock): Candidate | undefined {
  if (last !== undefined) return candidates.find(({ machine }) => machine.id > last) ?? candidates[0];
  return candidates[Math.floor(clock.now() / clock.scaled(PROBE_INTERVAL)) % Math.max(1, candidates.length)];
}

/**
 * Read live: by the caches a generation may still be held whose cutover has just retired it, and whose machines the
 * interlock is bringing down at this moment.
 */
async function isHeldNow(
  { client, clock }: SamplerOptions,
  { generation, machine, provider }: Candidate,
  platform: Platform,
): Promise<boolean> {
  const now = await find(client, clusterGenerations, generation.metadata.name);
  if (now?.metadata.uid !== generation.metadata.uid) return false;
  if (!holdOf(now, await find(client, platforms, platform.metadata.name), momentOf(clock))) return false;
  const [found] = await provider.find([machine.id]);
  return found !== undefined && isAtWork(found);
}

/** Tells people, and protects the machine again. False when the cloud did not take it: the next round tries again. */
async function putBack(
  options: SamplerOptions,
  platform: Platform,
  { machine, generation, provider }: Candidate,
  { termination, stop }: Protection,
): Promise<boolean> {
  const { events, log, observer } = options;
  const lost = [...(termination ? [] : ['termination']), ...(stop ? [] : ['stop'])].join(' and ');
  const names = { platform: platform.metadata.name, generation: generation.metadata.name };
  observer?.protectionLifted?.(names.platform, names.generation);
  let outcome = 'It is protected again.';
  let restored = true;
  try {
    await provider.protect(machine.id);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    restored = false;
    outcome = `It could not be protected again yet: ${error.message}`;
  }
  const note = `Somebody lifted the ${lost} protection of ${machine.id} (role ${machine.tags[LABEL.role] ?? 'unknown'}) of ClusterGeneration ${names.generation} at the cloud. ${outcome} Find out who, by the cloud's audit log of ModifyInstanceAttribute, and whether it was meant for another machine`;
  log.warn('Protection lifted by somebody else', { ...names, machine: machine.id, lost, restored });
  for (const regarding of [platform, generation])
    events.record({ regarding, type: 'Warning', reason: 'ProtectionLifted', action: 'Protect', note });
  return restored;
}

/** A machine of the live generation launched since the cutover does not say yet when it became live. A time that is there stays. */
async function completeTag(
  { log }: SamplerOptions,
  platform: Platform,
  { machine, generation, provider }: Candidate,
): Promise<void> {
  const { liveTime } = generation.status;
  if (liveTime === undefined || liveTimeAtCloud(machine.tags) !== undefined) return;
  if (platform.status.live?.uid !== generation.metadata.uid || freezeOf(platform) !== undefined) return;
  await provider.tag([machine.id], { [LIVE_TIME_TAG]: liveTime });
  log.info('Tagged a machine with the time its generation became live', { machine: machine.id, liveTime });
}
