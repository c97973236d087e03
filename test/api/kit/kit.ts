import type { Access } from '../../../local/access.ts';
import { clientOver, type KubeClient } from '../../../src/kube/client.ts';
import type { TransportOptions } from '../../../src/kube/transport.ts';
import { transport } from '../../../src/kube/transport.ts';

/** A client for tests: an admin's, or anonymous without a token. */
export function clientFor(
  server: string,
  {
    token,
    ca,
    ...more
  }: { token?: string; ca?: string; observer?: TransportOptions['observer']; timeout?: number } = {},
): KubeClient {
  const connection = {
    server,
    namespace: 'default',
    tls: ca === undefined ? {} : { ca },
    headers: async (): Promise<Record<string, string>> => (token ? { authorization: `Bearer ${token}` } : {}),
    refused: () => {},
  };
  return clientOver(transport({ connection, userAgent: 'kit-test', ...more }), 'kit-test', 'default');
}

export function adminClient({ server, certificateAuthority, tokens }: Access): KubeClient {
  return clientFor(server, { token: tokens.admin, ca: certificateAuthority });
}

/** Resolves when `condition` is true; looks every 10 ms, and fails after `limit` ms naming what was waited for. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, limit = 10_000): Promise<void> {
  const deadline = performance.now() + limit;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${limit} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
