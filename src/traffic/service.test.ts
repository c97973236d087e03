import { describe, expect, it } from '@jest/globals';
import { anApiServer, aServiceTarget, EPOCH, selectorFor } from '../../test/builders/index.ts';
import { LABEL } from '../api/v1alpha1/index.ts';
import { endpointSlices, pods, services } from '../kube/resources.ts';
import { serviceTarget } from './service.ts';
import { type Destination, ForeignChange, type Member } from './target.ts';

const blue = selectorFor('blue');
const green = selectorFor('green');
const member = (changes: Partial<Member> = {}): Member => ({
  machine: 'i-1',
  launchTime: EPOCH,
  role: 'web',
  node: 'node-1',
  ready: true,
  ...changes,
});
const toGreen = (members: Member[] = [member()]): Destination => ({ platform: 'us', generation: 'green', members });
const meta = (name: string, changes: object = {}) => ({
  name,
  namespace: 'edge',
  uid: `uid-${name}`,
  resourceVersion: '1',
  creationTimestamp: '',
  ...changes,
});

function world(selector: Record<string, string> | undefined = blue, metadata: object = {}) {
  const server = anApiServer(() => EPOCH);
  server.seed(services, { metadata: meta('www', metadata), spec: { ...(selector && { selector }) } });
  const fate = { before: () => {} };
  const target = serviceTarget(server.client({ before: () => fate.before() }));
  const pod = (name: string, node: string, ready = true, changes: object = {}) =>
    server.seed(pods, {
      metadata: meta(name, { labels: green, ...changes }),
      spec: { nodeName: node },
      status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    });
  const slice = (...endpoints: { nodeName: string; conditions?: { ready?: boolean } }[]) =>
    server.seed(endpointSlices, {
      metadata: meta('www-1', { labels: { 'kubernetes.io/service-name': 'www' } }),
      endpoints,
    });
  return { server, target, pod, slice, fate };
}
const spec = aServiceTarget();

describe('a Service, looked at for a generation', () => {
  it('shows what it selects and what it would have to', async () => {
    const { target, pod, slice } = world();
    pod('web-1', 'node-1');
    slice({ nodeName: 'node-old' });
    expect(await target.view(spec, toGreen())).toEqual({
      target: 'www',
      role: 'web',
      now: blue,
      wanted: green,
      serving: false,
      waitingFor: 'EndpointSlices of Service edge/www show 1 ready endpoints, 1 of them not on machines of green',
    });
  });

  it.each<[string, { nodeName: string; conditions?: { ready?: boolean } }[], boolean]>([
    ['its endpoints are all on the machines of the generation', [{ nodeName: 'node-1' }], true],
    [
      'those elsewhere are not ready',
      [{ nodeName: 'node-1' }, { nodeName: 'node-old', conditions: { ready: false } }],
      true,
    ],
    ['one is elsewhere', [{ nodeName: 'node-1' }, { nodeName: 'node-old' }], false],
    ['none is ready', [{ nodeName: 'node-1', conditions: { ready: false } }], false],
    ['there is none', [], false],
  ])('serves from it when %s: %#', async (_, endpoints, serving) => {
    const { target, pod, slice } = world(green);
    pod('web-1', 'node-1');
    slice(...endpoints);
    expect((await target.view(spec, toGreen())).serving).toBe(serving);
  });

  it('does not serve from it before it selects it, wherever endpoints are', async () => {
    const { target, pod, slice } = world(blue);
    pod('web-1', 'node-1');
    slice({ nodeName: 'node-1' });
    expect((await target.view(spec, toGreen())).serving).toBe(false);
  });

  it('that does not exist is a problem that says what to do', async () => {
    const view = await world().target.view({ ...spec, service: { namespace: 'edge', name: 'api' } }, toGreen());
    expect(view).toMatchObject({
      now: {},
      serving: false,
      problem: {
        reason: 'TargetNotFound',
        message: 'Service edge/api of traffic target www does not exist: create it, without spec.selector',
      },
    });
  });

  it.each<[string, Member[], boolean, object]>([
    ['it has no pod on a machine of the generation', [member({ node: 'node-2' })], true, {}],
    ['its pod is not Ready', [member()], false, {}],
    ['its machine is not Ready', [member({ ready: false })], true, {}],
    ['its pod is being deleted', [member()], true, { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['x'] }],
    ['its pod is another generation’s', [member()], true, { labels: blue }],
  ])('cannot take traffic (S1): %s', async (_, members, ready, changes) => {
    const { target, pod } = world();
    pod('web-1', 'node-1', ready, changes);
    expect((await target.view(spec, toGreen(members))).problem?.reason).toBe('NoReadyEndpoints');
  });

  it('whose selector another manager owns is refused, by name', async () => {
    const owner = (manager: string, fields: object, more: object = {}) => ({
      manager,
      operation: 'Apply',
      fieldsV1: fields,
      ...more,
    });
    const selector = { 'f:spec': { 'f:selector': {} } };
    const managedFields = [
      owner('argocd-controller', selector),
      owner('generations-cutover', selector),
      owner('kubectl', { 'f:spec': { 'f:ports': {} } }),
      owner('kube-proxy', selector, { subresource: 'status' }),
    ];
    const { target, pod } = world(blue, { managedFields });
    pod('web-1', 'node-1');
    expect((await target.view(spec, toGreen())).problem).toEqual({
      reason: 'SelectorOwnedByAnother',
      message:
        'spec.selector of Service edge/www is managed by argocd-controller: leave spec.selector out there, the operator owns it',
    });
  });
});

describe('a Service, pointed at a generation', () => {
  it('selects it, owned by the cutover, and is marked as a traffic Service', async () => {
    const { server, target } = world();
    await target.point(spec, blue, green);
    const service = server.read(services, 'edge/www');
    expect(service?.spec?.selector).toEqual(green);
    expect(service?.metadata.labels).toEqual({ [LABEL.traffic]: 'true' });
    expect(service?.metadata.managedFields?.map(({ manager, operation }) => [manager, operation])).toEqual([
      ['generations-cutover', 'Apply'],
    ]);
  });

  it('that has no selector yet gets one', async () => {
    const { server, target } = world({});
    await target.point(spec, {}, green);
    expect(server.read(services, 'edge/www')?.spec?.selector).toEqual(green);
  });

  it('that is there already is not written again', async () => {
    const { server, target } = world(green);
    await target.point(spec, blue, green);
    expect(server.requests).toEqual(['GET services www']);
  });

  it('that somebody else has changed is left alone', async () => {
    const { server, target } = world({ app: 'maintenance' });
    await expect(target.point(spec, blue, green)).rejects.toThrow(
      new ForeignChange(
        'Service edge/www selects app=maintenance, which is neither what this cutover found (generations.dev/platform=us, generations.dev/role=web, generations.dev/generation=blue) nor what it wants (generations.dev/platform=us, generations.dev/role=web, generations.dev/generation=green): somebody else changed it',
      ),
    );
    expect(server.read(services, 'edge/www')?.spec?.selector).toEqual({ app: 'maintenance' });
  });

  it('that somebody changes at the same moment is left alone', async () => {
    const { server, target, fate } = world();
    let requests = 0;
    fate.before = () => {
      if (++requests === 2)
        server.edit(services, 'edge/www', (service) => {
          service.spec = { selector: { app: 'maintenance' } };
        });
    };
    await expect(target.point(spec, blue, green)).rejects.toBeInstanceOf(ForeignChange);
    expect(server.read(services, 'edge/www')?.spec?.selector).toEqual({ app: 'maintenance' });
  });
});
