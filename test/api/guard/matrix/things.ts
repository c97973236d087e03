import { uniqueName } from '../../../../local/testing.ts';
import { eventually, expectStatus, type GuardedCluster, type KubeObject, pathOf, users } from '../cluster.ts';
import { aGeneration, aPlatform, NOON } from '../objects.ts';
import { deletions, edit, patch } from './attempts.ts';
import type { Act, Cast, Family, Who } from './cells.ts';
import {
  anotherPerson,
  anybody,
  anybodyButTheOperator,
  both,
  either,
  nobody,
  people,
  theOperator,
  when,
} from './rules.ts';

/** What stands beside a generation and its machines: classes, Cutovers, CRDs, namespaces, evictions, traffic, and break-glass. */

const apiVersion = 'generations.dev/v1alpha1';

async function remove(cluster: GuardedCluster, ...objects: KubeObject[]): Promise<void> {
  for (const object of objects) await cluster.call('admin', 'DELETE', pathOf(object));
}

const deleting = (ways: string[], what: string, legal: Act['legal']): Act[] =>
  ways.map((way) => ({ what: `${way} ${what}`, to: 'it', attempt: deletions[way] ?? patch({}), legal }));

const classes: Family = {
  name: 'a GenerationClass',
  situations: ['used by a Platform', 'used by a generation', 'free'],
  async build(cluster, situation) {
    const name = uniqueName('class');
    const spec = { provider: 'ec2', ec2: { region: 'us-east-1' }, subnets: [{ id: 'subnet-a', zone: 'us-east-1a' }] };
    const it = await cluster.create({
      apiVersion,
      kind: 'GenerationClass',
      metadata: { name, labels: { site: name } },
      spec,
    });
    const platform = aPlatform(uniqueName('pa'));
    const generation = aGeneration(uniqueName('ga'), 'nowhere');
    const user =
      situation === 'used by a Platform'
        ? { ...platform, spec: { ...platform.spec, className: name }, status: { protected: [] } }
        : { ...generation, spec: { ...generation.spec, className: situation === 'free' ? 'other' : name } };
    const cast = { it, user: await cluster.create(user) };
    const allowed = situation === 'free' ? 200 : 403;
    await eventually(
      'the policies to see who uses the class',
      async () => (await cluster.call('admin', 'DELETE', `${pathOf(it)}?dryRun=All`)).status === allowed,
    );
    return cast;
  },
  discard: (cluster, { user, it }) => remove(cluster, user, it),
  acts: deleting(['delete', 'delete by force', 'delete the collection of'], 'it', when('free')),
};

const cutovers: Family = {
  name: 'a Cutover',
  situations: ['reserving', 'ended'],
  async build(cluster, situation) {
    const name = uniqueName('to');
    const steps = [{ name: 'Reserve', state: 'Done' }];
    const it = await cluster.create({
      apiVersion,
      kind: 'Cutover',
      metadata: { name, labels: { site: name } },
      spec: { platform: 'pa', from: '', to: 'ga-2' },
      status: situation === 'ended' ? { steps, outcome: 'Succeeded' } : { steps },
    });
    return { it: await cluster.get(it) };
  },
  async discard(cluster, { it }) {
    await cluster.call('operator', 'PATCH', `${pathOf(it)}/status`, { status: { outcome: 'Aborted' } });
    await remove(cluster, it);
  },
  acts: [
    ...deleting(Object.keys(deletions), 'it', both(when('ended'), anybodyButTheOperator)),
    {
      what: 'write its outcome',
      to: 'it',
      attempt: patch({ status: { outcome: 'Superseded' } }, '/status'),
      legal: theOperator,
    },
    {
      what: 'abort it',
      to: 'it',
      attempt: patch({ spec: { abort: true } }),
      legal: anybody,
    },
  ],
};

/** Names of the versions are the CRDs' own; each has one. */
const inSchema = (change: (version: KubeObject) => void) => edit(({ spec }) => change(spec.versions[0]));

const crds: Family = {
  name: 'a CustomResourceDefinition of ours',
  situations: ['platforms', 'clustergenerations', 'generationpools', 'generationclasses', 'cutovers'],
  async build(cluster, plural) {
    const kind = 'CustomResourceDefinition';
    const it = await cluster.get({ kind, metadata: { name: `${plural}.generations.dev` } });
    return { it: { ...it, kind } };
  },
  discard: async () => {},
  acts: [
    ...deleting(['delete', 'delete by force', 'delete in the background', 'delete by its UID'], 'it', nobody),
    {
      what: 'stop serving it',
      to: 'it',
      attempt: inSchema((version) => {
        version.served = false;
      }),
      legal: nobody,
    },
    {
      what: 'take its status from its schema',
      to: 'it',
      attempt: inSchema((version) => {
        delete version.schema.openAPIV3Schema.properties.status;
        delete version.schema.openAPIV3Schema['x-kubernetes-validations'];
      }),
      only: ['platforms', 'clustergenerations', 'generationpools', 'cutovers'],
      legal: nobody,
    },
    {
      what: 'take what a field contains from its schema',
      to: 'it',
      attempt: inSchema(({ schema }) => {
        const { live, reservedBy } = schema.openAPIV3Schema.properties.status.properties;
        for (const field of [live, reservedBy]) {
          delete field?.properties.name;
          if (field) field.required = field.required?.filter((name: string) => name !== 'name');
        }
        delete schema.openAPIV3Schema.properties.status['x-kubernetes-validations'];
      }),
      only: ['platforms', 'clustergenerations'],
      legal: nobody,
    },
    {
      what: 'open its status to everybody',
      to: 'it',
      attempt: inSchema((version) => {
        delete version.subresources;
      }),
      legal: nobody,
    },
    {
      what: 'have it converted by a webhook',
      to: 'it',
      attempt: edit(({ spec }) => {
        const clientConfig = { url: 'https://example.com/convert' };
        spec.conversion = { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } };
      }),
      legal: nobody,
    },
    {
      what: 'label it',
      to: 'it',
      attempt: patch({ metadata: { labels: { a: 'b' } } }),
      legal: anybody,
      undo: { who: 'admin', attempt: patch({ metadata: { labels: { a: null } } }) },
    },
  ],
};

