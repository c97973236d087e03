import { uniqueName } from '../../../../local/testing.ts';
import { eventually, type KubeObject, pathOf } from '../cluster.ts';
import { aGeneration, aPlatform } from '../objects.ts';
import { deleting, deletions, edit, patch, remove } from './attempts.ts';
import type { Family } from './cells.ts';
import { anybody, anybodyButTheOperator, both, nobody, theOperator, when } from './rules.ts';

/** The other kinds of ours beside a generation, and their definitions. */

const apiVersion = 'generations.dev/v1alpha1';

export const classes: Family = {
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
  acts: deleting(
    ['delete', 'delete by force', 'delete the collection of'],
    'it',
    both(when('free'), anybodyButTheOperator),
  ),
};

export const cutovers: Family = {
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

export const crds: Family = {
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
