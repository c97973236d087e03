import { afterEach, expect, it } from '@jest/globals';
import { LABEL } from '../../src/api/v1alpha1/index.ts';
import { daemonSets, nodes, pods, services } from '../../src/kube/resources.ts';
import { selectorFor } from '../builders/index.ts';
import { expectGolden } from './golden.ts';
import { plain, type Site, withBlueLive } from './site.ts';

/** What a Platform says of its traffic between cutovers: what is seen, once, and nothing while nothing changes. */

let site: Site | undefined;
afterEach(() => site?.world.operator.crash());

const podsOfBlue = ({ world }: Site) =>
  world.server.all(pods).filter(({ metadata }) => metadata.labels?.[LABEL.generation] === 'blue');
const target = ({ platform }: Site, name: string) => platform().status.traffic?.find((entry) => entry.name === name);

it('names each way to lose users, and is done with it when it is over', async () => {
  site = await withBlueLive(plain());
  const { world } = site;
  const { server, cloud } = world;
  world.log.length = 0;
  const back = server.read(daemonSets, 'edge/web-blue');
  const lost = podsOfBlue(site);
  world.note('somebody deletes DaemonSet web-blue, and its pods go');
  server.edit(daemonSets, 'edge/web-blue', ({ metadata }) => {
    metadata.deletionTimestamp = 'now';
  });
  for (const { metadata } of lost)
    server.edit(pods, `edge/${metadata.name}`, (pod) => {
      pod.metadata.deletionTimestamp = 'now';
    });
  await world.run(5);
  world.note('DaemonSet web-blue is applied again');
  server.seed(daemonSets, back ?? {});
  for (const pod of lost) server.seed(pods, pod);
  await world.run(5);

  world.note('no pod is ready');
  for (const { metadata } of podsOfBlue(site))
    server.edit(pods, `edge/${metadata.name}`, (pod) => {
      pod.status = { conditions: [{ type: 'Ready', status: 'False', message: 'the database is away' }] };
    });
  await world.run(5);
  world.note('all are');
  for (const { metadata } of podsOfBlue(site))
    server.edit(pods, `edge/${metadata.name}`, (pod) => {
      pod.status = { conditions: [{ type: 'Ready', status: 'True' }] };
    });
  await world.run(5);

  world.note('somebody changes the selector of www, and back');
  server.edit(services, 'edge/www', ({ spec }) => Object.assign(spec?.selector ?? {}, { app: 'party' }));
  await world.run(5);
  server.edit(services, 'edge/www', (service) => {
    service.spec = { ...service.spec, selector: selectorFor('blue') };
  });
  await world.run(5);

  const { machines: [first = ''] = [] } = target(site, 'public-ips') ?? {};
  world.note('somebody points eipalloc-1 at a machine of theirs, and back');
  cloud.addresses['eipalloc-1'] = 'i-foreign';
  await world.run(65);
  cloud.addresses['eipalloc-1'] = first;
  await world.run(35);

  world.note(`the kubelet of ${first} is silent, and speaks again`);
  for (const status of ['False', 'True'] as const) {
    server.edit(nodes, `node-${first}`, (node) => {
      node.status = { ...node.status, conditions: [{ type: 'Ready', status }] };
    });
    await world.run(5);
  }
  expectGolden('traffic', world.log);
});

it('says nothing, and asks nothing of the addresses, while nothing changes, and after a restart neither', async () => {
  site = await withBlueLive(plain());
  const { world, platform } = site;
  await world.run(60);
  const { guard: _, ...said } = platform().status;
  world.log.length = 0;
  const { length } = world.server.requests;
  let asked = 0;
  const { addresses } = world.cloud.provider;
  Object.assign(world.cloud.provider, {
    addresses: (ids: string[]) => {
      asked++;
      return addresses(ids);
    },
  });
  await world.run(600);
  expect(asked).toBe(0);
  await world.restart();
  await world.run(120);
  const { guard: __, ...now } = platform().status;
  expect(now).toEqual(said);
  expect(world.log.filter((line) => line.includes('Platform us: '))).toEqual([]);
  // A process that has just started has to learn the public address of each allocation, once.
  expect(asked).toBe(1);
  const since = world.server.requests.slice(length);
  expect(since.filter((request) => /deployments|daemonsets|replicasets/.test(request))).toEqual([]);
});
