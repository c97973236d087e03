import { X509Certificate } from 'node:crypto';
import { Agent, request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, expectStatus, type KubeObject, pathOf } from '../guard/cluster.ts';
import { aSite, type Site } from '../guard/objects.ts';
import {
  aNamespace,
  aPod,
  evict,
  maintenance,
  nodePath,
  patchNode,
  type Running,
  startWebhookCluster,
  type WebhookCluster,
} from './site.ts';

/** The webhook is down, its certificate has ended or changes: nothing opens that the policies close, and nothing gets stuck. */

let cluster: WebhookCluster;
let site: Site;
let open: string;
let guarded: string;

beforeAll(async () => {
  cluster = await startWebhookCluster();
  site = await aSite(cluster, 'live');
  open = await aPod(cluster, await aNamespace(cluster, false), site.node.metadata.name);
  guarded = await aPod(cluster, await aNamespace(cluster, true), site.node.metadata.name);
}, 240_000);
/** What a test has started ends with it, whatever becomes of the test. */
const runs: Running[] = [];
async function start(daysOff?: number): Promise<Running> {
  const running = await cluster.start(daysOff);
  runs.push(running);
  return running;
}
afterEach(async () => {
  for (const running of runs.splice(0)) await running.stop();
});
afterAll(() => cluster?.stop());

/** True when the webhook itself refuses: in a namespace where no policy does. */
const webhookRefuses = async () =>
  ((await evict(cluster, open)) ?? '').includes('admission webhook "evictions.generations.dev"');
const untilItRefuses = () => eventually('the webhook to refuse', webhookRefuses);

/** Each act that a policy closes, and what the policy is called. */
async function closedByPolicies(): Promise<Record<string, string>> {
  const answer = async (what: Promise<{ status: number; body: unknown }>) => {
    const { status, body } = await what;
    const [, policy = 'no policy'] =
      /ValidatingAdmissionPolicy '([^']+)'/.exec((body as KubeObject).message ?? '') ?? [];
    return status === 403 ? policy : `answered ${status}`;
  };
  const call = cluster.call;
  const dry = '?dryRun=All';
  return {
    'delete the generation': await answer(call('admin', 'DELETE', pathOf(site.generation) + dry)),
    'delete its pool': await answer(call('admin', 'DELETE', pathOf(site.pool) + dry)),
    'delete its Node': await answer(call('admin', 'DELETE', nodePath(site.node) + dry)),
    'cordon its Node': await answer(
      call('person', 'PATCH', nodePath(site.node) + dry, { spec: { unschedulable: true } }),
    ),
    'delete the Platform': await answer(call('admin', 'DELETE', pathOf(site.platform) + dry)),
    'evict from a protected namespace':
      /ValidatingAdmissionPolicy '([^']+)'/.exec((await evict(cluster, guarded)) ?? '')?.[1] ?? 'allowed',
  };
}

const CLOSED = {
  'delete the generation': expect.stringContaining('generations-guard-'),
  'delete its pool': expect.stringContaining('generations-guard-'),
  'delete its Node': expect.stringContaining('generations-guard-'),
  'cordon its Node': expect.stringContaining('generations-guard-'),
  'delete the Platform': 'generations-guard-platform',
  'evict from a protected namespace': 'generations-guard-namespace',
};

/** A review over a connection of its own, as an API server that trusts the configuration's bundle sends it. */
async function askDirectly(): Promise<{ status: number; serial: string }> {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/generations-guard';
  const { body } = await cluster.call('admin', 'GET', path);
  const ca = Buffer.from((body as KubeObject).webhooks[0].clientConfig.caBundle, 'base64').toString();
  const review = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '1',
      operation: 'CREATE',
      resource: { group: '', resource: 'secrets' },
      userInfo: { username: 'x' },
    },
  };
  return new Promise((resolve, reject) => {
    const options = { ca, method: 'POST', agent: new Agent({ keepAlive: false }), timeout: 5_000 };
    const sent = request(`https://127.0.0.1:${cluster.port}/validate`, options, (response) => {
      const serial = (response.socket as TLSSocket).getPeerX509Certificate()?.serialNumber ?? '';
      response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, serial }));
    });
    sent.on('error', reject).end(JSON.stringify(review));
  });
}

