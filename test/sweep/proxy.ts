import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  Agent as PlainAgent,
  request as plainRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Arrival, type Change, changeOf, describedIn } from './writes.ts';

/**
 * A proxy between the operator and everything that it can change: the API server and the cloud. In go its requests, over plain HTTP on
 * loopback; out they go as they are, those that change something numbered and noted, and at one number that it is told the operator
 * is killed: before the change is passed on, or after it was made and before anybody hears of it. Watches stream through.
 */

/** A change, and what came of it. */
export interface Write extends Change {
  /** From 1 since counting last began; 0 while it is not counted, or of something that does not count. */
  number: number;
  /** Its place among all requests. */
  arrived: number;
  /** Likewise, when the answer was there; absent when it was never passed on or not answered. */
  answered?: number;
  /** HTTP status of the answer. */
  status?: number;
  /** Ids of the change's machines that were described since the operator last started, with the place of that look. */
  looked: Record<string, number>;
}

/** Where the operator shall die. */
export interface Kill {
  number: number;
  when: 'before' | 'after';
  /** Must have ended the operator when it returns. */
  kill(): void;
}

/** Where something else shall happen: the write is held until it has, then passed on. */
export interface Happening {
  number: number;
  when: 'quota' | 'empty';
  act(): Promise<void>;
}

export interface NumberingProxy {
  /** `http://127.0.0.1:<port>` in front of the API server. */
  readonly apiServer: string;
  /** The same in front of the cloud. */
  readonly cloud: string;
  /** Every change since the start, in the order of arrival. */
  readonly writes: readonly Write[];
  /** Starts counting from 1, of changes that `counts` is true for; what is to be at `point` is once. */
  count(counts: (change: Change) => boolean, point?: Kill | Happening): void;
  /** The write at which the operator was killed, or something else happened, since counting last began. */
  killedAt(): Write | undefined;
  /** Ends counting; returns what was counted. */
  stopCounting(): Write[];
  /** Real ms since a change last arrived or was answered. */
  quietFor(): number;
  close(): Promise<void>;
}

export interface ProxyOptions {
  /** `https://127.0.0.1:<port>` and the PEM that it proves itself with. */
  apiServer: { url: string; certificateAuthority?: string };
  /** `http://127.0.0.1:<port>` */
  cloud: string;
  /** Told of every request that was answered, watches left out. */
  passed?: (request: Passed) => void;
}

/** A request and how it went. */
export interface Passed extends Arrival {
  headers: IncomingHttpHeaders;
  status: number;
  /** Real ms since the epoch. */
  from: number;
  until: number;
}

