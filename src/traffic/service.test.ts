import { describe, expect, it } from '@jest/globals';
import { anApiServer, aServiceTarget, at, EPOCH, selectorFor } from '../../test/builders/index.ts';
import { LABEL } from '../api/v1alpha1/index.ts';
import { type Endpoint, endpointSlices, pods, services } from '../kube/resources.ts';
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
  const slice = (...endpoints: { nodeName: string; conditions?: Endpoint['conditions'] }[]) =>
    server.seed(endpointSlices, {
      metadata: meta('www-1', { labels: { 'kubernetes.io/service-name': 'www' } }),
      endpoints: endpoints.map(({ nodeName, conditions }) => ({
        nodeName,
        targetRef: { uid: nodeName === 'node-1' ? 'uid-web-1' : 'uid-old-1' },
        ...(conditions && { conditions }),
      })),
    });
  /** Endpoints as the controller manager makes them: each names its pod. */
  const podSlice = (name: string, ...endpoints: [pod: string, nodeName: string][]) =>
    server.seed(endpointSlices, {
      metadata: meta(name, { labels: { 'kubernetes.io/service-name': 'www' } }),
      endpoints: endpoints.map(([pod, nodeName]) => ({ nodeName, targetRef: { name: pod, uid: `uid-${pod}` } })),
    });
  return { server, target, pod, slice, podSlice, fate };
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
      nowhere: { ...green, [LABEL.generation]: '' },
      serving: false,
      waitingFor: 'EndpointSlices of Service edge/www show 1 ready endpoints, 1 of them not on machines of green',
    });
  });

  it.each<[string, { nodeName: string; conditions?: Endpoint['conditions'] }[], boolean]>([
    ['its endpoints are all on the machines of the generation', [{ nodeName: 'node-1' }], true],
    [
      'those elsewhere are not ready',
      [{ nodeName: 'node-1' }, { nodeName: 'node-old', conditions: { ready: false } }],
      true,
    ],
    ['one is elsewhere', [{ nodeName: 'node-1' }, { nodeName: 'node-old' }], false],
    ['none is ready', [{ nodeName: 'node-1', conditions: { ready: false } }], false],
    // With publishNotReadyAddresses, which a Service may have, the API server calls these ready.
    ['none answers', [{ nodeName: 'node-1', conditions: { ready: true, serving: false } }], false],
    ['all are being deleted', [{ nodeName: 'node-1', conditions: { ready: true, terminating: true } }], false],
    [
      'one that does not answer is elsewhere: it is sent requests all the same',
      [{ nodeName: 'node-1' }, { nodeName: 'node-old', conditions: { ready: true, serving: false } }],
      false,
    ],
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
      unseen: true,
      gone: true,
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

  it('serves from it only when its endpoints are pods that it selects: others may run on the same machines', async () => {
    const { target, pod, podSlice } = world(green);
    pod('web-1', 'node-1');
    pod('maintenance-1', 'node-1', true, { labels: { app: 'maintenance' } });
    podSlice('www-1', ['maintenance-1', 'node-1']);
    expect((await target.view(spec, toGreen())).serving).toBe(false);
    podSlice('www-1', ['web-1', 'node-1']);
    expect((await target.view(spec, toGreen())).serving).toBe(true);
  });

  it('does not serve from a pod that was deleted and came back under the same name elsewhere', async () => {
    const { target, pod, server } = world(green);
    pod('web-1', 'node-1');
    server.seed(endpointSlices, {
      metadata: meta('www-1', { labels: { 'kubernetes.io/service-name': 'www' } }),
      endpoints: [{ nodeName: 'node-1', targetRef: { name: 'web-1', uid: 'uid-of-the-former' } }],
    });
    expect((await target.view(spec, toGreen())).serving).toBe(false);
  });

  it.each<[string, object, string, RegExp]>([
    ['is being deleted', { metadata: { deletionTimestamp: at(0), finalizers: ['x'] } }, 'ServiceDeleted', /anew/],
    ['leads to a DNS name', { spec: { type: 'ExternalName', selector: blue } }, 'ExternalName', /make it a ClusterIP/],
  ])('that %s cannot be switched', async (_, changes, reason, message) => {
    const { server, target, pod } = world();
    pod('web-1', 'node-1');
    server.edit(services, 'edge/www', (service) => {
      const { metadata, spec: wanted } = changes as { metadata?: object; spec?: object };
      Object.assign(service.metadata, metadata);
      Object.assign(service.spec ?? {}, wanted);
    });
    const { problem } = await target.view(spec, toGreen());
    expect(problem).toEqual({ reason, message: expect.stringMatching(message) });
  });

  it('that has an endpoint written by hand cannot be switched: no selector takes it away', async () => {
    const { server, target, pod } = world({});
    pod('web-1', 'node-1');
    server.seed(endpointSlices, {
      metadata: meta('www-hand', { labels: { 'kubernetes.io/service-name': 'www' } }),
      endpoints: [{ addresses: ['192.0.2.7'] }],
    });
    expect((await target.view(spec, toGreen())).problem).toEqual({
      reason: 'EndpointsByHand',
      message:
        'Service edge/www has endpoint 192.0.2.7, which is no pod and which no selector takes away, or brings back: delete the EndpointSlice or Endpoints that somebody has written for it',
    });
  });

  it('needs as many ready pods there as serve now, each counted once', async () => {
    const { target, pod, podSlice } = world();
    for (const name of ['old-1', 'old-2']) pod(name, 'node-old', true, { labels: blue });
    podSlice('www-1', ['old-1', 'node-old'], ['old-2', 'node-old']);
    podSlice('www-ipv6', ['old-1', 'node-old'], ['old-2', 'node-old']);
    pod('web-1', 'node-1');
    pod('web-2', 'node-1', false);
    const view = await target.view(spec, toGreen());
    expect(view.problem).toEqual({
      reason: 'TooFewReadyEndpoints',
      message: `traffic target www is served by 2 pods now, and of 2 pods labelled ${LABEL.role}=web and ${LABEL.generation}=green in namespace edge only 1 are Ready on a machine of that generation: wait for them or start more, or write allowSmallerRoles: true in the Cutover`,
    });
    expect(view.nobody).toBeUndefined();
    pod('web-2', 'node-1');
    expect((await target.view(spec, toGreen())).problem).toBeUndefined();
  });

  it('needs as many ready pods there as minReady says, but for a cutover that allows fewer', async () => {
    const { target, pod } = world();
    pod('web-1', 'node-1');
    const two = { ...spec, minReady: 2 };
    expect((await target.view(two, toGreen())).problem).toEqual({
      reason: 'TooFewReadyEndpoints',
      message: expect.stringContaining('traffic target www has minReady 2, and of 1 pods'),
    });
    expect((await target.view(two, { ...toGreen(), fewer: true })).problem).toBeUndefined();
    pod('web-2', 'node-1');
    expect((await target.view(two, toGreen())).problem).toBeUndefined();
  });

  it('needs one when fewer are allowed, and not none', async () => {
    const { target, pod, podSlice } = world();
    podSlice('www-1', ['old-1', 'node-old'], ['old-2', 'node-old']);
    const fewer = { ...toGreen(), fewer: true };
    expect(await target.view(spec, fewer)).toMatchObject({ nobody: true, problem: { reason: 'NoReadyEndpoints' } });
    pod('web-1', 'node-1');
    expect((await target.view(spec, fewer)).problem).toBeUndefined();
  });

  it('does not count among those that serve now who is sent requests and does not answer', async () => {
    const { target, pod, slice } = world();
    pod('web-1', 'node-1');
    slice({ nodeName: 'node-old', conditions: { ready: true, serving: false } });
    expect((await target.view(spec, toGreen())).problem).toBeUndefined();
  });

  it.each<[string, { namespace: string; name: string }, object]>([
    ['the target itself', { namespace: 'edge', name: 'www' }, {}],
    ['a Service that carries traffic', { namespace: 'edge', name: 'api' }, { labels: { [LABEL.traffic]: 'true' } }],
  ])('whose preview is %s is refused: users would see what no check has seen', async (_, preview, metadata) => {
    const { server, target, pod } = world();
    pod('web-1', 'node-1');
    server.seed(services, { metadata: meta('api', metadata), spec: { ports: [{ port: 80 }] } });
    expect((await target.view({ ...spec, preview }, toGreen())).problem).toEqual({
      reason: 'PreviewIsLive',
      message: `preview Service edge/${preview.name} of traffic target www carries live traffic itself: give the target a Service of its own for checks`,
    });
  });

  it('whose preview Service does not exist is a problem that says what to do', async () => {
    const { server, target, pod } = world();
    pod('web-1', 'node-1');
    const previewed = { ...spec, preview: { namespace: 'edge', name: 'www-preview' } };
    expect((await target.view(previewed, toGreen())).problem).toEqual({
      reason: 'PreviewNotFound',
      message:
        'preview Service edge/www-preview of traffic target www does not exist: create it, without spec.selector, or take preview out of the target',
    });
    server.seed(services, { metadata: meta('www-preview'), spec: {} });
    expect((await target.view(previewed, toGreen())).problem).toBeUndefined();
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
        'spec.selector of Service edge/www is managed by argocd-controller: hand it over to the operator first (docs/cutover.md), then leave it out there, or a Service that carries traffic loses it',
    });
  });
});

