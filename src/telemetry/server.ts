import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { Logger } from '../runtime/logger.ts';
import type { Runnable } from '../runtime/runnable.ts';

export type TelemetryServerOptions = {
  log: Logger;
  /** Default: all addresses. */
  host?: string;
  /** 0: any free one; `listening` tells which. */
  port: number;
  registry: Registry;
  /** Why the process is broken and should be restarted, or undefined. */
  unhealthy?(): string | undefined;
  /** Why the process is not ready for work, or undefined. */
  unready?(): string | undefined;
};

export type TelemetryServer = Runnable & {
  /** Resolves with the base URL once the server listens; rejects when it cannot. */
  readonly listening: Promise<string>;
};

/** Answers GET /healthz and /readyz (200, or 503 with the reason as text) and /metrics (Prometheus text). */
export function telemetryServer(options: TelemetryServerOptions): TelemetryServer {
  const { log, host, port, registry, unhealthy, unready } = options;
  const listening = Promise.withResolvers<string>();
  // Whoever does not ask for the address learns of the failure from `start`.
  listening.promise.catch(() => {});

  const answer = async (path: string): Promise<{ status: number; type: string; body: string }> => {
    if (path === '/metrics') return { status: 200, type: registry.contentType, body: await registry.metrics() };
    const check = path === '/healthz' ? unhealthy : path === '/readyz' ? unready : undefined;
    if (path !== '/healthz' && path !== '/readyz') return { status: 404, type: 'text/plain', body: 'not found\n' };
    const wrong = check?.();
    return { status: wrong === undefined ? 200 : 503, type: 'text/plain', body: `${wrong ?? 'ok'}\n` };
  };

  const serve = () =>
    createServer((request, response) => {
      const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
      answer(path)
        .catch((error: unknown) => {
          log.error('Telemetry request failed', { path, error });
          return { status: 500, type: 'text/plain', body: 'internal error\n' };
        })
        .then(({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body))
        .catch(() => {});
    });

  return {
    name: 'telemetry server',
    listening: listening.promise,
    async start(signal) {
      const server = serve();
      try {
        listening.resolve(await listen(server, port, host));
      } catch (error) {
        listening.reject(error);
        throw error;
      }
      log.info('Telemetry listens', { url: await listening.promise });
      await aborted(signal);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(server: Server, port: number, host: string | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const { address, family, port: bound } = server.address() as AddressInfo;
      const any = address === '::' || address === '0.0.0.0';
      resolve(`http://${any ? '127.0.0.1' : family === 'IPv6' ? `[${address}]` : address}:${bound}`);
    });
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
