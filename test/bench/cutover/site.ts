import { waitFor } from '../../../local/wait.ts';
import { clusterGenerations, cutovers, generationClasses, platforms } from '../../../src/kinds.ts';
import { find } from '../../../src/kube/find.ts';
import { type KubeObject, type Resource, resource } from '../../../src/kube/resource.ts';
import { namespaces, services } from '../../../src/kube/resources.ts';
import { aClass, aCutover, aGeneration, aPlatform, aScenario, type Pools } from '../../scenarios/objects.ts';
import { has } from '../../scenarios/world.ts';
import type { Installation } from '../../sweep/installation.ts';
import { finished } from '../../sweep/site.ts';

/** A large site: generations of 200 machines in 20 roles, with a Service in front of each. Nothing is held, nothing is migrated. */

export const MACHINES = 200;
export const TARGETS = 20;
/** Pods behind each Service. */
const PODS = 3;

export const SITE = 'site';
export const NAMESPACE = 'edge';
const CLASS = 'local';
const LABEL = 'generations.dev/';

export const targets = Array.from({ length: TARGETS }, (_, n) => `role-${n + 1}`);
const pools: Pools = Object.fromEntries(
  targets.map((role) => [role, { role, machines: MACHINES / TARGETS }] satisfies [string, Pools[string]]),
);
const deployments = resource('apps/v1', 'Deployment', 'deployments', true);

/** A cloud in which two generations fit and a machine is a Node within a second. */
export const benchScenario = (): object =>
  aScenario({
    subnets: [
      { id: 'subnet-a', zone: 'us-east-1a', cidr: '10.0.0.0/22' },
      { id: 'subnet-b', zone: 'us-east-1b', cidr: '10.0.4.0/22' },
    ],
    times: {
      boot: { median: '500ms', spread: '100ms' },
      registration: { median: '500ms', spread: '100ms' },
      consistency: '500ms',
    },
  });

export async function openSite({ admin, proxy }: Installation): Promise<void> {
  const make = (kind: Resource<KubeObject>, object: object) => admin.create(kind, object as never);
  await make(generationClasses as Resource<KubeObject>, aClass(CLASS, proxy.cloud));
  await make(namespaces, { metadata: { name: NAMESPACE } });
  for (const name of targets)
    await make(services, { metadata: { name, namespace: NAMESPACE }, spec: { ports: [{ port: 80 }] } });
  const traffic = targets.map((name) => ({ name, role: name, service: { namespace: NAMESPACE, name } }));
  const platform = aPlatform(SITE, CLASS, { roles: targets.map((name) => ({ name })), traffic });
  await make(platforms as Resource<KubeObject>, platform);
}

/** Makes a generation with the workload of each role, and waits until it could become live; real ms at most. */
export async function stage({ admin }: Installation, name: string, limitMs: number): Promise<void> {
  await admin.create(clusterGenerations, aGeneration(name, SITE, pools) as never);
  for (const role of targets) await admin.create(deployments, aWorkload(role, name) as never);
  await waitFor(`generation ${name} to be staged`, { limitMs, everyMs: 500 }, async () => {
    const generation = await find(admin, clusterGenerations, name);
    return generation && has('Ready', 'True')(generation) ? true : undefined;
  });
  await waitFor(`the pods of ${name}`, { limitMs, everyMs: 500 }, async () => {
    const all = await Promise.all(
      targets.map((role) => admin.get(deployments, `${role}-${name}`, { namespace: NAMESPACE })),
    );
    const ready = all.map((one) => (one as KubeObject & { status?: { readyReplicas?: number } }).status?.readyReplicas);
    return ready.every((count) => count === PODS) || undefined;
  });
}

/** Carries a cutover out and returns it as it ended. @throws Error when it does not succeed */
export async function cutOver(installation: Installation, name: string, from: string, to: string, again: boolean) {
  const mode = again ? 'Rollback' : 'Planned';
  await installation.admin.create(cutovers, aCutover(name, SITE, from, to, { mode }) as never);
  const cutover = await finished(installation, name, 120_000);
  if (cutover.status.outcome !== 'Succeeded') throw new Error(`${name} ended as ${cutover.status.outcome}`);
  return cutover;
}

function aWorkload(role: string, generation: string): object {
  const app = `${role}-${generation}`;
  const own = { [`${LABEL}platform`]: SITE, [`${LABEL}role`]: role, [`${LABEL}generation`]: generation };
  return {
    metadata: { name: app, namespace: NAMESPACE },
    spec: {
      replicas: PODS,
      selector: { matchLabels: { app } },
      template: {
        metadata: { labels: { app, ...own } },
        spec: {
          nodeSelector: { [`${LABEL}generation`]: generation, [`${LABEL}role`]: role },
          containers: [{ name: 'app', image: 'example.com/app:1' }],
        },
      },
    },
  };
}
