import { uniqueName } from '../../../../local/testing.ts';
import { collectionOf, eventually, expectStatus, type KubeObject, pathOf, users } from '../cluster.ts';
import { aCutover, aGeneration, aPlatform, begun, NOON } from '../objects.ts';
import { deleting, deletions, edit, patch, remove } from './attempts.ts';
import type { Family } from './cells.ts';
import {
  anybody,
  anybodyButTheOperator,
  both,
  either,
  nobody,
  not,
  people,
  theOperator,
  when,
  whoeverMayWriteSpecs,
} from './rules.ts';

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

const finalizers = ['generations.dev/cutover'];
const anApproval = (user: string) => patch({ spec: { approvals: [{ user, planHash: 'p1' }] } })();
const underWay = when('reserving', 'going back', 'past return');
const barred = {
  type: 'RollbackAvailable',
  status: 'False',
  reason: 'Tested',
  message: 'migration schema is committed',
  lastTransitionTime: NOON,
};

export const cutovers: Family = {
  name: 'a Cutover',
  situations: ['waiting', 'reserving', 'going back', 'past return', 'ended'],
  async build(cluster, situation) {
    const name = uniqueName('to');
    const steps = [{ name: 'Reserve', state: 'Done' }];
    const statuses: Record<string, object> = {
      waiting: { steps: [{ name: 'Approve', state: 'Running' }] },
      reserving: { ...begun, steps },
      'going back': { ...begun, steps, undo: { reason: 'Tested', message: '', time: NOON } },
      'past return': { ...begun, steps, conditions: [barred] },
      ended: { ...begun, steps, outcome: 'Succeeded' },
    };
    const it = await cluster.create({
      apiVersion,
      kind: 'Cutover',
      metadata: { name, labels: { site: name } },
      spec: { platform: 'pa', from: '', to: 'ga-2' },
      status: statuses[situation],
    });
    if (situation !== 'waiting')
      await expectStatus(200, cluster.call('operator', 'PATCH', pathOf(it), { metadata: { finalizers } }));
    return { it: await cluster.get(it) };
  },
  async discard(cluster, { it }) {
    await cluster.call('operator', 'PATCH', `${pathOf(it)}/status`, { status: { outcome: 'Aborted' } });
    await cluster.call('operator', 'PATCH', pathOf(it), { metadata: { finalizers: null } });
    await remove(cluster, it);
  },
  acts: [
    ...deleting(Object.keys(deletions), 'it', both(not(underWay), anybodyButTheOperator)),
    {
      what: 'strip its finalizer',
      to: 'it',
      attempt: patch({ metadata: { finalizers: null } }),
      legal: either(theOperator, when('ended')),
      only: ['reserving', 'going back', 'past return', 'ended'],
      undo: { who: 'operator', attempt: patch({ metadata: { finalizers } }) },
    },
    {
      what: 'write its outcome',
      to: 'it',
      attempt: patch({ status: { outcome: 'Superseded' } }, '/status'),
      legal: both(theOperator, not(when('ended'))),
    },
    {
      what: 'make it forget what it has begun',
      to: 'it',
      attempt: patch({ status: { generations: null } }, '/status'),
      legal: nobody,
      only: ['reserving', 'going back', 'past return', 'ended'],
    },
    {
      what: 'abort it',
      to: 'it',
      attempt: patch({ spec: { abort: true } }),
      legal: both(when('waiting', 'reserving', 'going back'), whoeverMayWriteSpecs),
    },
    {
      what: 'pause it',
      to: 'it',
      attempt: patch({ spec: { paused: true } }),
      legal: whoeverMayWriteSpecs,
      undo: { who: 'admin', attempt: patch({ spec: { paused: null } }) },
    },
    {
      what: 'approve it',
      to: 'it',
      attempt: (_, who) => anApproval(users[who]),
      legal: people,
      undo: { who: 'admin', attempt: patch({ spec: { approvals: null } }) },
    },
    { what: 'approve it for another', to: 'it', attempt: () => anApproval(users.second), legal: nobody },
    {
      what: 'approve it as a service account',
      to: 'it',
      attempt: () => anApproval('system:serviceaccount:gitops:controller'),
      legal: nobody,
    },
    {
      what: 'create one that is approved already by another',
      to: 'it',
      attempt: ({ metadata, spec }) => {
        const approvals = [{ user: users.second, planHash: 'p1' }];
        const body = {
          apiVersion,
          kind: 'Cutover',
          metadata: { name: `${metadata.name}-new` },
          spec: { ...spec, approvals },
        };
        return { method: 'POST', path: collectionOf('Cutover'), body };
      },
      legal: nobody,
    },
  ],
};

/** Who takes back what another has given, and who changes it. */
export const approvals: Family = {
  name: 'an approval',
  situations: ['given by another'],
  async build(cluster) {
    const it = await cluster.create(aCutover());
    const approved = { spec: { approvals: [{ user: users.second, planHash: 'p1' }] } };
    await expectStatus(200, cluster.call('second', 'PATCH', pathOf(it), approved));
    return { it: await cluster.get(it) };
  },
  discard: (cluster, { it }) => remove(cluster, it),
  acts: [
    {
      what: 'take it back',
      to: 'it',
      attempt: patch({ spec: { approvals: null } }),
      legal: whoeverMayWriteSpecs,
    },
    {
      what: 'change it',
      to: 'it',
      attempt: edit(({ spec }) => {
        spec.approvals[0].planHash = 'p2';
      }),
      legal: nobody,
    },
    {
      what: 'apply the Cutover from Git, without it',
      to: 'it',
      attempt: ({ metadata, spec: { approvals: _, ...spec } }) => ({
        method: 'PATCH',
        query: 'fieldManager=gitops&force=true',
        contentType: 'application/apply-patch+yaml',
        body: {
          apiVersion,
          kind: 'Cutover',
          metadata: { name: metadata.name, labels: { applied: metadata.name } },
          spec,
        },
      }),
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
