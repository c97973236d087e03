import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Runnable } from '../../runtime/runnable.ts';
import type { WebhookObserver } from './metrics.ts';
import { answerTo, type Decision, type Review, ReviewError, readReview } from './review.ts';

/** PEM. */
export interface Credentials {
  cert: string;
  key: string;
}

export interface WebhookServerOptions {
  clock: Clock;
  log: Logger;
  /** Default: all addresses. */
  host?: string | undefined;
  /** 0: any free one; `listening` tells which. */
  port: number;
  /** Judges one review. What it throws is answered with 500, and the API server goes on without us. */
  decide(review: Review): Decision | Promise<Decision>;
  /** Why reviews cannot be judged yet, or undefined. Answered with 503. */
  unready?(): string | undefined;
  observer?: WebhookObserver | undefined;
}

export type WebhookServer = Runnable & {
  /** Resolves with the port once the server listens; rejects when it cannot. */
  readonly listening: Promise<number>;
  /** From now on new connections get this certificate; those that are open go on. Before the first, none is accepted. */
  use(credentials: Credentials): void;
};

/** A review holds two objects, of at most 1.5 MiB each in etcd, as JSON. Bytes. */
const LONGEST_BODY = 8 * 2 ** 20;
/** Go's client keeps idle connections for 90 s: whoever closes later never closes one that is just being used. Real ms. */
const KEEP_ALIVE = 120_000;
/** The API server gives up after 2 s; a client that is slower than this is none. Real ms. */
const SLOWEST_REQUEST = 5_000;
/** What is in work at the stop is given this long to be answered. Real ms. */
const LAST_ANSWERS = 3_000;

/** Answers POST /validate with AdmissionReviews. */
export function webhookServer(options: WebhookServerOptions): WebhookServer {
  const { clock, log, host, port, decide, unready, observer } = options;
  const listening = Promise.withResolvers<number>();
  // Whoever does not ask for the port learns of the failure from `start`.
  listening.promise.catch(() => {});
  let stopping = false;

  const reply = (response: ServerResponse, status: number, body: string, type = 'text/plain') => {
    if (stopping) response.setHeader('connection', 'close');
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
  };

  const judge = (body: string, response: ServerResponse) => {
    const started = clock.monotonic();
    const done = (act: string, outcome: string) =>
      observer?.answered(act, outcome, (clock.monotonic() - started) / 1000);
    let review: Review;
    try {
      review = readReview(body);
    } catch (error) {
      done('unknown', 'unreadable');
      return reply(response, 400, `${error instanceof ReviewError ? error.message : error}\n`);
    }
    const { act, uid } = review;
    const answer = (decision: Decision) => {
      reply(response, 200, answerTo(uid, decision), 'application/json');
      done(act.kind, !decision.allowed ? 'refused' : decision.warnings.length > 0 ? 'warned' : 'allowed');
      if (!decision.allowed)
        log.info('Refused', { act: act.kind, user: review.user.username, message: decision.message });
    };
    const fail = (error: unknown) => {
      done(act.kind, 'failed');
      log.error('A review could not be judged', { act: act.kind, uid, error });
      reply(response, 500, 'the review could not be judged: see the log of the operator\n');
    };
    try {
      const decision = decide(review);
      // Most are judged at once; a promise would only cost them a turn.
      if (decision instanceof Promise) decision.then(answer).catch(fail);
      else answer(decision);
    } catch (error) {
      fail(error);
    }
  };

  const receive = (request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? '').split('?', 1)[0];
    if (path !== '/validate') return reply(response, 404, 'not found: reviews go to /validate\n');
    if (request.method !== 'POST') return reply(response, 405, 'reviews are sent by POST\n');
    const wait = unready?.();
    if (wait !== undefined) {
      observer?.answered('unknown', 'not-ready', 0);
      return reply(response, 503, `not ready: ${wait}\n`);
    }
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= LONGEST_BODY) chunks.push(chunk);
      else if (!response.headersSent) {
        observer?.answered('unknown', 'unreadable', 0);
        response.setHeader('connection', 'close');
        reply(response, 413, `a review has at most ${LONGEST_BODY} bytes\n`);
      }
    });
    request.on('end', () => {
      if (length > LONGEST_BODY) return;
      const [first] = chunks;
      judge((chunks.length === 1 && first ? first : Buffer.concat(chunks, length)).toString(), response);
    });
    // A client that hangs up in the middle is owed nothing.
    request.on('error', () => {});
  };

  const server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE,
      headersTimeout: SLOWEST_REQUEST,
      requestTimeout: SLOWEST_REQUEST,
      noDelay: true,
      minVersion: 'TLSv1.2',
    },
    receive,
  );
  server.on('tlsClientError', (error) => log.debug('A connection was refused', { error }));

  return {
    name: 'webhook server',
    listening: listening.promise,
    use: (credentials) => server.setSecureContext({ ...credentials, minVersion: 'TLSv1.2' }),
    async start(signal) {
      try {
        listening.resolve(await listen(server, port, host));
      } catch (error) {
        listening.reject(error);
        throw error;
      }
      log.info('Webhook listens', { port: await listening.promise });
      await aborted(signal);
      stopping = true;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const late = clock.setTimer(LAST_ANSWERS, () => server.closeAllConnections());
      await closed;
      late.cancel();
    },
  };
}

function listen(server: Server, port: number, host: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