describe('the maintenance responder of a Service', () => {
  const held = { ...spec, maintenance: { selector: { app: 'maintenance' } } };
  const responder = { labels: { app: 'maintenance' } };
  const hold = async ({ target }: ReturnType<typeof world>, destination = toGreen()) =>
    (await target.view(held, destination)).hold;

  it('is not there for a target without one', async () => {
    expect((await world().target.view(spec, toGreen())).hold).toBeUndefined();
  });

  it('can take requests when one of its pods is ready', async () => {
    const site = world();
    site.pod('maintenance-1', 'node-9', true, responder);
    site.pod('maintenance-2', 'node-9', false, responder);
    expect(await hold(site)).toEqual({
      wanted: { app: 'maintenance' },
      serving: false,
      waitingFor:
        'EndpointSlices of Service edge/www show 0 ready endpoints, 0 of them not pods of its maintenance responder',
    });
  });

  it.each<[string, boolean, object]>([
    ['its pod is not Ready', false, responder],
    ['its pod is being deleted', true, { ...responder, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['x'] }],
    ['its pod is in another namespace', true, { ...responder, namespace: 'elsewhere' }],
  ])('cannot when %s', async (_, ready, changes) => {
    const site = world();
    site.pod('maintenance-1', 'node-9', ready, changes);
    const problem = (await hold(site))?.problem;
    expect(problem?.reason).toBe('NoMaintenancePods');
    expect(problem?.message).toMatch(
      /^the maintenance responder of traffic target www has no ready pod: none of . pods labelled app=maintenance in namespace edge is Ready\. Start it/,
    );
  });

  it.each(['green', 'blue'])('cannot when its selector also takes in a ready pod of %s', async (generation) => {
    const site = world();
    site.pod('maintenance-1', 'node-9', true, responder);
    site.pod('web-1', 'node-1', true, { labels: { ...selectorFor(generation), app: 'maintenance' } });
    expect((await hold(site))?.problem).toEqual({
      reason: 'MaintenanceOverlaps',
      message:
        'the maintenance selector app=maintenance of traffic target www also matches pod edge/web-1, which serves role web: behind it nothing would be held. Give the maintenance pods a label that only they have',
    });
  });

  it('may run on machines of a generation, under other roles', async () => {
    const site = world();
    site.pod('maintenance-1', 'node-1', true, { labels: { ...selectorFor('green', 'other'), app: 'maintenance' } });
    expect((await hold(site))?.problem).toBeUndefined();
  });

  it.each<[string, Record<string, string>, string[], boolean]>([
    ['the Service points there and every endpoint is one of its pods', responder.labels, ['maintenance-1'], true],
    ['an endpoint is another pod', responder.labels, ['maintenance-1', 'old-1'], false],
    ['there is no endpoint', responder.labels, [], false],
    ['the Service does not point there', blue, ['maintenance-1'], false],
  ])('serves when %s: %#', async (_, selector, endpoints, serving) => {
    const site = world(selector);
    site.pod('maintenance-1', 'node-9', true, responder);
    site.pod('old-1', 'node-old', true, { labels: blue });
    site.podSlice('www-1', ...endpoints.map((pod): [string, string] => [pod, 'node-9']));
    expect((await hold(site))?.serving).toBe(serving);
  });

  it('says nothing of how many pods it takes to serve', async () => {
    const site = world(responder.labels);
    for (const name of ['maintenance-1', 'maintenance-2']) site.pod(name, 'node-9', true, responder);
    site.podSlice('www-1', ['maintenance-1', 'node-9'], ['maintenance-2', 'node-9']);
    site.pod('web-1', 'node-1');
    expect((await site.target.view(held, toGreen())).problem).toBeUndefined();
  });
});

