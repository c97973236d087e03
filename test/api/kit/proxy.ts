import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';

export type ProxyOptions = {
  /** The real server, `https://127.0.0.1:6443` or plain http. */
  server: string;
  /** PEM. */
  certificateAuthority?: string;
  /** Changes the path and query of a request on its way. */
  rewrite?(url: string): string;
};

/** A plain HTTP server that passes everything on to an API server, sees each request, and can misbehave. */
export type ApiProxy = {
  url: string;
  /** `GET /api/v1/nodes?...` of every request so far. */
  requests: string[];
  rewrite: (url: string) => string;
  /** Responses under way never get another byte, but stay open. New requests are served. */
  freeze(): void;
  /** Breaks all connections; new requests are served. */
  cut(): void;
  close(): Promise<void>;
};

export async function startProxy(options: ProxyOptions): Promise<ApiProxy> {
  const upstream = new URL(options.server);
  const agent = new Agent({ keepAlive: true, ca: options.certificateAuthority });
  const under = new Set<{ answer: ServerResponse; from?: IncomingMessage }>();
  const proxy: Omit<ApiProxy, 'url' | 'close'> = {
    requests: [],
    rewrite: options.rewrite ?? ((url) => url),
    freeze() {
      for (const { answer, from } of under) {
        from?.unpipe(answer);
        from?.resume();
      }
    },
    cut() {
      for (const { answer } of under) answer.destroy();
    },
  };
  const server = createServer((request, answer) => {
    const url = request.url ?? '/';
    proxy.requests.push(`${request.method} ${url}`);
    const entry: { answer: ServerResponse; from?: IncomingMessage } = { answer };
    under.add(entry);
    const send = upstream.protocol === 'https:' ? httpsRequest : httpRequest;
    const { method, headers } = request;
    const target = new URL(proxy.rewrite(url), upstream);
    const onward = send(target, { method, headers, ...(upstream.protocol === 'https:' && { agent }) }, (response) => {
      entry.from = response;
      answer.writeHead(response.statusCode ?? 502, response.headers);
      answer.flushHeaders();
      response.pipe(answer);
      response.on('error', () => answer.destroy());
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => {
      under.delete(entry);
      onward.destroy();
    });
    request.pipe(onward);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      agent.destroy();
      await new Promise((closed) => server.close(closed));
    },
  });
}
