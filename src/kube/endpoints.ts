import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { clientOver, type KubeClient } from './client.ts';
import type { Connection } from './config.ts';
import { isForbidden } from './errors.ts';
import { endpointSlices } from './resources.ts';
import { transport } from './transport.ts';

/** One API server, asked past whatever balances between them. */
export type ApiServer = { address: string; client: KubeClient };

export type ApiServers = {
  /** Every API server that the cluster advertises. `all`: there is no other one, as far as can be known. Throws ApiError. */
  list(): Promise<{ servers: ApiServer[]; all: boolean }>;
};

export type ApiServersOptions = {
  /** Reads the list, and stands for the API server when none is advertised. */
  client: KubeClient;
  connection: Connection;
  /** User agent. */
  name: string;
};

/** An API server that is asked alone answers at once, or is taken for one that does not. Real ms. */
const TIMEOUT = 3_000;

/**
 * The API servers of the cluster, one by one: the endpoints of Service default/kubernetes. Clients are kept while their
 * address is advertised.
 */
export function apiServers({ client, connection, name }: ApiServersOptions): ApiServers {
  const kept = new Map<string, KubeClient>();
  const keep = (address: string): KubeClient => {
    const present = kept.get(address) ?? clientAt(connection, address, name);
    kept.set(address, present);
    return present;
  };
  return {
    async list() {
      const found = await advertised(client).catch(unknownIf(isForbidden));
      const addresses = found ?? [];
      for (const [address, { transport }] of kept) {
        if (addresses.includes(address)) continue;
        kept.delete(address);
        await transport.close();
      }
      const itself = { address: new URL(connection.server).host, client };
      // Who is reached on this very machine is all there is: a load balancer of several would not be here.
      if (addresses.length === 0)
        return { servers: [itself], all: found !== undefined && isLoopback(connection.server) };
      return { servers: addresses.map((address) => ({ address, client: keep(address) })), all: true };
    },
  };
}

/** `10.0.0.1:6443`, `[fd00::1]:6443`: what default/kubernetes leads to. Throws ApiError. */
export async function advertised(client: KubeClient): Promise<string[]> {
  const { items } = await client.list(endpointSlices, {
    namespace: 'default',
    labelSelector: 'kubernetes.io/service-name=kubernetes',
  });
  const addresses = items
    .filter(({ addressType }) => addressType !== 'FQDN')
    .flatMap(({ endpoints, ports }) => {
      const port = ports?.find((one) => one.name === 'https')?.port ?? ports?.[0]?.port ?? 443;
      return (endpoints ?? [])
        .flatMap((endpoint) => endpoint.addresses)
        .map((address) => `${isIP(address) === 6 ? `[${address}]` : address}:${port}`);
    });
  return [...new Set(addresses)].toSorted();
}

/**
 * A client for the API server at `address` (`10.0.0.1:6443`), with the credentials and the authorities of `connection`.
 * It must prove to be the one that `connection` names: certificates are made for that name, not for every address.
 */
export function clientAt(connection: Connection, address: string, name: string): KubeClient {
  const { hostname } = new URL(connection.server);
  const servername = connection.tls.servername ?? (isIP(bare(hostname)) ? undefined : hostname);
  const expected = typeof servername === 'string' ? servername : bare(hostname);
  const tls = {
    ...connection.tls,
    ...(servername !== undefined && { servername }),
    checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(expected, certificate),
  };
  const server = `https://${address}`;
  const direct = transport({ connection: { ...connection, server, tls }, userAgent: name, timeout: TIMEOUT });
  return clientOver(direct, name, connection.namespace);
}

const unknownIf =
  (test: (error: unknown) => boolean) =>
  (error: unknown): undefined => {
    if (!test(error)) throw error;
  };

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '');

const isLoopback = (server: string): boolean => {
  const host = bare(new URL(server).hostname);
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
};
