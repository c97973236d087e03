import type { ClusterGeneration, Cutover, Platform, StepName } from '../../src/api/v1alpha1/index.ts';
import { LABEL, LIVE_TIME_TAG } from '../../src/api/v1alpha1/index.ts';
import { clusterGenerations, cutovers, platforms } from '../../src/kinds.ts';
import { pods, services } from '../../src/kube/resources.ts';
import { aCutover, aGeneration, anAddressTarget, aPlatform, aPoolSpec, aServiceTarget } from '../builders/index.ts';
import { aMaintenancePod, aService } from './world/endpoints.ts';
import { aWorld, type World } from './world.ts';

/** The platform `us` in a world of its own: what people apply, and what tests look at. */

export type Site = {
  world: World;
  platform(): Platform;
  /** Undefined when there is none. */
  generation(name: string): ClusterGeneration | undefined;
  cutover(name: string): Cutover;
  /** What a cutover that is taken back has to leave as it was. */
  state(): object;
};

/** A generation as Git has it: nothing has been written by the operator. */
export function generation(name: string, pools = [aPoolSpec({ machines: 3 })]): ClusterGeneration {
  const { metadata, ...rest } = aGeneration({ name, spec: { pools } });
  const { finalizers: _, ...bare } = metadata;
  return { ...rest, metadata: bare, status: { observedGeneration: -1 } };
}

/** One role, a Service and two addresses; the old generation is kept running for ten minutes. */
export const plain = (spec: Partial<Platform['spec']> = {}): Platform =>
  aPlatform({
    spec: {
      traffic: [aServiceTarget(), anAddressTarget()],
      retention: { standby: 'Running', for: '10m' },
      ...spec,
    },
  });

/** Every kind of role and target: all that a cutover has steps for. */
export const whole = (spec: Partial<Platform['spec']> = {}): Platform =>
  plain({
    roles: [
      { name: 'load-balancer', handover: 'Beside' },
      { name: 'web', handover: 'Beside' },
      { name: 'scheduled', handover: 'Follow' },
      {
        name: 'always-on',
        handover: 'Singleton',
        quiesce: 'AllFirst',
        ramp: { startsPerSecond: 1, maxStarting: 2 },
      },
    ],
    traffic: [
      aServiceTarget({
        preview: { namespace: 'edge', name: 'www-preview' },
        maintenance: { selector: { app: 'maintenance' } },
      }),
      anAddressTarget({ role: 'load-balancer' }),
    ],
    jobs: { namespace: 'jobs', serviceAccountName: 'cutover' },
    ...spec,
  });

/** Two machines that take traffic, and one for each role that has tasks. */
export const wholePools = () => [
  aPoolSpec({ name: 'lb', role: 'load-balancer', machines: 2 }),
  aPoolSpec({ name: 'web', role: 'web', machines: 2 }),
  aPoolSpec({ name: 'cron', role: 'scheduled', machines: 1 }),
  aPoolSpec({ name: 'tasks', role: 'always-on', machines: 1 }),
];

const job = (program: string) => ({
  spec: { template: { spec: { containers: [{ name: 'main', image: 'app', args: [program] }] } } },
});

/** A migration that can be undone. */
export const migration = (
  name: string,
  changes: Partial<NonNullable<Cutover['spec']['migrations']>[number]> = {},
): NonNullable<Cutover['spec']['migrations']>[number] => ({
  name,
  reversible: true,
  jobTemplate: job(`migrate ${name}`),
  undo: { jobTemplate: job(`undo ${name}`) },
  ...changes,
});

/** One that cannot. */
export const irreversible = (name: string): NonNullable<Cutover['spec']['migrations']>[number] => ({
  name,
  reversible: false,
  jobTemplate: job(`migrate ${name}`),
});

/** Ends a platform: nothing becomes live. */
export function decommission(name: string, from: string): Cutover {
  const { spec, ...rest } = aCutover({ name, from, spec: { mode: 'Decommission' } });
  const { to: _, ...without } = spec;
  return { ...rest, spec: without };
}

export const smoke = { name: 'smoke', http: { target: 'www', path: '/healthz', expectStatus: 200 } };
export const orders = { name: 'orders', jobTemplate: job('check orders') };

