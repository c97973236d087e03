import { describe, expect, it } from '@jest/globals';
import { useControlPlane } from '../../../local/testing.ts';
import { LABEL } from '../../../src/api/v1alpha1/index.ts';
import { refusalOf } from '../../../src/controllers/refusal.ts';
import { clientOver, type KubeClient } from '../../../src/kube/client.ts';
import { type KubeObject, resource } from '../../../src/kube/resource.ts';
import { serviceTarget } from '../../../src/traffic/service.ts';
import { ForeignChange, type TargetView } from '../../../src/traffic/target.ts';
import { until } from '../kit/kit.ts';
import { anEdge, type Edge } from './edge.ts';

/** Traffic Services on a real API server, with the endpoints that the controller manager makes of them. */

const controlPlane = useControlPlane();
const webhooks = resource<KubeObject>(
  'admissionregistration.k8s.io/v1',
  'ValidatingWebhookConfiguration',
  'validatingwebhookconfigurations',
  false,
);
const LIMIT = 20_000;
const maintenance = { app: 'maintenance' };

/** Looks again and again until the target is as wished. */
async function untilSeen(edge: Edge, generation: string, what: string, wish: (view: TargetView) => boolean) {
  const target = serviceTarget(edge.client);
  await until(what, async () => wish(await target.view(edge.spec, edge.to(generation))), LIMIT);
}

/** A client in front of whose n-th request something else happens. */
function interrupted({ transport, namespace }: KubeClient, n: number, act: () => Promise<unknown>): KubeClient {
  let requests = 0;
  const send: typeof transport.send = async (request) => {
    if (++requests === n) await act();
    return transport.send(request);
  };
  return clientOver({ ...transport, send }, 'kit-test', namespace);
}

