import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type FakeServer = {
  url: string;
  /** Every request so far. */
  requests: URL[];
  close(): Promise<void>;
};

/** An API server that answers as a test wants. `handle` is called for each request with its number, from 0. */
export async function startFakeServer(
  handle: (url: URL, answer: ServerResponse, number: number) => void,
): Promise<FakeServer> {
  const requests: URL[] = [];
  const server = createServer((request, answer) => {
    const url = new URL(request.url ?? '/', 'http://fake');
    requests.push(url);
    handle(url, answer, requests.length - 1);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

export const isWatch = (url: URL) => url.searchParams.get('watch') === 'true';
export const isStreamingList = (url: URL) => url.searchParams.get('sendInitialEvents') === 'true';

export const aNode = (name: string, version: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, uid: `uid-${name}`, resourceVersion: version, labels },
});

export const line = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`;

export const initialEventsEnd = (version: string) =>
  line('BOOKMARK', {
    kind: 'Node',
    metadata: { resourceVersion: version, annotations: { 'k8s.io/initial-events-end': 'true' } },
  });

export const aStatus = (code: number, reason: string, causes: object[] = []) => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  code,
  reason,
  message: `${reason} on purpose`,
  details: { causes },
});

export function refuse(answer: ServerResponse, code: number, reason: string): void {
  answer.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(aStatus(code, reason)));
}

export function page(answer: ServerResponse, items: object[], version: string, next?: string): void {
  const metadata = { resourceVersion: version, ...(next && { continue: next }) };
  answer
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ kind: 'NodeList', metadata, items }));
}
