import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { EndpointSlice } from '../../src/kube/resources.ts';
import type { Access } from '../access.ts';
import { website } from './cast.ts';

/**
 * Somebody who keeps looking at the websites' Service from the moment they are live: which of its endpoints are ready, and on which
 * Nodes? Whether the machines of these Nodes were really there is for the cloud's ledger to say.
 */
export interface WebsiteWatch {
  /** Ends the looking. `unanswered`: how often the API server said nothing, which says nothing of the websites. */
  stop(): Promise<{ looks: Look[]; unanswered: number }>;
}

export interface Look {
  /** Real ms since the epoch. */
  at: number;
  /** A Node for each endpoint that was ready. */
  nodes: ReadonlyArray<string>;
}

/** Real ms between looks. */
const everyMs = 200;

export function watchWebsites(access: Access): WebsiteWatch {
  const agent = new Agent({ connect: { ca: access.certificateAuthority }, allowH2: false });
  const selector = encodeURIComponent(`kubernetes.io/service-name=${website.name}`);
  const url = `${access.server}/apis/discovery.k8s.io/v1/namespaces/${website.namespace}/endpointslices?labelSelector=${selector}`;
  const looks: Look[] = [];
  let unanswered = 0;
  const ended = new AbortController();

  const look = async (): Promise<string[] | undefined> => {
    try {
      const { statusCode, body } = await request(url, {
        dispatcher: agent,
        headers: { authorization: `Bearer ${access.tokens.admin}`, accept: 'application/json' },
        signal: AbortSignal.timeout(10_000),
      });
      const text = await body.text();
      return statusCode === 200 ? readyNodes((JSON.parse(text) as { items: EndpointSlice[] }).items) : undefined;
    } catch {
      return undefined;
    }
  };
  const looking = (async () => {
    while (!ended.signal.aborted) {
      const nodes = await look();
      if (nodes) looks.push({ at: Date.now(), nodes });
      else unanswered++;
      await sleep(everyMs, undefined, { signal: ended.signal }).catch(() => {});
    }
  })();
  return {
    async stop() {
      ended.abort();
      await looking;
      await agent.destroy();
      return { looks, unanswered };
    },
  };
}

/** Nodes of the endpoints that take traffic: ready, or not said otherwise. */
export const readyNodes = (slices: ReadonlyArray<EndpointSlice>): string[] =>
  slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .map(({ nodeName }) => nodeName ?? '');
