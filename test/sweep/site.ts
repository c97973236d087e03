import { managedNodeAnnotation } from '../../local/kwok-config.ts';
import { waitFor } from '../../local/wait.ts';
import type { Cutover } from '../../src/api/v1alpha1/index.ts';
import { clusterGenerations, cutovers, generationClasses, platforms } from '../../src/kinds.ts';
import { deleteObject } from '../../src/kube/delete.ts';
import { find } from '../../src/kube/find.ts';
import { type KubeObject, type Resource, resource } from '../../src/kube/resource.ts';
import { namespaces, nodes, services } from '../../src/kube/resources.ts';
import { aliveOf } from '../scenarios/ledger.ts';
import { aClass, aCutover, aGeneration, aPlatform, aScenario } from '../scenarios/objects.ts';
import { has, inStage } from '../scenarios/world.ts';
import type { Installation } from './installation.ts';
import { standing } from './snapshot.ts';

/**
 * A small site with everything that a cutover has a step for, in a namespace of its own, so that several fit into one installation:
 * two roles, a Service that is held, one that is not, an Elastic IP, a migration, and tasks that follow or may run once.
 */
export interface Site {
  /** Of the Platform and of the namespace; names of its generations begin with it. */
  name: string;
  addresses: string[];
  /** `app` labels of what follows the live generation. */
  tasks: string[];
  features: Features;
  /** How many generations there have been. */
  made: number;
  /** How many cutovers since it was opened. */
  rounds: number;
  live: string;
  /** To which a rollback could go, and the cutover that left it. */
  retained: string | undefined;
  last: string;
}

export interface Features {
  /** A maintenance responder in front of one Service, and its preview. */
  hold: boolean;
  /** A migration and a check by Jobs. */
  jobs: boolean;
  /** Pods that follow, and singletons. */
  tasks: boolean;
}

export const EVERYTHING: Features = { hold: true, jobs: true, tasks: true };

const PARTS: (keyof Features)[] = ['hold', 'jobs', 'tasks'];

/** `hold,jobs` of a command line; everything unless told. */
export function featuresOf(text: string | undefined): Features {
  const named = text?.split(',').filter((part) => part !== '');
  return Object.fromEntries(PARTS.map((part) => [part, named?.includes(part) ?? true])) as unknown as Features;
}

/** Pools of each generation. */
export const POOLS = { lb: { role: 'load-balancer', machines: 1 }, web: { machines: 2 } };
export const MACHINES = { lb: 1, web: 2 };

/** Longest real ms for anything to come about: seconds on an idle machine, more than a minute was seen on a very busy one. */
export const LIMIT = 180_000;

const CLASS = 'local';
const SITES = 64;
const PERSISTENT = { 'example.com/persistent': 'true' };
const LABEL = 'generations.dev/';

const deployments = resource('apps/v1', 'Deployment', 'deployments', true);
const serviceAccounts = resource('v1', 'ServiceAccount', 'serviceaccounts', true);

/** A cloud that is fast and has an address for each site that there may be. */
export const sweepScenario = (): object =>
  aScenario({
    subnets: [
      { id: 'subnet-a', zone: 'us-east-1a', cidr: '10.0.0.0/20' },
      { id: 'subnet-b', zone: 'us-east-1b', cidr: '10.0.16.0/20' },
    ],
    addresses: Array.from({ length: SITES }, (_, n) => ({
      allocationId: addressOf(n),
      publicIp: `203.0.113.${n + 1}`,
    })),
    // As with a CNI that gives pods addresses of the subnet: an Elastic IP has to name the interface.
    networkInterfaces: 2,
    times: {
      boot: { median: '500ms', spread: '100ms' },
      registration: { median: '500ms', spread: '100ms' },
      stop: { median: '500ms', spread: '100ms' },
      terminate: { median: '500ms', spread: '100ms' },
      consistency: '500ms',
    },
  });

const addressOf = (site: number): string => `eipalloc-${site + 1}`;