describe('without the webhook', () => {
  it('everything that the policies close is closed', async () => {
    expect(await closedByPolicies()).toEqual(CLOSED);
    // What only the webhook knows is open: this is what it is for.
    expect(await evict(cluster, open)).toBeUndefined();
  });

  it('a sick machine is cordoned, drained and removed, and the operator’s pod is rescheduled', async () => {
    const conditions = [{ type: 'Ready', status: 'False', reason: 'Tested', message: '' }];
    await expectStatus(
      200,
      cluster.call('nodeController', 'PATCH', `${nodePath(site.node)}/status`, { status: { conditions } }),
    );
    await eventually('the policies to see it', async () => {
      const patch = cluster.call('person', 'PATCH', `${nodePath(site.node)}?dryRun=All`, {
        spec: { unschedulable: true },
      });
      return (await patch).status === 200;
    });
    expect(await evict(cluster, open)).toBeUndefined();
    await expectStatus(200, cluster.call('nodeController', 'DELETE', `${nodePath(site.node)}?dryRun=All`));

    const system = await aPod(cluster, 'generations-system', site.node.metadata.name);
    expect(await evict(cluster, system)).toBeUndefined();
    await expectStatus(200, cluster.call('admin', 'DELETE', `${system}?gracePeriodSeconds=0`));
    await aPod(cluster, 'generations-system', site.node.metadata.name);
    const healed = [{ type: 'Ready', status: 'True', reason: 'Tested', message: '' }];
    await expectStatus(
      200,
      cluster.call('kubelet', 'PATCH', `${nodePath(site.node)}/status`, { status: { conditions: healed } }),
    );
  });

  it('a machine goes into maintenance, and a person opens the namespace by hand', async () => {
    const name = site.node.metadata.name;
    expect(await patchNode(cluster, site.node, maintenance(name))).toBeUndefined();
    const namespace = `/api/v1/namespaces/${guarded.split('/')[4]}`;
    const draining = (value: string | null) =>
      expectStatus(
        200,
        cluster.call('admin', 'PATCH', namespace, { metadata: { annotations: { 'generations.dev/draining': value } } }),
      );
    await draining(name);
    await eventually('the eviction', async () => (await evict(cluster, guarded)) === undefined);
    await draining(null);
    expect(await patchNode(cluster, site.node, maintenance(null))).toBeUndefined();
  });
});

describe('a certificate', () => {
  it('is renewed without a restart, and nobody is left without an answer', async () => {
    // Made long ago by this clock; it is due when the clock is put right.
    const running = await start(-70);
    await untilItRefuses();
    const before = await askDirectly();
    running.clock.daysOff = 0;
    let asked = 0;
    await eventually('another certificate', async () => {
      const { status, serial } = await askDirectly();
      expect(status).toBe(200);
      expect(await webhookRefuses()).toBe(true);
      asked++;
      return serial !== before.serial;
    });
    expect(asked).toBeGreaterThan(0);
    const { body } = await cluster.call(
      'admin',
      'GET',
      '/api/v1/namespaces/generations-system/secrets/generations-webhook',
    );
    const leaf = new X509Certificate(Buffer.from((body as KubeObject).data['tls.crt'], 'base64'));
    expect(Date.parse(leaf.validTo)).toBeGreaterThan(Date.now() + 89 * 86_400_000);
  });

  it('that has ended opens nothing, and is replaced by whoever has the right time', async () => {
    const secret = '/api/v1/namespaces/generations-system/secrets/generations-webhook';
    await expectStatus(200, cluster.call('admin', 'DELETE', secret));
    const behind = await start(-200);
    const trouble = () =>
      askDirectly().then(
        () => '',
        (error: Error) => error.message,
      );
    await eventually('the certificate that has ended', async () => (await trouble()).includes('expired'));
    // The API server looks at it anew with the next connection: the webhook has just been started again.
    expect(await evict(cluster, open)).toBeUndefined();
    expect(await closedByPolicies()).toEqual(CLOSED);
    await behind.stop();
    await start();
    await untilItRefuses();
  });

  it('holds for an API server and an operator whose clocks are two hours apart', async () => {
    await expectStatus(
      200,
      cluster.call('admin', 'DELETE', '/api/v1/namespaces/generations-system/secrets/generations-webhook'),
    );
    await start(2 / 24);
    await untilItRefuses();
  });
});
