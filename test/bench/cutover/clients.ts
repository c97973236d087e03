import type { EndpointSlice, Node } from '../../../src/kube/resources.ts';
import { isReady } from '../../../src/kube/resources.ts';
import type { Revision } from '../../sweep/observer.ts';

/**
 * A client for each target. As a kube-proxy does, all share one picture of EndpointSlices and Nodes that a watch keeps up to date; each
 * looks every 10 ms whether there is a ready endpoint on a machine that is there.
 */
export interface Clients {
  /** Keeps the picture up to date. */
  take(revision: Revision): void;
  /** Begins to look. */
  start(): void;
  stop(): void;
  /** What was seen so far. */
  looks(): Readonly<Looks>;
}

export interface Looks {
  count: number;
  /** How often a target had nobody behind it. */
  missed: Record<string, number>;
  /** Longest time between two looks at one target, real ms: a gap as long could have gone unseen. */
  longestPause: number;
}

/** Real ms. */
const EVERY = 10;

export function clients(targets: readonly string[], now = () => performance.now()): Clients {
  const slices = new Map<string, EndpointSlice>();
  const nodes = new Map<string, boolean>();
  const timers: NodeJS.Timeout[] = [];
  const looks: Looks = { count: 0, missed: {}, longestPause: 0 };
  const last = new Map<string, number>();

  const look = (target: string) => {
    const at = now();
    looks.longestPause = Math.max(looks.longestPause, at - (last.get(target) ?? at));
    last.set(target, at);
    looks.count += 1;
    const served = [...slices.values()].some(
      ({ metadata, endpoints }) =>
        metadata.labels?.['kubernetes.io/service-name'] === target &&
        (endpoints ?? []).some(
          ({ conditions, nodeName }) => conditions?.ready !== false && nodes.get(nodeName ?? '') === true,
        ),
    );
    if (!served) looks.missed[target] = (looks.missed[target] ?? 0) + 1;
  };
  return {
    take({ plural, key, object }) {
      if (plural === 'endpointslices') {
        if (object) slices.set(key, object as unknown as EndpointSlice);
        else slices.delete(key);
      }
      if (plural === 'nodes')
        nodes.set(
          key,
          object !== undefined && !object.metadata.deletionTimestamp && isReady(object as unknown as Node),
        );
    },
    start() {
      for (const target of targets) timers.push(setInterval(() => look(target), EVERY));
    },
    stop() {
      for (const timer of timers.splice(0)) clearInterval(timer);
      last.clear();
    },
    looks: () => looks,
  };
}
