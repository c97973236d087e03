import { uniqueName } from '../../../../local/testing.ts';
import { eventually, type GuardedCluster, type KubeObject, pathOf } from '../cluster.ts';
import { deleting, edit, patch, remove } from './attempts.ts';
import type { Act, Family } from './cells.ts';
import { anybody, either, theOperator, when } from './rules.ts';

/** Namespaces, the pods in them, and what carries traffic. */

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

export const namespaces: Family = {
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
export function evictions(): Family {
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

export const traffic = (kind: 'Service' | 'Ingress'): Family => {
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