export async function numberingProxy(options: ProxyOptions): Promise<NumberingProxy> {
  const writes: Write[] = [];
  const looks: Record<string, number> = {};
  let place = 0;
  let counting:
    | { counts(change: Change): boolean; from: number; last: number; point?: Kill | Happening | undefined }
    | undefined;
  let killed: Write | undefined;
  let moved = performance.now();

  const noted = (change: Change): Write => {
    const counted = counting?.counts(change) === true;
    if (counted && counting) counting.last += 1;
    const ids = change.at === 'cloud' ? change.object.split(',') : [];
    const looked = Object.fromEntries(ids.flatMap((id) => (looks[id] === undefined ? [] : [[id, looks[id]]])));
    const number = counted ? (counting?.last ?? 0) : 0;
    const write: Write = { ...change, number, arrived: ++place, looked };
    writes.push(write);
    moved = performance.now();
    return write;
  };
  const dueAt = (write: Write, when: (Kill | Happening)['when']): Kill | Happening | undefined => {
    const point = counting?.point;
    return !killed && write.number > 0 && point?.number === write.number && point.when === when ? point : undefined;
  };
  /** True when the operator is dead now. */
  const executed = (write: Write, when: Kill['when']): boolean => {
    const due = dueAt(write, when);
    if (!due || !('kill' in due)) return false;
    killed = write;
    due.kill();
    return true;
  };
  const happened = async (write: Write): Promise<void> => {
    const point = counting?.point;
    const due = point && dueAt(write, point.when);
    if (!due || !('act' in due)) return;
    killed = write;
    await due.act();
  };

  const handle = async (at: Arrival['at'], upstream: Upstream, request: IncomingMessage, response: ServerResponse) => {
    const body = (await bytesOf(request)).toString('utf8');
    const arrival: Arrival = { at, method: request.method ?? 'GET', url: request.url ?? '/', body };
    const from = performance.timeOrigin + performance.now();
    const pass = (status: number) => {
      const until = performance.timeOrigin + performance.now();
      options.passed?.({ ...arrival, headers: request.headers, status, from, until });
    };
    const change = changeOf(arrival);
    if (!change) {
      const named = describedIn(arrival);
      const answer = await upstream.send(request, body, response);
      if (named.length > 0) place += 1;
      for (const id of named) looks[id] = place;
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      // A watch that nothing has happened on yet has its head sent all the same.
      response.flushHeaders();
      answer.pipe(response);
      if (!isWatch(arrival)) answer.once('end', () => pass(answer.statusCode ?? 0));
      answer.once('error', () => response.destroy());
      return;
    }
    const write = noted(change);
    if (executed(write, 'before')) return void response.destroy();
    await happened(write);
    // Nobody's end takes back what was passed on: a request that has been sent is on its way.
    const answer = await upstream.send(request, body);
    const content = await bytesOf(answer);
    write.answered = ++place;
    write.status = answer.statusCode ?? 0;
    pass(write.status);
    moved = performance.now();
    if (executed(write, 'after')) return void response.destroy();
    const { 'transfer-encoding': _, ...headers } = answer.headers;
    response.writeHead(answer.statusCode ?? 502, { ...headers, 'content-length': content.length });
    response.end(content);
  };
  const listen = async (at: Arrival['at'], upstream: Upstream) => {
    const server = createServer((request, response) => {
      handle(at, upstream, request, response).catch(() => response.destroy());
    });
    server.requestTimeout = 0;
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return server;
  };

  const toApiServer = upstreamOf(options.apiServer.url, options.apiServer.certificateAuthority);
  const toCloud = upstreamOf(options.cloud);
  const servers = [await listen('kubernetes', toApiServer), await listen('cloud', toCloud)] as const;
  return {
    apiServer: urlOf(servers[0]),
    cloud: urlOf(servers[1]),
    writes,
    count(counts, point) {
      counting = { counts, from: writes.length, last: 0, point };
      killed = undefined;
      moved = performance.now();
    },
    killedAt: () => killed,
    stopCounting() {
      const counted = counting ? writes.slice(counting.from).filter(({ number }) => number > 0) : [];
      counting = undefined;
      return counted;
    },
    quietFor: () => performance.now() - moved,
    async close() {
      for (const server of servers) server.closeAllConnections();
      await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
      toApiServer.close();
      toCloud.close();
    },
  };
}

interface Upstream {
  /** Resolves with the head of the answer. Ends with `client`, when that is given. */
  send(request: IncomingMessage, body: string, client?: ServerResponse): Promise<IncomingMessage>;
  close(): void;
}

function upstreamOf(url: string, ca?: string): Upstream {
  const agent = ca === undefined ? new PlainAgent({ keepAlive: true }) : new TlsAgent({ keepAlive: true, ca });
  const start = ca === undefined ? plainRequest : tlsRequest;
  return {
    send: ({ method, url: path, headers: { connection: _, 'transfer-encoding': __, ...headers } }, body, client) =>
      new Promise((resolve, reject) => {
        const length = body === '' ? {} : { 'content-length': Buffer.byteLength(body) };
        const target = { method, headers: { ...headers, host: new URL(url).host, ...length }, agent };
        const sent = start(new URL(path ?? '/', url), target, resolve);
        sent.once('error', reject);
        client?.once('close', () => sent.destroy());
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}

const isWatch = ({ url }: Arrival): boolean => new URL(url, 'http://any').searchParams.has('watch');

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}