describe('a traffic Service', () => {
  it('whose switch an admission webhook would refuse is known beforehand, and nothing of it is written', async () => {
    const edge = await anEdge(controlPlane, { selector: { app: 'www' } });
    const target = serviceTarget(edge.client);
    const before = await edge.service();
    const states = [maintenance, { app: 'www' }];
    await target.attempt?.(edge.spec, states);
    const name = `${edge.namespace}.policy-engine.example.com`;
    await edge.client.create(webhooks, {
      metadata: { name },
      webhooks: [
        {
          name,
          clientConfig: { url: 'https://127.0.0.1:1/validate' },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['services'] }],
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': edge.namespace } },
          failurePolicy: 'Fail',
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          timeoutSeconds: 2,
        },
      ],
    } as never);
    let refused: unknown;
    const isRefused = async () => {
      refused = await target.attempt?.(edge.spec, states).catch((error: unknown) => error);
      return refused !== undefined;
    };
    await until('the API server to know the webhook', isRefused, LIMIT);
    expect(refusalOf(refused)).toMatchObject({
      reason: 'WebhookFails',
      words: expect.stringContaining(`failed calling webhook "${name}"`),
    });
    const { metadata, spec } = await edge.service();
    expect([metadata.resourceVersion, spec]).toEqual([before.metadata.resourceVersion, before.spec]);
  }, 60_000);

  it('is held, let through to the new generation, and held and put back again, each seen by its endpoints', async () => {
    const edge = await anEdge(controlPlane, { maintenance });
    const [responders] = await Promise.all([edge.runOther(maintenance, 2), edge.run('blue', 2), edge.run('green', 2)]);
    const target = serviceTarget(edge.client);
    const { wanted: blue } = await target.view(edge.spec, edge.to('blue'));
    const view = await target.view(edge.spec, edge.to('green'));
    expect(view.problem).toBeUndefined();
    expect(view.hold).toMatchObject({ wanted: maintenance, serving: false });
    expect(view.hold?.problem).toBeUndefined();

    await target.point(edge.spec, view.now, blue);
    await untilSeen(edge, 'blue', 'blue to serve', ({ serving }) => serving);
    await target.point(edge.spec, blue, maintenance);
    await untilSeen(edge, 'green', 'the maintenance responder to serve', ({ hold }) => hold?.serving === true);
    expect(await edge.arriving()).toEqual(responders.toSorted());

    await target.point(edge.spec, maintenance, view.wanted);
    await untilSeen(edge, 'green', 'green to serve', ({ serving }) => serving);
    expect(await edge.arriving()).toEqual(edge.podsOf('green'));
    expect((await target.view(edge.spec, edge.to('green'))).hold?.serving).toBe(false);

    await target.point(edge.spec, view.wanted, maintenance);
    await untilSeen(edge, 'green', 'the maintenance responder to serve again', ({ hold }) => hold?.serving === true);
    await target.point(edge.spec, maintenance, blue);
    await untilSeen(edge, 'blue', 'blue to serve again', ({ serving }) => serving);
    expect(await edge.arriving()).toEqual(edge.podsOf('blue'));
    expect((await edge.service()).metadata.labels?.[LABEL.traffic]).toBe('true');
  }, 60_000);

  it('that selected nothing goes back to selecting nobody: without a selector its endpoints would stay', async () => {
    const edge = await anEdge(controlPlane);
    await edge.run('green', 1);
    const target = serviceTarget(edge.client);
    const { now, wanted, nowhere } = await target.view(edge.spec, edge.to('green'));
    expect(now).toEqual({});
    await target.point(edge.spec, now, wanted);
    await untilSeen(edge, 'green', 'green to serve', ({ serving }) => serving);
    await target.point(edge.spec, wanted, nowhere ?? {});
    await until('its endpoints to go', async () => (await edge.arriving()).length === 0, LIMIT);
  }, 60_000);

  it('whose selector two managers apply is refused, by name, and not once it is the operator’s alone', async () => {
    const edge = await anEdge(controlPlane);
    await edge.run('green', 1);
    const target = serviceTarget(edge.client);
    await edge.applyAs('argocd-controller', { spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } });
    const view = await target.view(edge.spec, edge.to('green'));
    expect(view.problem).toEqual({
      reason: 'SelectorOwnedByAnother',
      message: `spec.selector of Service ${edge.namespace}/www is managed by argocd-controller: hand it over to the operator first (docs/cutover.md), then leave it out there, or a Service that carries traffic loses it`,
    });
    // Git leaves it out from now on: the API server takes it away from the Service, too.
    await edge.applyAs('argocd-controller', { spec: { ports: [{ port: 80 }] } });
    const after = await target.view(edge.spec, edge.to('green'));
    expect(after).toMatchObject({ now: {} });
    expect(after.problem).toBeUndefined();
    await target.point(edge.spec, after.now, after.wanted);
    // And goes on applying the rest, without a conflict and without touching the selector.
    await edge.applyAs('argocd-controller', { spec: { ports: [{ port: 80 }], sessionAffinity: 'ClientIP' } });
    expect((await edge.service()).spec).toMatchObject({ selector: after.wanted, sessionAffinity: 'ClientIP' });
  }, 60_000);

  it('that leads to a container port which its pods do not have is refused: they are ready endpoints all the same', async () => {
    const edge = await anEdge(controlPlane, { selector: { app: 'web' } });
    await edge.run('green', 1);
    const target = serviceTarget(edge.client);
    await edge.applyAs('team', { spec: { ports: [{ port: 80, targetPort: 'http' }] } });
    const { wanted, problem } = await target.view(edge.spec, edge.to('green'));
    expect(problem?.reason).toBe('SelectorOwnedByAnother');
    await target.point(edge.spec, { app: 'web' }, wanted);
    await until('its endpoint', async () => (await edge.arriving()).length === 1, LIMIT);
    expect(await target.view(edge.spec, edge.to('green'))).toMatchObject({
      nobody: true,
      serving: false,
      problem: { reason: 'PortNotFound' },
      waitingFor: expect.stringMatching(/ 1 ready endpoints, 0 of them .*, and none with port http$/),
    });
    await edge.applyAs('team', { spec: { ports: [{ port: 80, targetPort: 8080 }] } });
    await untilSeen(edge, 'green', 'green to serve by number', ({ serving }) => serving);
  }, 60_000);

  it('that a person sets back by hand can be moved on, and is the operator’s again', async () => {
    const edge = await anEdge(controlPlane);
    await edge.run('green', 1);
    const target = serviceTarget(edge.client);
    const { now, wanted } = await target.view(edge.spec, edge.to('green'));
    await target.point(edge.spec, now, wanted);
    await edge.edit({ app: 'foreign' });
    await expect(target.point(edge.spec, now, wanted)).rejects.toThrow(
      `Service ${edge.namespace}/www selects app=foreign, which is neither what this cutover last saw there ((nothing)) nor what it wants`,
    );
    await edge.edit(maintenance);
    expect((await target.view(edge.spec, edge.to('green'))).problem?.reason).toBe('SelectorOwnedByAnother');
    await target.point(edge.spec, maintenance, wanted);
    const view = await target.view(edge.spec, edge.to('green'));
    expect(view.now).toEqual(wanted);
    expect(view.problem).toBeUndefined();
  }, 60_000);

  it('that somebody else edits between the look and the write is left as they put it', async () => {
    const edge = await anEdge(controlPlane, { selector: { app: 'web' } });
    const racing = serviceTarget(interrupted(edge.client, 2, () => edge.edit({ app: 'foreign' })));
    await expect(racing.point(edge.spec, { app: 'web' }, maintenance)).rejects.toBeInstanceOf(ForeignChange);
    expect((await edge.service()).spec?.selector).toEqual({ app: 'foreign' });
  }, 60_000);

  it('of which somebody else edits another part meanwhile is moved all the same, and keeps the edit', async () => {
    const edge = await anEdge(controlPlane, { selector: { app: 'web' } });
    const label = () => edge.applyAs('team', { metadata: { name: 'www', labels: { team: 'edge' } } });
    await serviceTarget(interrupted(edge.client, 2, label)).point(edge.spec, { app: 'web' }, maintenance);
    expect(await edge.service()).toMatchObject({
      metadata: { labels: { team: 'edge', [LABEL.traffic]: 'true' } },
      spec: { selector: maintenance },
    });
  }, 60_000);

  it('is moved once by two operators that both believe to be the leader', async () => {
    const edge = await anEdge(controlPlane, { selector: { app: 'web' } });
    const versions = new Set<string | undefined>();
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        await serviceTarget(edge.client).point(edge.spec, { app: 'web' }, maintenance);
        versions.add((await edge.service()).metadata.resourceVersion);
      }),
    );
    expect((await edge.service()).spec?.selector).toEqual(maintenance);
    expect(versions.size).toBe(1);
  }, 60_000);
});
