import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { checkPath, preview } from './cast.ts';

/**
 * The websites' software, as far as a check of it can tell: the machines are simulated, so nothing answers there. The operator asks it
 * through a proxy, as it would from behind a firewall, and the proxy is this.
 */
export interface Site {
  /** For `http_proxy` of the operator. */
  proxy: string;
  /** Whether the new release has its bug. */
  broken: boolean;
  close(): Promise<void>;
}

export async function startSite(): Promise<Site> {
  const site: Site = { proxy: '', broken: true, close };
  const server = createServer(({ url = '' }, response) => {
    const { hostname, pathname } = new URL(url);
    const known = hostname.startsWith(`${preview.name}.${preview.namespace}.svc`) && pathname === checkPath;
    response.writeHead(!known ? 404 : site.broken ? 500 : 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  site.proxy = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return site;

  async function close(): Promise<void> {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