const unlabelled = (label: string, subresource: string): Omit<Act, 'what' | 'legal'> => ({
  to: 'it',
  attempt: edit(({ metadata }) => {
    delete metadata.labels[label];
    delete metadata.managedFields;
  }, subresource),
  undo: { who: 'admin', attempt: patch({ metadata: { labels: { [label]: 'true' } } }) },
});

async function aNamespace(cluster: GuardedCluster, situation: string): Promise<KubeObject> {
  const name = uniqueName('ns');
  return cluster.create({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: situation === 'free' ? {} : { 'generations.dev/protected': 'true' },
      annotations: {
        ...(situation === 'announced' && { 'generations.dev/unprotect': name }),
        ...(situation === 'draining' && { 'generations.dev/draining': 'node-1' }),
      },
    },
  });
}

const namespaces: Family = {
  name: 'a namespace',
  situations: ['protected', 'announced', 'free'],
  build: async (cluster, situation) => ({ it: await aNamespace(cluster, situation) }),
  discard: (cluster, { it }) => remove(cluster, it),
  acts: [
    ...deleting(
      ['delete', 'delete by force', 'delete in the background', 'delete in the foreground'],
      'it',
      when('free'),
    ),
    ...['', '/status', '/finalize'].map((subresource) => ({
      what: `unlabel it${subresource && ` through ${subresource}`}`,
      only: ['protected', 'announced'],
      ...unlabelled('generations.dev/protected', subresource),
      legal: when('announced'),
    })),
    {
      what: 'announce that it shall be unprotected',
      to: 'it',
      attempt: ({ metadata }: KubeObject) =>
        patch({
          metadata: {
            annotations: { 'generations.dev/unprotect': metadata.name, at: uniqueName('t') },
            labels: { at: uniqueName('t') },
          },
        })(),
      only: ['protected'],
      legal: anybody,
    },
  ],
};

/** A namespace for each situation, made once: pods in it need its service account, which takes a while. */
function evictions(): Family {
  const made = new Map<string, Promise<KubeObject>>();
  const namespaceFor = async (cluster: GuardedCluster, situation: string): Promise<KubeObject> => {
    const namespace = await aNamespace(cluster, situation);
    const account = `${pathOf(namespace)}/serviceaccounts/default`;
    await eventually('its service account', async () => (await cluster.call('admin', 'GET', account)).status === 200);
    return namespace;
  };
  return {
    name: 'a pod',
    situations: ['protected', 'draining', 'free'],
    async build(cluster, situation) {
      const namespace = made.get(situation) ?? namespaceFor(cluster, situation);
      made.set(situation, namespace);
      const { name } = (await namespace).metadata;
      const it = await cluster.create({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: uniqueName('pod'), namespace: name },
        spec: { containers: [{ name: 'main', image: 'unused' }] },
      });
      return { it };
    },
    discard: (cluster, { it }) => remove(cluster, it),
    acts: [
      {
        what: 'evict it',
        to: 'it',
        attempt: ({ metadata: { name, namespace } }) => ({
          method: 'POST',
          subresource: '/eviction',
          body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } },
        }),
        legal: either(theOperator, when('draining', 'free')),
      },
    ],
  };
}

