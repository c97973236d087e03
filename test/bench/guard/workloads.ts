import { eventually, must, startGround } from '../../api/lag/ground.ts';
import { aSite, protects } from '../../api/lag/site.ts';
import type { Latency } from './policies.ts';
import { unbind } from './unbind.ts';

/**
 * What the rules about workloads add to what people do all day: the same patches, as dry runs, at the same API server, with those policies
 * bound and unbound in turns. The Platforms each have a live generation of which one workload is.
 */

export const REQUESTS = ['update', 'scale', 'guarded update', 'guarded scale'] as const;

const POLICIES = [
  'generations-workloads',
  ...['workload', 'listed', 'marked', 'labelling'].map((name) => `generations-guard-${name}`),
];
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';

/** Measures `count` requests of each kind in each of `rounds` rounds, with and without policies; the first round only warms up. */
export async function measureWorkloads(
  { platforms, rounds, count }: { platforms: number; rounds: number; count: number },
  say: (line: string) => void,
): Promise<Record<(typeof REQUESTS)[number], Latency>> {
  const ground = await startGround();
  try {
    const { admin, operator } = ground.first;
    for (let number = 0; number < platforms; number++) {
      const site = await aSite(ground, `site-${number}`);
      await protects(ground.first, site, [site.generation]);
    }
    await ground.second.api.kill();
    const post = (name: string, generation?: string) =>
      must(201, admin.call('POST', DEPLOYMENTS, aDeployment(name, generation)));
    await post('ordinary');
    await post('guarded', 'site-0-1');
    const list = { 'generations.dev/workloads': 'deployments/guarded:site-0-1:site-0:live' };
    await must(200, operator.call('PATCH', '/api/v1/namespaces/default', { metadata: { annotations: list } }));
    const path = (request: string) =>
      `${DEPLOYMENTS}/${request.startsWith('guarded') ? 'guarded' : 'ordinary'}${request.endsWith('scale') ? '/scale' : ''}?dryRun=All`;
    const held = async () => {
      const emptied = await admin.call('PATCH', path('guarded scale'), { spec: { replicas: 0 } });
      return emptied.status !== 200 && (await admin.call('DELETE', path('guarded update'))).status !== 200;
    };
    await eventually('the policies to refuse', held);

    const none = () => ({ bound: [] as number[], unbound: [] as number[] });
    const found = { update: none(), scale: none(), 'guarded update': none(), 'guarded scale': none() };
    for (let round = 0; round <= rounds; round++) {
      say(round === 0 ? 'workloads: warming up' : `workloads: round ${round} of ${rounds}`);
      for (const state of ['bound', 'unbound'] as const) {
        const undo =
          state === 'unbound' ? await unbind(ground, (name) => POLICIES.includes(name), held) : async () => {};
        for (const request of REQUESTS)
          for (let number = 0; number < count; number++) {
            const body = request.endsWith('scale') ? { spec: { replicas: 2 + number } } : aRestart(number);
            const { status, body: said, sent, answered } = await admin.call('PATCH', path(request), body);
            if (status !== 200) throw new Error(`${request}: ${status} ${JSON.stringify(said)}`);
            if (round > 0) found[request][state].push(answered - sent);
          }
        await undo();
      }
    }
    return found;
  } finally {
    await ground.stop();
  }
}

/** What kubectl rollout restart changes. */
const aRestart = (number: number) => ({
  spec: { template: { metadata: { annotations: { at: `${number}` } } } },
});

const aDeployment = (name: string, generation?: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        ...(generation && { nodeSelector: { 'generations.dev/generation': generation } }),
        containers: [{ name: 'main', image: 'example.com/web:1' }],
      },
    },
  },
});
