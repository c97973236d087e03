import { Agent, type Dispatcher, request as send } from 'undici';
import type { Connection } from './config.ts';
import { ApiError, errorFrom, unreachable } from './errors.ts';
import { pathOf, type Resource } from './resource.ts';
import { streamOver } from './stream.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One request to the API server. */
export type ApiRequest = {
  method: Method;
  resource: Resource;
  target?: { namespace?: string | undefined; name?: string | undefined; subresource?: string | undefined };
  query?: Record<string, string | undefined>;
  body?: unknown;
  /** Default: application/json. */
  contentType?: string;
  signal?: AbortSignal | undefined;
};

/** A GET whose answer arrives over a long time. */
export type StreamRequest = Omit<ApiRequest, 'method' | 'body' | 'contentType'> & {
  /** Longest time without a byte, real ms. */
  silenceMs: number;
  /** Called once the answer has begun. */
  onOpen(): void;
  onData(chunk: Buffer): void;
};

/** A connection pool to one API server with one identity. */
export type Transport = {
  /** Sends a request and resolves with the JSON of the answer. Throws ApiError, or the signal's reason. */
  send(request: ApiRequest): Promise<unknown>;
  /**
   * Reads an answer that goes on, a watch, until the server ends it. Throws ApiError, for a silence of `silenceMs` as
   * well, the signal's reason, or what `onData` throws.
   */
  stream(request: StreamRequest): Promise<void>;
  /** Ends all connections. */
  close(): Promise<void>;
};

/** Told of each answer, for metrics: `code` is the HTTP status, or `error` without an answer. */
export type TransportObserver = { answered?(verb: string, code: string, seconds: number): void };

export type TransportOptions = {
  connection: Connection;
  userAgent: string;
  observer?: TransportObserver | undefined;
  /** Longest wait for an answer, and for more of it, real ms. Default 15 000. A watch has its own. */
  timeout?: number | undefined;
};

/** Opens nothing yet: connections are made as requests need them, and kept. */
export function transport({ connection, userAgent, observer, timeout = 15_000 }: TransportOptions): Transport {
  // HTTP/1.1: over one shared h2 connection a stalled watch went unnoticed for 75 s and held up every other request.
  const dispatcher = new Agent({
    allowH2: false,
    connectTimeout: Math.min(timeout, 10_000),
    keepAliveTimeout: 30_000,
    connect: { ...connection.tls, keepAlive: true },
  });

  const headersFor = async () => ({
    accept: 'application/json',
    'user-agent': userAgent,
    ...(await connection.headers()),
  });
  const pathFor = ({ resource, target, query }: Pick<ApiRequest, 'resource' | 'target' | 'query'>) =>
    pathOf(resource, target) + queryString(query);
  const timer = (verb: string) => {
    const started = performance.now();
    return (code: string) => observer?.answered?.(verb, code, (performance.now() - started) / 1000);
  };
  const refusal = (status: number, headers: Answer['headers'], text: string, what: string) => {
    if (status === 401) connection.refused();
    const retryAfter = headers['retry-after'];
    return errorFrom(status, text, what, Array.isArray(retryAfter) ? retryAfter[0] : retryAfter);
  };

  return {
    async send(request) {
      const { method, body, contentType = 'application/json', signal } = request;
      const what = describe(request);
      if (signal?.aborted) throw reasonOf(signal, signal.reason, what);
      const answered = timer(method);
      let response: Answer;
      let text: string;
      try {
        response = await send(connection.server + pathFor(request), {
          dispatcher,
          method,
          headers: { ...(await headersFor()), ...(body !== undefined && { 'content-type': contentType }) },
          body: body === undefined ? null : JSON.stringify(body),
          headersTimeout: timeout,
          bodyTimeout: timeout,
          signal: signal ?? null,
        });
        text = await response.body.text();
      } catch (error) {
        answered('error');
        throw reasonOf(signal, error, what);
      }
      answered(String(response.statusCode));
      if (response.statusCode >= 400) throw refusal(response.statusCode, response.headers, text, what);
      return parse(text, what);
    },

    async stream(request) {
      const { signal, silenceMs, onOpen, onData } = request;
      const what = describe({ ...request, method: 'GET' });
      if (signal?.aborted) throw reasonOf(signal, signal.reason, what);
      const answered = timer('WATCH');
      let opened = false;
      let thrown: { error: unknown } | undefined;
      const end = await streamOver(dispatcher, {
        origin: connection.server,
        path: pathFor(request),
        headers: await headersFor(),
        headersTimeout: timeout,
        bodyTimeout: silenceMs,
        signal,
        onOpen() {
          opened = true;
          answered('200');
          onOpen();
        },
        onData(chunk) {
          try {
            onData(chunk);
          } catch (error) {
            thrown = { error };
            throw error;
          }
        },
      }).catch((error: unknown) => {
        if (thrown) throw thrown.error;
        if (!opened) answered('error');
        throw reasonOf(signal, error, what);
      });
      if (end.status < 400) return;
      answered(String(end.status));
      throw refusal(end.status, end.headers, end.text, what);
    },

    close: () => dispatcher.destroy(),
  };
}

type Answer = Dispatcher.ResponseData;

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unreachable(error, what);
  }
}

/** For messages: `update Node node-1 (status)`. */
function describe({ method, resource, target, query }: ApiRequest): string {
  const verbs = { GET: target?.name === undefined ? 'list' : 'get', POST: 'create', PUT: 'update', PATCH: 'patch' };
  const verb = query?.watch ? 'watch' : method === 'DELETE' ? 'delete' : verbs[method];
  const name = target?.name && (target.namespace ? `${target.namespace}/${target.name}` : target.name);
  const parts = [verb, resource.kind, name, target?.subresource && `(${target.subresource})`];
  return parts.filter((part) => part).join(' ');
}

/** The caller's own abort comes back as it is; its deadline and everything else is an ApiError without an answer. */
function reasonOf(signal: AbortSignal | undefined, error: unknown, what: string): unknown {
  if (error instanceof ApiError) return error;
  if (signal?.aborted && !(signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError'))
    return signal.reason;
  return unreachable(error, what);
}

function queryString(query: ApiRequest['query'] = {}): string {
  const set = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return set.length === 0 ? '' : `?${new URLSearchParams(set)}`;
}
