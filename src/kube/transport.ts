import type { Resource } from './resource.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One request to the API server. */
export type ApiRequest = {
  method: Method;
  resource: Resource;
  target?: { namespace?: string | undefined; name?: string | undefined; subresource?: string | undefined };
  query?: Record<string, string>;
  body?: unknown;
  /** Default: application/json. */
  contentType?: string;
  signal?: AbortSignal | undefined;
};

/** A connection pool to one API server with one identity. */
export type Transport = {
  /** Sends a request and resolves with the JSON of the answer. Throws ApiError. */
  send(request: ApiRequest): Promise<unknown>;
  /**
   * Opens a response that goes on, a watch, and resolves with its bytes as they come. Silence of `silenceMs` ends it
   * with an error. Throws ApiError.
   */
  stream(request: ApiRequest & { silenceMs: number }): Promise<AsyncIterable<Uint8Array>>;
  /** Ends all connections. */
  close(): Promise<void>;
};
