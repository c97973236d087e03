import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { EndpointSlice } from '../../src/kube/resources.ts';
import type { Access } from '../access.ts';
import { website } from './cast.ts';

/**
 * Somebody who keeps looking at the websites' Service from the moment they are live: had it an endpoint ready to answer? A look that
 * fails counts as one without.
 */
export interface WebsiteWatch {
  /** Ends the looking. */
  stop(): Promise<Looks>;
}

export interface Looks {
  /** How often it was looked. */
  total: number;
  /** How often no endpoint was ready. */
  empty: number;
  /** The fewest ready endpoints that were seen. */
  fewest: number;
  /** Real ms during which looks found nothing ready, from the first of them to the next that did. */
  withoutMs: number;
}

/** Real ms between looks. */
export const lookEveryMs = 200;

export function watchWebsites(access: Access): WebsiteWatch {
  const agent = new Agent({ connect: { ca: access.certificateAuthority }, allowH2: false });
  const selector = encodeURIComponent(`kubernetes.io/service-name=${website.name}`);
  const url = `${access.server}/apis/discovery.k8s.io/v1/namespaces/${website.namespace}/endpointslices?labelSelector=${selector}`;
  const looks: Looks = { total: 0, empty: 0, fewest: Number.POSITIVE_INFINITY, withoutMs: 0 };
  const ended = new AbortController();

  const look = async (): Promise<number> => {
    try {
      const { statusCode, body } = await request(url, {
        dispatcher: agent,
        headers: { authorization: `Bearer ${access.tokens.admin}`, accept: 'application/json' },
        signal: AbortSignal.timeout(10_000),
      });
      const text = await body.text();
      return statusCode === 200 ? readyIn((JSON.parse(text) as { items: EndpointSlice[] }).items) : 0;
    } catch {
      return 0;
    }
  };
  const looking = (async () => {
    let emptySince: number | undefined;
    while (!ended.signal.aborted) {
      const ready = await look();
      const now = performance.now();
      looks.total++;
      looks.fewest = Math.min(looks.fewest, ready);
      if (emptySince !== undefined) looks.withoutMs += now - emptySince;
      emptySince = ready === 0 ? now : undefined;
      if (ready === 0) looks.empty++;
      await sleep(lookEveryMs, undefined, { signal: ended.signal }).catch(() => {});
    }
  })();
  return {
    async stop() {
      ended.abort();
      await looking;
      await agent.destroy();
      return looks;
    },
  };
}

/** Endpoints that take traffic: ready, or not said otherwise. */
export const readyIn = (slices: ReadonlyArray<EndpointSlice>): number =>
  slices.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false).length;