/** What all sites share: their class, and a machine outside of all generations for what is not the platform's. */
export async function furnish({ admin, proxy }: Installation): Promise<void> {
  await admin.create(generationClasses, aClass(CLASS, proxy.cloud) as never);
  const { key, value } = managedNodeAnnotation;
  await admin.create(nodes, {
    metadata: { name: 'persistent-1', annotations: { [key]: value }, labels: PERSISTENT },
    spec: { providerID: 'example://persistent-1' },
  });
}

/** Makes a site and its first generation live. */
export async function openSite(installation: Installation, number: number, features: Features): Promise<Site> {
  const { admin } = installation;
  const name = `site-${number}`;
  const make = (kind: Resource<KubeObject>, object: object) => admin.create(kind, object as never);
  await make(namespaces, { metadata: { name } });
  const ports = [{ port: 80, targetPort: 8080 }];
  for (const service of ['www', 'api', 'www-preview'])
    await make(services, { metadata: { name: service, namespace: name }, spec: { ports } });
  await make(serviceAccounts, { metadata: { name: 'cutover', namespace: name } });
  if (features.hold) await make(deployments, aDeployment(name, 'maintenance', {}, PERSISTENT, 1));

  const site: Site = {
    name,
    addresses: [addressOf(number)],
    tasks: features.tasks ? ['mailer', 'cleaner'] : [],
    features,
    made: 0,
    rounds: 0,
    live: '',
    retained: undefined,
    last: '',
  };
  const held = {
    preview: { namespace: name, name: 'www-preview' },
    maintenance: { selector: { app: 'maintenance' } },
  };
  await make(platforms as Resource<KubeObject>, {
    ...aPlatform(name, CLASS, {
      roles: [
        { name: 'load-balancer' },
        { name: 'web' },
        ...(features.tasks
          ? [
              { name: 'scheduled-task', handover: 'Follow' },
              { name: 'always-on', handover: 'Singleton', ramp: { startsPerSecond: 20, maxStarting: 20 } },
            ]
          : []),
      ],
      traffic: [
        { name: 'www', role: 'web', service: { namespace: name, name: 'www' }, ...(features.hold ? held : {}) },
        { name: 'api', role: 'web', service: { namespace: name, name: 'api' } },
        { name: 'public-ip', role: 'load-balancer', elasticIPs: { allocationIDs: site.addresses } },
      ],
      ...(features.jobs ? { jobs: { namespace: name, serviceAccountName: 'cutover' } } : {}),
      destructiveBudget: { machinesPerMinute: 10_000 },
    }),
  });
  if (features.tasks) {
    const labels = (role: string) => ({ [`${LABEL}platform`]: name, [`${LABEL}role`]: role });
    await make(deployments, aDeployment(name, 'mailer', labels('always-on'), {}, 1, 'Recreate'));
    await make(deployments, aDeployment(name, 'cleaner', labels('scheduled-task'), {}, 1));
  }

  const first = await stage(installation, site);
  await admin.create(cutovers, aCutover(`${first}-first`, name, '', first) as never);
  await finished(installation, `${first}-first`);
  site.live = first;
  await untilStage(installation, first, 'Live');
  return site;
}

/** Makes the next generation and waits until it could become live. */
export async function stage(installation: Installation, site: Site): Promise<string> {
  const { admin } = installation;
  site.made += 1;
  const name = `${site.name}-g${site.made}`;
  await admin.create(clusterGenerations, aGeneration(name, site.name, POOLS) as never);
  const labels = { [`${LABEL}platform`]: site.name, [`${LABEL}role`]: 'web', [`${LABEL}generation`]: name };
  const on = { [`${LABEL}generation`]: name, [`${LABEL}role`]: 'web' };
  await admin.create(deployments, aDeployment(site.name, `web-${name}`, labels, on, 2) as never);
  await waitFor(`generation ${name} to be staged`, { limitMs: LIMIT }, async () => {
    const generation = await find(admin, clusterGenerations, name);
    return generation && has('Ready', 'True')(generation) ? true : undefined;
  });
  await waitFor(`the pods of ${name}`, { limitMs: LIMIT }, async () => {
    const { status } = (await admin.get(deployments, `web-${name}`, { namespace: site.name })) as KubeObject & {
      status?: { readyReplicas?: number };
    };
    return status?.readyReplicas === 2 || undefined;
  });
  return name;
}

