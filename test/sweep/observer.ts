import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { Access } from '../../local/access.ts';

/**
 * Somebody who watches all that a cutover touches, revision by revision, with a client that shares nothing with the operator's. Out
 * comes every change in the order in which etcd took it, over all kinds. A revision that was missed is an error, not a gap.
 */

export interface Observed {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    resourceVersion: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    ownerReferences?: { name: string; kind: string }[];
  };
  // Each check knows which kind it looks at.
  spec?: unknown;
  status?: unknown;
}

export interface Revision {
  /** etcd's revision: comparable over all kinds. */
  number: number;
  plural: Plural;
  /** `namespace/name`, or the name of what has no namespace. */
  key: string;
  /** Undefined: it was deleted. */
  object: Observed | undefined;
}

const PATHS = {
  platforms: '/apis/generations.dev/v1alpha1/platforms',
  clustergenerations: '/apis/generations.dev/v1alpha1/clustergenerations',
  cutovers: '/apis/generations.dev/v1alpha1/cutovers',
  nodes: '/api/v1/nodes',
  services: '/api/v1/services',
  pods: '/api/v1/pods',
  jobs: '/apis/batch/v1/jobs',
  endpointslices: '/apis/discovery.k8s.io/v1/endpointslices',
} as const;

export type Plural = keyof typeof PATHS;

export const PLURALS = Object.keys(PATHS) as Plural[];

export interface Observer {
  /**
   * Waits until everything that has happened by now has been seen, and returns what is new since the last call, in order.
   *
   * @throws Error when a watch has missed something, or is behind for 20 real s
   */
  revisions(): Promise<Revision[]>;
  stop(): Promise<void>;
}

/** Real ms. */
const BEHIND = 20_000;

export const keyOf = ({ metadata: { name, namespace } }: Pick<Observed, 'metadata'>): string =>
  namespace ? `${namespace}/${name}` : name;

/** @param tell told of each revision as it comes, in the order of its kind */
export async function observe(access: Access, tell: (revision: Revision) => void = () => {}): Promise<Observer> {
  const agent = new Agent({ connect: { ca: access.certificateAuthority }, allowH2: false, bodyTimeout: 0 });
  const headers = { authorization: `Bearer ${access.tokens.admin}`, accept: 'application/json' };
  const over = new AbortController();
  const seen: Revision[] = [];
  /** How far each watch has come. */
  const reached = {} as Record<Plural, number>;
  let trouble: Error | undefined;

  const add = (revision: Revision) => {
    seen.push(revision);
    tell(revision);
  };
  const list = async (plural: Plural) => {
    const answer = await request(access.server + PATHS[plural], { dispatcher: agent, headers });
    if (answer.statusCode !== 200) throw new Error(`listing ${plural}: ${answer.statusCode}`);
    const { items, metadata } = (await answer.body.json()) as {
      items: Observed[];
      metadata: { resourceVersion: string };
    };
    return { items, version: Number(metadata.resourceVersion) };
  };
  const take = (plural: Plural, { type, object }: { type: string; object: Observed }) => {
    if (type === 'ERROR') throw new Error(`the watch of ${plural} ended: ${JSON.stringify(object)}`);
    const number = Number(object.metadata.resourceVersion);
    if (type !== 'BOOKMARK')
      add({ number, plural, key: keyOf(object), object: type === 'DELETED' ? undefined : object });
    reached[plural] = number;
  };
  /** One watch until the server ends it: it goes on from where it was. */
  const follow = async (plural: Plural) => {
    const query = `watch=true&allowWatchBookmarks=true&resourceVersion=${reached[plural]}&timeoutSeconds=3600`;
    const { statusCode, body } = await request(`${access.server}${PATHS[plural]}?${query}`, {
      dispatcher: agent,
      headers,
      signal: over.signal,
    });
    if (statusCode !== 200) throw new Error(`watching ${plural}: ${statusCode} ${await body.text()}`);
    let rest = '';
    body.setEncoding('utf8');
    for await (const chunk of body) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(plural, JSON.parse(line));
    }
  };
  const keepFollowing = async (plural: Plural) => {
    while (!over.signal.aborted) {
      try {
        await follow(plural);
      } catch (error) {
        if (over.signal.aborted) return;
        // A connection that breaks loses nothing: the next watch goes on from the last revision, or says that it cannot.
        if (error instanceof Error && /ended:|watching/.test(error.message)) throw error;
        await sleep(100);
      }
    }
  };

  for (const plural of PLURALS) {
    const { items, version } = await list(plural);
    reached[plural] = version;
    for (const object of items)
      add({ number: Number(object.metadata.resourceVersion), plural, key: keyOf(object), object });
  }
  const watches = PLURALS.map((plural) =>
    keepFollowing(plural).catch((error: Error) => {
      trouble ??= error;
    }),
  );
  return {
    async revisions() {
      const deadline = Date.now() + BEHIND;
      for (const plural of PLURALS) {
        const { items } = await list(plural);
        const newest = Math.max(0, ...items.map(({ metadata }) => Number(metadata.resourceVersion)));
        while (reached[plural] < newest && !trouble) {
          if (Date.now() > deadline)
            throw new Error(`the watch of ${plural} is at ${reached[plural]}, not at ${newest}`);
          await sleep(20);
        }
      }
      if (trouble) throw trouble;
      return seen.splice(0).toSorted((a, b) => a.number - b.number);
    },
    async stop() {
      over.abort();
      await Promise.all(watches);
      await agent.destroy();
    },
  };
}
