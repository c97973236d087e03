import type { GenerationPool } from '../../api/v1alpha1/index.ts';
import { generationPools } from '../../kinds.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ApiServers } from '../../kube/endpoints.ts';
import { find } from '../../kube/find.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Judgement } from './judge.ts';
import { tryOnce } from './round.ts';

/** Whether the protection of a generation is in force at every API server. */
export type Sight =
  | { seen: true }
  /** `overdue`: it should have been there long ago, and somebody has to look. */
  | { seen: false; waitingFor: string; overdue: boolean };

/**
 * An API server that cannot be asked by itself is taken to know of a write after this time, real ms. One that runs
 * follows etcd within milliseconds; one whose watch has died unnoticed lists again sooner.
 */
export const STATED_WAIT = 10_000;

/** A running API server that has not followed for this long does not enforce the policies. Real ms. */
const OVERDUE = 30_000;

export interface SightOptions {
  client: KubeClient;
  servers: ApiServers;
  clock: Clock;
  log: Logger;
}

/**
 * Tries, as a dry run, to delete a pool of a generation whose protection has been written, at each API server. Throws
 * ApiError. `reservation`: the UID of the cutover that has written it.
 */
export function sight({
  client,
  servers,
  clock,
  log,
}: SightOptions): (pool: GenerationPool, reservation: string) => Promise<Sight> {
  /** When each reservation was first asked about: it was written before that. One given back unseen is never asked about again. */
  const since = new Map<string, number>();

  return async (pool, uid) => {
    const asked = since.get(uid) ?? clock.monotonic();
    since.set(uid, asked);
    const age = clock.monotonic() - asked;
    const notYet = (waitingFor: string): Sight => ({ seen: false, waitingFor, overdue: age > OVERDUE });

    const { servers: found, all } = await servers.list();
    const answers = await Promise.all(
      found.map(async ({ address, client: at }) => ({ address, ...(await tryDeleting(at, client, pool)) })),
    );
    const open = answers.find(({ outcome }) => outcome === 'Hole');
    const act = `the deletion of GenerationPool ${pool.metadata.name}`;
    if (open) return notYet(`the API server at ${open.address} does not refuse ${act} yet`);
    const silent = answers.filter(({ outcome }) => outcome !== 'Denied').map(({ address }) => address);
    if (silent.length === answers.length) {
      const judgement = await tryDeleting(client, client, pool);
      if (judgement.outcome !== 'Denied')
        return notYet(`no API server refuses ${act} by a policy (${reasonOf(judgement)})`);
    }
    if ((silent.length > 0 || !all) && age < STATED_WAIT) {
      const who = silent.length > 0 ? `the API servers at ${silent.join(', ')}` : 'API servers';
      return notYet(`${who} that cannot be asked one by one to follow: ${STATED_WAIT / 1000} s from the protection`);
    }
    since.delete(uid);
    log.info('Protection is in force', { generation: pool.spec.generation, asked: answers.length, silent });
    return { seen: true };
  };
}

/** Reads the pool again when it has changed since it was cached. */
async function tryDeleting(at: KubeClient, client: KubeClient, pool: GenerationPool): Promise<Judgement> {
  const deletion = ({ metadata: { name, uid, resourceVersion } }: GenerationPool) =>
    tryOnce(at, { do: 'delete', resource: generationPools, object: { name, uid, resourceVersion } });
  const first = await deletion(pool);
  if (first.outcome !== 'Skipped' || !first.stale) return first;
  const now = await find(client, generationPools, pool.metadata.name);
  return now?.metadata.uid === pool.metadata.uid ? deletion(now) : first;
}

const reasonOf = (judgement: Judgement): string => ('reason' in judgement ? judgement.reason : judgement.outcome);