const traffic = (kind: 'Service' | 'Ingress'): Family => {
  const service = { apiVersion: 'v1', spec: { selector: { app: 'blue' }, ports: [{ port: 80 }] } };
  const backend = (name: string) => ({ defaultBackend: { service: { name, port: { number: 80 } } } });
  const ingress = { apiVersion: 'networking.k8s.io/v1', spec: backend('blue') };
  return {
    name: `a traffic ${kind}`,
    situations: ['traffic', 'announced', 'free'],
    async build(cluster, situation) {
      const name = uniqueName('www');
      const labels = { site: name, ...(situation !== 'free' && { 'generations.dev/traffic': 'true' }) };
      const annotations = situation === 'announced' ? { 'generations.dev/unprotect': name } : {};
      const metadata = { name, namespace: 'default', labels, annotations };
      return { it: await cluster.create({ ...(kind === 'Service' ? service : ingress), kind, metadata }) };
    },
    async discard(cluster, { it }) {
      const announced = { metadata: { annotations: { 'generations.dev/unprotect': it.metadata.name } } };
      await cluster.call('admin', 'PATCH', pathOf(it), announced);
      await cluster.call('admin', 'PATCH', pathOf(it), { metadata: { labels: { 'generations.dev/traffic': null } } });
      await remove(cluster, it);
    },
    acts: [
      ...deleting(['delete', 'delete by force', 'delete the collection of'], 'it', when('free')),
      {
        what: 'send its traffic elsewhere',
        to: 'it',
        attempt: patch({ spec: kind === 'Service' ? { selector: { app: 'green' } } : backend('green') }),
        legal: either(theOperator, when('free')),
        undo: {
          who: 'operator',
          attempt: patch({ spec: kind === 'Service' ? { selector: { app: 'blue' } } : backend('blue') }),
        },
      },
      ...['', '/status'].map((subresource) => ({
        what: `unlabel it${subresource && ` through ${subresource}`}`,
        only: ['traffic', 'announced'],
        ...unlabelled('generations.dev/traffic', subresource),
        legal: when('announced'),
      })),
      {
        what: 'label it otherwise',
        to: 'it',
        attempt: () => patch({ metadata: { labels: { note: uniqueName('n') } } })(),
        legal: anybody,
        undo: 'needless',
      },
    ],
  };
};

/** What two people decide: an override, or a rebind after a restore. */
const decision = (field: 'override' | 'rebind'): Family => {
  const content = field === 'override' ? { generation: 'ga', reason: 'subnet fire' } : { generation: 'ga', uid: 'u1' };
  const write = (value: object | null) => patch({ spec: { [field]: value } })();
  const own = (who: Who) => ({ ...content, requestedBy: users[who] });
  return {
    name: `${field === 'override' ? 'an' : 'a'} ${field}`,
    situations: ['none', 'requested', 'approved'],
    async build(cluster, situation): Promise<Cast> {
      const platform = await cluster.create({ ...aPlatform(uniqueName('pa')), status: { protected: [] } });
      const path = pathOf(platform);
      if (situation !== 'none')
        await expectStatus(200, cluster.call('person', 'PATCH', path, { spec: { [field]: own('person') } }));
      if (situation === 'approved')
        await expectStatus(
          200,
          cluster.call('second', 'PATCH', path, { spec: { [field]: { approvedBy: users.second } } }),
        );
      return { it: platform };
    },
    discard: (cluster, { it }) => remove(cluster, it),
    acts: [
      { what: 'request it', to: 'it', attempt: (_, who) => write(own(who)), legal: people, only: ['none'] },
      {
        what: "request it in another's name",
        to: 'it',
        attempt: () => write({ ...content, requestedBy: 'carol@example.com' }),
        legal: nobody,
        only: ['none'],
      },
      {
        what: 'request and approve it at once',
        to: 'it',
        attempt: (_, who) => write({ ...own(who), approvedBy: users.second }),
        legal: nobody,
        only: ['none'],
      },
      {
        what: 'approve it',
        to: 'it',
        attempt: (_, who) => write({ approvedBy: users[who] }),
        legal: anotherPerson,
        only: ['requested'],
      },
      {
        what: "approve it in another's name",
        to: 'it',
        attempt: () => write({ approvedBy: users.second }),
        legal: nobody,
        only: ['requested'],
      },
      {
        what: 'approve something else',
        to: 'it',
        attempt: (_, who) => write({ generation: 'other', approvedBy: users[who] }),
        legal: nobody,
        only: ['requested'],
      },
      {
        what: 'change what is requested',
        to: 'it',
        attempt: () => write({ generation: 'other' }),
        legal: nobody,
        only: ['requested', 'approved'],
      },
      {
        what: 'approve it again',
        to: 'it',
        attempt: (_, who) => write({ approvedBy: users[who] }),
        legal: nobody,
        only: ['approved'],
      },
      { what: 'withdraw it', to: 'it', attempt: () => write(null), legal: anybody, only: ['requested', 'approved'] },
      {
        what: 'create a Platform that has it already',
        to: 'it',
        attempt: (object, who) => {
          const { name } = object.metadata;
          const spec = { ...object.spec, [field]: own(who) };
          return {
            method: 'POST',
            path: pathOf(object).replace(/\/[^/]+$/, ''),
            body: { ...aPlatform(`${name}-new`), spec },
          };
        },
        legal: nobody,
        only: ['none'],
      },
      ...(field === 'override'
        ? [
            {
              what: 'put it in force',
              to: 'it',
              attempt: patch({ status: { override: { generation: 'ga', uid: 'u1', until: NOON } } }, '/status'),
              legal: both(theOperator, when('approved')),
            },
          ]
        : []),
    ],
  };
};

export const things: Family[] = [
  classes,
  cutovers,
  crds,
  namespaces,
  evictions(),
  traffic('Service'),
  traffic('Ingress'),
  decision('override'),
  decision('rebind'),
];