/** The cutover of a round. */
export function theCutover(site: Site, name: string, mode: 'Planned' | 'Rollback', to: string): object {
  const job = (image: string) => ({
    spec: {
      template: {
        spec: {
          restartPolicy: 'Never',
          nodeSelector: PERSISTENT,
          containers: [{ name: 'job', image }],
        },
      },
    },
  });
  const planned = {
    migrations: [{ name: 'schema', reversible: true, jobTemplate: job('example.com/migrate:1') }],
    verify: [{ name: 'orders', jobTemplate: job('example.com/verify:1') }],
    soak: '1s',
  };
  return aCutover(name, site.name, site.live, to, {
    mode,
    ...(site.features.jobs && mode === 'Planned' ? planned : {}),
  });
}

/** Waits for the outcome of a cutover. @throws Error that says how it stands when there is none */
export async function finished({ admin }: Installation, name: string, limitMs = LIMIT): Promise<Cutover> {
  let last: Cutover | undefined;
  return waitFor(`the outcome of ${name}`, { limitMs }, async () => {
    last = await admin.get(cutovers, name);
    return last.status.outcome ? last : undefined;
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${last ? standing(last) : 'it was never seen'}`);
  });
}

type Stage = Parameters<typeof inStage>[0];

export async function untilStage({ admin }: Installation, name: string, stage: Stage): Promise<void> {
  await waitFor(`generation ${name} to be ${stage}`, { limitMs: LIMIT }, async () => {
    const generation = await find(admin, clusterGenerations, name);
    return generation && inStage(stage)(generation) ? true : undefined;
  });
}

/** Retires what the last cutover has left, if anything, and waits until its machines and its object are gone. */
export async function clearAway(installation: Installation, site: Site): Promise<void> {
  const { admin } = installation;
  const { retained: old } = site;
  if (old === undefined) return;
  site.retained = undefined;
  await admin.patch(cutovers, site.last, { spec: { retireNow: true } }, { type: 'merge' });
  await untilStage(installation, old, 'Retired');
  await waitFor(`the machines of ${old} to be gone`, { limitMs: LIMIT }, async () =>
    aliveOf(await installation.ledger(), old).length === 0 ? true : undefined,
  );
  const deployment = await admin.get(deployments, `web-${old}`, { namespace: site.name });
  await remove(installation, deployments, deployment);
  await waitFor(`generation ${old} to be gone`, { limitMs: LIMIT }, async () => {
    const generation = await find(admin, clusterGenerations, old);
    if (!generation) return true;
    if (!generation.metadata.deletionTimestamp) await remove(installation, clusterGenerations, generation);
    return undefined;
  });
}

/** A conflict only means that the operator was faster: the next look tries again. */
async function remove({ admin }: Installation, kind: Resource<KubeObject>, { metadata }: KubeObject): Promise<void> {
  const { name, namespace, uid, resourceVersion } = metadata;
  await deleteObject(admin, kind, { name, ...(namespace && { namespace }), uid, resourceVersion }).catch(() => {});
}

function aDeployment(
  namespace: string,
  app: string,
  labels: Record<string, string>,
  nodeSelector: Record<string, string>,
  replicas: number,
  strategy = 'RollingUpdate',
): object {
  return {
    metadata: { name: app, namespace },
    spec: {
      replicas,
      strategy: { type: strategy },
      selector: { matchLabels: { app } },
      template: {
        metadata: { labels: { app, ...labels } },
        spec: { nodeSelector, containers: [{ name: 'app', image: `example.com/${app}:1` }] },
      },
    },
  };
}