/** A world with an empty platform. */
export async function aSite(platform = plain(), options: Parameters<typeof aWorld>[0] = {}): Promise<Site> {
  const world = await aWorld(options);
  const { server, cloud } = world;
  server.seed(services, aService());
  server.seed(services, aService('www-preview'));
  server.seed(pods, aMaintenancePod());
  cloud.addresses['eipalloc-1'] = '';
  cloud.addresses['eipalloc-2'] = '';
  world.apply(platform);
  const there = <T>(what: string, object: T | undefined): T => {
    if (!object) throw new Error(`there is no ${what}`);
    return object;
  };
  const site: Site = {
    world,
    platform: () => there('Platform us', server.read(platforms, 'us')),
    generation: (name) => server.read(clusterGenerations, name),
    cutover: (name) => there(`Cutover ${name}`, server.read(cutovers, name)),
    state() {
      const { live, previous, protected: names, quiesced, cutover } = site.platform().status;
      return {
        ...{ live, previous, names, quiesced, cutover },
        generations: server.all(clusterGenerations).map(({ metadata, status }) => {
          const { stage, reservedBy, liveTime, retiredTime, retention } = status;
          return { name: metadata.name, stage, reservedBy, liveTime, retiredTime, retention };
        }),
        selector: server.read(services, 'edge/www')?.spec?.selector,
        addresses: { ...cloud.addresses },
        machines: cloud.alive().map(({ id, state, tags }) => {
          const live = tags[LIVE_TIME_TAG];
          return `${id} of ${tags[LABEL.generation]}: ${state}${live ? `, live since ${live}` : ''}`;
        }),
        tasks: world.tasks
          .running()
          .map((name) => name.replace(/-[0-9]+$/, ''))
          .toSorted(),
      };
    },
  };
  return site;
}

/** A site whose generation blue is live and whose tasks run on it. The log begins after that. */
export async function withBlueLive(platform = plain(), options: Parameters<typeof aWorld>[0] = {}): Promise<Site> {
  const site = await aSite(platform, options);
  const { world } = site;
  const isWhole = platform.spec.roles.length > 1;
  world.apply(generation('blue', isWhole ? wholePools() : undefined));
  await world.run(90);
  world.apply(aCutover({ to: 'blue' }));
  if (isWhole) {
    world.tasks.deploy('always-on', 'mailer');
    world.tasks.deploy('always-on', 'indexer');
    world.tasks.deploy('scheduled', 'reports');
  }
  await world.run(30);
  return site;
}

/** Another generation, green unless told, is Staged beside it. The log begins with what comes after. */
export async function withGreenStaged(platform = plain(), options: Parameters<typeof aWorld>[0] = {}): Promise<Site> {
  const site = await withBlueLive(platform, options);
  await stage(site, 'green');
  site.world.log.length = 0;
  return site;
}

/** Brings a generation up. */
export async function stage({ world, generation: read, platform }: Site, name: string): Promise<void> {
  world.apply(generation(name, platform().spec.roles.length > 1 ? wholePools() : undefined));
  await world.until(`${name} is Staged`, () => read(name)?.status.stage === 'Staged');
  await world.run(5);
}

/** Its outcome is there. */
export const hasEnded = (site: Site, cutover: string) => (): boolean =>
  site.cutover(cutover).status.outcome !== undefined;

/** Does something at the moment at which a step of a cutover is first seen in this state. */
export function when(
  { world }: Site,
  [cutover, step, state]: [cutover: string, step: StepName, state: 'Running' | 'Done'],
  then: () => void,
): void {
  const stop = world.server.subscribe(({ resource, after }) => {
    if (resource.plural !== 'cutovers' || after?.metadata.name !== cutover) return;
    const entry = (after as unknown as Cutover).status.steps?.find(({ name }) => name === step);
    if (entry?.state !== state) return;
    stop();
    then();
  });
}

export const abort = ({ world }: Site, cutover: string): void =>
  world.edit(cutover, `somebody aborts Cutover ${cutover}`, (spec) => {
    spec.abort = true;
  });

/** Where the preview of www shows this generation, checks are answered like this. */
export function answers({ world }: Site, generation: string, status: number): void {
  const before = world.answer;
  world.answer = (url) => {
    const shown = world.server.read(services, 'edge/www-preview')?.spec?.selector?.[LABEL.generation];
    return shown === generation ? status : before(url);
  };
}

/** From now on so many people have to approve a plan. */
export const requireApprovals = ({ world }: Site, required: number): void =>
  world.server.edit(platforms, 'us', ({ spec }) => {
    spec.approvals = { required };
  });

/** All machines of a generation die. */
export function kill({ world }: Site, generation: string): void {
  const machines = world.cloud.alive().filter(({ tags }) => tags[LABEL.generation] === generation);
  world.note(`all machines of ${generation} die`);
  for (const { id } of machines) world.cloud.kill(id);
}