describe('a Service that leads to container ports by name', () => {
  const held = { ...spec, maintenance: { selector: { app: 'maintenance' } } };
  const port = (name: string, targetPort: string | number) => ({ name, port: 80, targetPort });
  const named = (selector: Record<string, string>, ...ports: object[]) => {
    const site = world(selector);
    site.server.edit(services, 'edge/www', (service) => {
      service.spec = { selector, ports: ports as never };
    });
    const containing = (pod: string, ports: object[], labels = green, init: object[] = []) => {
      site.server.seed(pods, {
        metadata: meta(pod, { labels }),
        spec: { nodeName: 'node-1', containers: [{ name: 'main', ports }], initContainers: init },
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      });
    };
    const offering = (...slices: [pod: string, ports: string[] | null][]) => {
      for (const [pod, ports] of slices)
        site.server.seed(endpointSlices, {
          metadata: meta(`www-${pod}`, { labels: { 'kubernetes.io/service-name': 'www' } }),
          ports: ports?.map((name) => ({ name })) ?? null,
          endpoints: [{ nodeName: 'node-1', targetRef: { name: pod, uid: `uid-${pod}` }, conditions: { ready: true } }],
        });
    };
    return { ...site, containing, offering };
  };
  const http = [{ name: 'http', containerPort: 8080 }];
  const web = [{ name: 'web', containerPort: 8080 }];

  it('cannot be switched to pods that do not have them: they are endpoints, and refuse what they are sent', async () => {
    const { target, containing } = named(blue, port('', 'http'));
    containing('web-1', web);
    const view = await target.view(spec, toGreen());
    expect(view.nobody).toBe(true);
    expect(view.problem).toEqual({
      reason: 'PortNotFound',
      message:
        'Service edge/www of traffic target www leads to the container port named http, which 1 of 1 ready pods of generation green do not have: name the port there, or write its number as targetPort',
    });
    containing('web-2', http);
    expect((await target.view(spec, toGreen())).problem).toBeUndefined();
  });

  it.each<[string, object[], object[], boolean]>([
    ['a sidecar has it', [], [{ name: 'proxy', restartPolicy: 'Always', ports: http }], true],
    ['a container that ends before the pod is Ready has it', [], [{ name: 'setup', ports: http }], false],
    ['it is there for another protocol', [{ name: 'http', protocol: 'UDP' }], [], false],
  ])('when %s: %#', async (_, ports, init, able) => {
    const { target, containing } = named(blue, port('', 'http'));
    containing('web-1', ports, green, init);
    expect((await target.view(spec, toGreen())).problem === undefined).toBe(able);
  });

  it.each<[string, [pod: string, ports: string[] | null][], boolean]>([
    ['every port is offered by some endpoint', [['web-1', ['a', 'b']]], true],
    [
      'each is, by endpoints in slices of their own',
      [
        ['web-1', ['a']],
        ['web-2', ['b']],
      ],
      true,
    ],
    [
      'one is offered by none',
      [
        ['web-1', ['a']],
        ['web-2', ['a']],
      ],
      false,
    ],
    ['none is offered', [['web-1', null]], false],
  ])('serves when %s: %#', async (_, slices, serving) => {
    const { target, containing, offering } = named(green, port('a', 'http'), port('b', 'grpc'), port('c', 9090));
    for (const pod of ['web-1', 'web-2']) containing(pod, [...http, { name: 'grpc' }]);
    offering(...slices);
    const view = await target.view(spec, toGreen());
    expect(view.serving).toBe(serving);
    if (!serving) expect(view.waitingFor).toMatch(/, and none with port (http, )?grpc$/);
  });

  it('is held by a responder that has one of them', async () => {
    const { target, containing, offering } = named({ app: 'maintenance' }, port('a', 'http'), port('b', 'grpc'));
    const look = async () => (await target.view(held, toGreen())).hold;
    containing('page', web, { app: 'maintenance' } as never);
    offering(['page', null]);
    expect(await look()).toMatchObject({
      serving: false,
      problem: { reason: 'NoMaintenancePods', message: expect.stringContaining('the container port named http') },
    });
    containing('page', http, { app: 'maintenance' } as never);
    offering(['page', ['a']]);
    const hold = await look();
    expect(hold?.serving).toBe(true);
    expect(hold?.problem).toBeUndefined();
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
        'Service edge/www selects app=maintenance, which is neither what this cutover last saw there (generations.dev/platform=us, generations.dev/role=web, generations.dev/generation=blue) nor what it wants (generations.dev/platform=us, generations.dev/role=web, generations.dev/generation=green): somebody else changed it',
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

  it('of which something else changes at the same moment is switched all the same', async () => {
    const { server, target, fate } = world();
    let requests = 0;
    fate.before = () => {
      if (++requests === 2)
        server.edit(services, 'edge/www', (service) => {
          service.metadata.labels = { team: 'edge' };
        });
    };
    await target.point(spec, blue, green);
    expect(server.read(services, 'edge/www')).toMatchObject({
      metadata: { labels: { team: 'edge', [LABEL.traffic]: 'true' } },
      spec: { selector: green },
    });
  });

  it('that changes all the time is given up for now', async () => {
    const { server, target, fate } = world();
    let changes = 0;
    fate.before = () => {
      server.edit(services, 'edge/www', (service) => {
        service.metadata.labels = { change: String(++changes) };
      });
    };
    await expect(target.point(spec, blue, green)).rejects.toMatchObject({ status: 409 });
    expect(changes).toBe(6);
  });

  it('whose selector somebody has set back by hand, and owns since, is switched', async () => {
    const fieldsV1 = {
      'f:spec': { 'f:selector': Object.fromEntries(Object.keys(blue).map((key) => [`f:${key}`, {}])) },
    };
    const { server, target } = world(blue, {
      managedFields: [{ manager: 'kubectl-edit', operation: 'Update', fieldsV1 }],
    });
    await target.point(spec, blue, green);
    expect(server.read(services, 'edge/www')?.spec?.selector).toEqual(green);
  });

  it('that was deleted is somebody else’s change', async () => {
    const { target } = world();
    await expect(target.point({ ...spec, service: { namespace: 'edge', name: 'api' } }, blue, green)).rejects.toThrow(
      new ForeignChange('Service edge/api of traffic target www was deleted'),
    );
  });
});
