/**
 * guard/webhook/ is the second opinion on what CEL cannot see: other objects, the clock, the Node of an evicted pod. In
 * go the API server's reviews, out come an answer and warnings. It runs on every replica, leader or not. When it is
 * down the API server goes on without it, and everything that the policies close stays closed.
 */
import { momentOf } from '../../domain/moment.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Runnable } from '../../runtime/runnable.ts';
import { certificates } from './certificates/controller.ts';
import { decide } from './decide.ts';
import { gather } from './gather.ts';
import type { WebhookObserver } from './metrics.ts';
import type { Decision, Review } from './review.ts';
import { webhookServer } from './server.ts';
import { type Viewed, viewOf } from './view.ts';

export interface WebhookOptions {
  client: KubeClient;
  clock: Clock;
  log: Logger;
  /** Where the operator is installed. */
  namespace: string;
  /** Where to listen. */
  address: { host?: string; port: number };
  caches: Viewed;
  /** Why the caches are not complete, or undefined. */
  unready(): string | undefined;
  observer?: WebhookObserver | undefined;
  /** How often to look after the certificate. Real ms, default 60 000. */
  checkEvery?: number | undefined;
}

/** The Service through which API servers call us. */
const SERVICE = 'generations-webhook';
const NO_FACTS = {};

/** What has to run: the server, and what keeps its certificate. */
export function webhook(options: WebhookOptions): Runnable[] {
  const { client, clock, namespace, address, caches, unready, observer } = options;
  const log = options.log.child({ part: 'webhook' });
  const server = webhookServer({
    clock,
    log,
    ...address,
    unready,
    observer,
    decide: judge({ client, clock, caches }),
  });
  const keeper = certificates({
    client,
    clock,
    log,
    namespace,
    names: namesFor(namespace, address.host),
    checkEvery: options.checkEvery,
    serve(credentials, expiry) {
      server.use(credentials);
      observer?.serving(expiry);
    },
  });
  return [server, keeper];
}

/** Judges reviews by the caches; a promise only where something has to be read live. */
export function judge(options: {
  client: Pick<KubeClient, 'get'>;
  clock: Clock;
  caches: Viewed;
}): (review: Review) => Decision | Promise<Decision> {
  const { client, clock, caches } = options;
  const view = viewOf(caches);
  const record = (review: Review, decision: Decision) => {
    if (decision.allowed && decision.takesOut && !review.dryRun)
      caches.outages.letGo(decision.takesOut.generationUID, decision.takesOut.node, clock.now());
    return decision;
  };
  return (review) => {
    const facts = gather(review, view, client, clock);
    if (!facts) return record(review, decide(review, NO_FACTS, view, momentOf(clock)));
    return facts.then((found) => record(review, decide(review, found, view, momentOf(clock))));
  };
}

/** A local API server cannot reach a Service: it calls the address on which we listen. */
function namesFor(namespace: string, host: string | undefined): string[] {
  const service = `${SERVICE}.${namespace}.svc`;
  return host !== undefined && /^127\.|^localhost$/.test(host) ? [service, '127.0.0.1'] : [service];
}
