import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callApi } from '../../../local/access.ts';
import type { ApiServer } from '../../../local/api-server.ts';
import { waitFor } from '../../../local/wait.ts';
import type { GenerationPool } from '../../../src/api/v1alpha1/index.ts';
import { advertised, clientAt } from '../../../src/kube/endpoints.ts';
import { isUnreachable } from '../../../src/kube/errors.ts';
import { namespaces } from '../../../src/kube/resources.ts';
import { expectStatus, type GuardedCluster, startGuardedCluster } from '../guard/cluster.ts';
import { aSite, type Site } from '../guard/objects.ts';
import { aWatcher, knownOf, outcomes, type Watcher } from './watched.ts';

/** Two API servers on one etcd, each asked by itself. */

let cluster: GuardedCluster;
let second: ApiServer;
let both: Watcher;
let site: Site;

const hostOf = (server: string) => new URL(server).host;

beforeAll(async () => {
  cluster = await startGuardedCluster();
  site = await aSite(cluster, 'live');
  second = await cluster.controlPlane.addApiServer();
  // One that has just started knows the policies' parameters only after some seconds.
  const pool = `/apis/generations.dev/v1alpha1/generationpools/${site.pool.metadata.name}`;
  await waitFor('the second one to refuse by a policy', { limitMs: 90_000, everyMs: 250 }, async () => {
    const { status } = await callApi(second, 'admin', 'DELETE', `${pool}?dryRun=All`);
    return status === 403 || undefined;
  });
  both = await aWatcher(cluster, { addresses: [cluster.controlPlane.server, second.server].map(hostOf) });
}, 180_000);
afterAll(async () => {
  second?.resume();
  await cluster?.stop();
});

/** Whose reservation it is. */
const CUTOVER = 'uid-of-a-cutover';

describe('two API servers', () => {
  it('are both probed, and both refuse', async () => {
    expect(outcomes(await both.probe(site))).toMatchObject({
      'delete-pool': expect.stringMatching(/^generations-guard-/),
    });
    expect(await both.canary.sees(site.pool as GenerationPool, CUTOVER)).toEqual({ seen: true });
  }, 90_000);

  it('of which one stalls: the other is probed, and new protection is waited for', async () => {
    second.pause();
    try {
      const round = await both.probe(site);
      expect(round?.results.find(({ family }) => family === 'delete-pool')).toMatchObject({ outcome: 'Denied' });
      expect(await both.canary.sees(site.pool as GenerationPool, CUTOVER)).toMatchObject({
        seen: false,
        overdue: false,
        waitingFor: expect.stringContaining(hostOf(second.server)),
      });
    } finally {
      second.resume();
    }
    await waitFor('the one that stalled to answer again', { limitMs: 20_000 }, async () =>
      (await both.canary.sees(site.pool as GenerationPool, CUTOVER)).seen ? true : undefined,
    );
  }, 60_000);

  it('of which one does not know the protection yet: it is not taken to be in force', async () => {
    const fresh = await aSite(cluster, 'neverLive');
    expect(await both.canary.sees(fresh.pool as GenerationPool, CUTOVER)).toMatchObject({
      seen: false,
      waitingFor: expect.stringMatching(/does not refuse the deletion of GenerationPool .* yet$/),
    });
    await expectStatus(
      200,
      cluster.call(
        'operator',
        'PATCH',
        `/apis/generations.dev/v1alpha1/platforms/${fresh.platform.metadata.name}/status`,
        {
          status: { protected: [fresh.generation.metadata.name] },
        },
      ),
    );
    await waitFor('both to refuse', { limitMs: 20_000 }, async () =>
      (await both.canary.sees(fresh.pool as GenerationPool, CUTOVER)).seen ? true : undefined,
    );
    const path = `/apis/generations.dev/v1alpha1/generationpools/${fresh.pool.metadata.name}`;
    expect((await cluster.call('admin', 'DELETE', `${path}?dryRun=All`)).status).toBe(403);
  }, 60_000);

  it('that are all gone make no report', async () => {
    const known = await knownOf(cluster, site);
    second.pause();
    cluster.controlPlane.apiServer.pause();
    try {
      expect(await both.canary.probe(known)).toBeUndefined();
    } finally {
      cluster.controlPlane.apiServer.resume();
      second.resume();
    }
  }, 60_000);
});

describe('an API server by its address', () => {
  it('is advertised by EndpointSlices', async () => {
    expect(await advertised(both.client)).toEqual([]);
    await expectStatus(
      201,
      cluster.call('admin', 'POST', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'kubernetes', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
        addressType: 'IPv4',
        endpoints: [{ addresses: ['192.0.2.1'] }],
        ports: [{ name: 'https', port: 6443 }],
      }),
    );
    expect(await advertised(both.client)).toEqual(['192.0.2.1:6443']);
  });

  it('must prove to be who the kubeconfig names, whatever its address', async () => {
    const certificates = join(cluster.controlPlane.directory, 'certificates');
    const [cert, key] = await Promise.all(
      ['apiserver.crt', 'apiserver.key'].map((file) => readFile(join(certificates, file))),
    );
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } };
    const server = createServer({ cert: cert!, key: key! }, (_, response) => response.end(JSON.stringify(namespace)));
    // The certificate names 127.0.0.1, and neither this address nor example.com.
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.2', resolve));
    try {
      const address = `127.0.0.2:${(server.address() as AddressInfo).port}`;
      const named = clientAt(both.connection, address, 'test');
      expect((await named.get(namespaces, 'kube-system')).metadata.name).toBe('kube-system');
      await named.transport.close();
      const misnamed = clientAt({ ...both.connection, server: 'https://example.com' }, address, 'test');
      const error = await misnamed.get(namespaces, 'kube-system').catch((reason: unknown) => reason);
      expect(isUnreachable(error)).toBe(true);
      expect(String(error)).toContain("example.com. is not in the cert's altnames");
      await misnamed.transport.close();
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
