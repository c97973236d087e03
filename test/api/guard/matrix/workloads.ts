import { uniqueName } from '../../../../local/testing.ts';
import { type KubeObject, pathOf } from '../cluster.ts';
import { aSite, type Stage } from '../objects.ts';
import { aWorkload, type WorkloadKind } from '../workloads.ts';
import { deleting, edit, patch, remove } from './attempts.ts';
import type { Act, Family } from './cells.ts';
import { anybodyButTheOperator, both, nobody, when } from './rules.ts';

/** Workloads of a generation, of none, and those that people have protected or unprotected by hand. */

const free = both(when('neverLive', 'retired', 'released'), anybodyButTheOperator);
const GENERATION = 'generations.dev/generation';

export const workloads = (kind: WorkloadKind): Family => ({
  name: `a ${kind}`,
  situations: ['neverLive', 'reserved', 'live', 'retired', 'released', 'marked'],
  async build(cluster, situation) {
    const stage = situation === 'released' ? 'live' : situation === 'marked' ? 'neverLive' : (situation as Stage);
    const { generation } = await aSite(cluster, stage);
    const name = uniqueName('web');
    const made = {
      namespace: 'default',
      name,
      generation: generation.metadata.name,
      ...(situation === 'released' && { annotations: { 'generations.dev/unprotect': name } }),
      ...(situation === 'marked' && { labels: { 'generations.dev/protected': 'true' } }),
    };
    return { it: await cluster.create(aWorkload(kind, made)) };
  },
  async discard(cluster, { it }) {
    const annotations = { 'generations.dev/unprotect': it.metadata.name };
    await cluster.call('admin', 'PATCH', pathOf(it), { metadata: { annotations } });
    await remove(cluster, it);
  },
  acts: [
    ...deleting(
      [
        'delete',
        'delete by force',
        'delete in the background',
        'delete and orphan what is owned by',
        'delete the collection of',
      ],
      'it',
      free,
    ),
    ...(kind === 'DaemonSet' ? [] : [emptying]),
    {
      what: 'move it to another generation',
      to: 'it',
      attempt: patch({ spec: { template: { spec: { nodeSelector: { [GENERATION]: 'other' } } } } }),
      legal: free,
    },
    {
      what: 'change its image',
      to: 'it',
      attempt: ({ spec }: KubeObject) => {
        const containers = [{ ...spec.template.spec.containers[0], image: `example.com/${uniqueName('web')}` }];
        return patch({ spec: { template: { spec: { containers } } } })();
      },
      legal: anybodyButTheOperator,
      undo: 'needless',
    },
    {
      what: 'unlabel it',
      only: ['marked'],
      to: 'it',
      attempt: edit(({ metadata }) => {
        delete metadata.labels['generations.dev/protected'];
        delete metadata.managedFields;
        delete metadata.resourceVersion;
      }),
      legal: nobody,
    },
    {
      what: 'label it otherwise',
      to: 'it',
      attempt: () => patch({ metadata: { labels: { note: uniqueName('n') } } })(),
      legal: anybodyButTheOperator,
      undo: 'needless',
    },
  ],
});

const emptying: Act = {
  what: 'scale it to zero',
  to: 'it',
  attempt: patch({ spec: { replicas: 0 } }),
  legal: free,
  undo: { who: 'admin', attempt: patch({ spec: { replicas: 2 } }) },
};
