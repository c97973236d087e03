/**
 * guard/canary/ proves that the guard works: as the operator itself and always as a dry run it tries one act of each
 * family against the live objects of a platform, and expects a policy of ours to refuse it. In go the platform and what
 * the caches know of it; out comes a round of results, or nothing when the API server has not answered: no news is not
 * good news, an old report is believed for a few minutes only.
 */
import type { GenerationPool } from '../../api/v1alpha1/index.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ApiServers } from '../../kube/endpoints.ts';
import { ApiError } from '../../kube/errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Family } from './probe.ts';
import { type Answers, answersOf, merged, type Result, type Round } from './round.ts';
import { type Sight, sight } from './sight.ts';
import { type Known, known, subjectOf } from './subject.ts';

export interface Canary {
  /** One round at every API server that answers; undefined when none has answered all. */
  probe(known: Known): Promise<Round | undefined>;
  /** Tries to delete a pool of a generation that has just been protected, at each API server. */
  sees(pool: GenerationPool, reservation: string): Promise<Sight>;
  /** What was made of a platform's last round; undefined: the platform is gone. For metrics. */
  judged(platform: string, report: { effective: boolean; lastProbe?: number } | undefined): void;
}

export interface CanaryOptions {
  client: KubeClient;
  /** The operator's own. */
  namespace: string;
  servers: ApiServers;
  clock: Clock;
  log: Logger;
  /** Looks at the protection of the platform's machines at the cloud, once a round. */
  sampleCloud?: (known: Known) => Promise<void>;
  observer?: {
    probed?(family: Family, outcome: Result['outcome']): void;
    judged?(platform: string, report: { effective: boolean; lastProbe?: number } | undefined): void;
  };
}

/** A round whose report could not be written is not run again within this time. Real ms. */
const KEPT = 5_000;

export function canary(options: CanaryOptions): Canary {
  const { client, namespace, servers, clock, observer } = options;
  const log = options.log.child({ part: 'canary' });
  const last = new Map<string, { round: Round; live: string | undefined; at: number }>();
  let turn = 0;
  /** Why nothing is tried any more: a dry run had an effect. */
  let harm: string | undefined;

  const everywhere = async (seen: Known): Promise<Round | undefined> => {
    const now = turn++;
    const subject = await subjectOf(client, namespace, seen, now);
    const again = async () => subjectOf(client, namespace, await known(client, seen, now), now);
    const { servers: found } = await servers.list();
    const ask = async (address: string, at: KubeClient): Promise<[string, Answers]> => [
      address,
      await answersOf(at, subject, again),
    ];
    let answers = await Promise.all(found.map(({ address, client: at }) => ask(address, at)));
    if (answers.every(([, { unanswered }]) => unanswered !== undefined) && !found.some((one) => one.client === client))
      answers = [await ask('the API server', client)];
    for (const [address, { unanswered, effect }] of answers) {
      if (unanswered) log.warn('An API server did not answer all probes', { address, unanswered });
      harm ??= effect;
    }
    if (harm) {
      log.error('A dry run of the canary had an effect: nothing is probed any more', { harm });
      return undefined;
    }
    const whole = answers.filter(([, { unanswered }]) => unanswered === undefined);
    const holed = answers.filter(([, { results }]) => results.some(({ outcome }) => outcome === 'Hole'));
    const counted = new Map([...whole, ...holed].map(([address, { results }]) => [address, results]));
    if (counted.size === 0) return undefined;
    return {
      results: merged(counted),
      time: clock.now(),
      live: subject.live !== undefined,
      overridden: subject.overridden,
    };
  };

  /** Platforms whose machines are being looked at: a cloud that does not answer must not hold up the probes. */
  const looking = new Set<string>();
  const look = (seen: Known): void => {
    const { uid, name } = seen.platform.metadata;
    if (!options.sampleCloud || looking.has(uid)) return;
    looking.add(uid);
    options
      .sampleCloud(seen)
      .catch((error: unknown) => log.warn("The machines' protection could not be looked at", { platform: name, error }))
      .finally(() => looking.delete(uid));
  };

  return {
    async probe(seen) {
      if (harm) return undefined;
      const { uid } = seen.platform.metadata;
      const live = seen.live?.metadata.uid;
      const kept = last.get(uid);
      if (kept && kept.live === live && clock.monotonic() - kept.at < Math.min(KEPT, clock.scaled(KEPT)))
        return kept.round;
      look(seen);
      try {
        const round = await everywhere(seen);
        if (!round) return undefined;
        last.set(uid, { round, live, at: clock.monotonic() });
        for (const { family, outcome } of round.results) observer?.probed?.(family, outcome);
        return round;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        log.warn('The guard could not be probed', { platform: seen.platform.metadata.name, error });
        return undefined;
      }
    },
    sees: sight({ client, servers, clock, log }),
    judged: (platform, report) => observer?.judged?.(platform, report),
  };
}
