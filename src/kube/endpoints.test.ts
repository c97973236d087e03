import { describe, expect, it } from '@jest/globals';
import { anApiServer, refusal } from '../../test/builders/index.ts';
import type { Connection } from './config.ts';
import { apiServers } from './endpoints.ts';
import { endpointSlices } from './resources.ts';

const connection = (server: string): Connection => ({
  server,
  namespace: 'default',
  tls: {},
  headers: async () => ({}),
  refused: () => {},
});
type Slice = { addresses: string[]; port?: number; type?: string; service?: string; namespace?: string };
function world(server: string, slices: Slice[], forbidden = false) {
  const api = anApiServer(() => 0);
  const put = (
    { addresses, port = 6443, type = 'IPv4', service = 'kubernetes', namespace = 'default' }: Slice,
    at = 0,
  ) =>
    api.seed(endpointSlices, {
      metadata: { name: `s-${at}`, namespace, uid: `u-${at}`, labels: { 'kubernetes.io/service-name': service } },
      addressType: type,
      endpoints: [{ addresses }],
      ports: [
        { name: 'metrics', port: 1 },
        { name: 'https', port },
      ],
    });
  slices.forEach(put);
  const client = api.client({
    before: () => {
      if (forbidden) throw refusal(403, 'Forbidden', 'no');
    },
  });
  const servers = apiServers({ client, connection: connection(server), name: 'test' });
  const list = async () => {
    const { servers: found, all } = await servers.list();
    return { addresses: found.map(({ address }) => address), all, clients: found.map((one) => one.client) };
  };
  return { list, put, client };
}

describe('the API servers of a cluster', () => {
  it('are the endpoints of default/kubernetes, each once', async () => {
    const { list } = world('https://10.96.0.1:443', [
      { addresses: ['10.0.0.2'] },
      { addresses: ['10.0.0.1'] },
      { addresses: ['10.0.0.1'] },
      { addresses: ['fd00::1'], type: 'IPv6' },
      { addresses: ['api.example.com'], type: 'FQDN' },
      { addresses: ['10.0.0.9'], service: 'other' },
      { addresses: ['10.0.0.8'], namespace: 'edge' },
    ]);
    expect(await list()).toMatchObject({ addresses: ['10.0.0.1:6443', '10.0.0.2:6443', '[fd00::1]:6443'], all: true });
  });

  it('keep their clients, and lose them with their address', async () => {
    const { list, put } = world('https://10.96.0.1:443', [{ addresses: ['10.0.0.1'] }]);
    const [first] = (await list()).clients;
    expect((await list()).clients[0]).toBe(first);
    put({ addresses: ['10.0.0.2'] });
    expect((await list()).addresses).toEqual(['10.0.0.2:6443']);
    put({ addresses: ['10.0.0.1'] });
    expect((await list()).clients[0]).not.toBe(first);
  });

  it.each([
    ['https://127.0.0.1:6443', true],
    ['https://localhost:6443', true],
    ['https://[::1]:6443', true],
    ['https://10.0.0.1:6443', false],
    ['https://api.example.com', false],
  ])('of which none is advertised: %s alone, and there can be no other: %s', async (server, all) => {
    const { list, client } = world(server, []);
    expect(await list()).toEqual({ addresses: [new URL(server).host], all, clients: [client] });
  });

  it('may be others where the list may not be read', async () =>
    expect(await world('https://127.0.0.1:6443', [{ addresses: ['10.0.0.1'] }], true).list()).toMatchObject({
      addresses: ['127.0.0.1:6443'],
      all: false,
    }));
});
