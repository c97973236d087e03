import { Agent, type Dispatcher, request as send } from 'undici';
import type { Connection } from './config.ts';
import { ApiError, errorFrom, unreachable } from './errors.ts';
import { pathOf, type Resource } from './resource.ts';

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

/** A connection pool to one API server with one identity. */
export type Transport = {
  /** Sends a request and resolves with the JSON of the answer. Throws ApiError, or the signal's reason. */
  send(request: ApiRequest): Promise<unknown>;
  /**
   * Opens a response that goes on, a watch, and resolves with its bytes as they come. Silence of `silenceMs` ends it
   * with an error. Throws ApiError, or the signal's reason.
   */
  stream(request: ApiRequest & { silenceMs: number }): Promise<AsyncIterable<Buffer>>;
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

  const open = async (request: ApiRequest, bodyTimeout: number): Promise<Dispatcher.ResponseData> => {
    const { method, resource, target, query, body, contentType = 'application/json', signal } = request;
    signal?.throwIfAborted();
    const what = describe(request);
    const headers: Record<string, string> = {
      accept: 'application/json',
      'user-agent': userAgent,
      ...(await connection.headers()),
      ...(body !== undefined && { 'content-type': contentType }),
    };
    const started = performance.now();
    const answered = (code: string) =>
      observer?.answered?.(request.query?.watch ? 'WATCH' : method, code, (performance.now() - started) / 1000);
    let response: Dispatcher.ResponseData;
    try {
      response = await send(connection.server + pathOf(resource, target) + queryString(query), {
        dispatcher,
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        headersTimeout: timeout,
        bodyTimeout,
        signal: signal ?? null,
      });
    } catch (error) {
      answered('error');
      throw reasonOf(signal, error, what);
    }
    answered(String(response.statusCode));
    if (response.statusCode < 400) return response;
    if (response.statusCode === 401) connection.refused();
    const text = await response.body.text().catch(() => '');
    throw errorFrom(response.statusCode, text, what, headerOf(response, 'retry-after'));
  };

  return {
    async send(request) {
      const response = await open(request, timeout);
      try {
        return await response.body.json();
      } catch (error) {
        throw reasonOf(request.signal, error, describe(request));
      }
    },
    async stream(request) {
      return (await open(request, request.silenceMs)).body;
    },
    close: () => dispatcher.destroy(),
  };
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
export function reasonOf(signal: AbortSignal | undefined, error: unknown, what: string): unknown {
  if (error instanceof ApiError) return error;
  if (signal?.aborted && !(signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError'))
    return signal.reason;
  return unreachable(error, what);
}

function queryString(query: ApiRequest['query'] = {}): string {
  const set = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return set.length === 0 ? '' : `?${new URLSearchParams(set)}`;
}

function headerOf(response: Dispatcher.ResponseData, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
