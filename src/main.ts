import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { type Config, questionIn, readConfig, USAGE, UsageError } from './config.ts';
import { startableCaches } from './controllers/caches.ts';
import { classController } from './controllers/class/controller.ts';
import type { Context } from './controllers/context.ts';
import { cutoverController } from './controllers/cutover/controller.ts';
import { unfinishedIn } from './controllers/cutover/report.ts';
import { generationController } from './controllers/generation/controller.ts';
import { maintenanceController } from './controllers/maintenance/controller.ts';
import { placementController } from './controllers/placement/controller.ts';
import { platformController } from './controllers/platform/controller.ts';
import { overridesIn } from './controllers/platform/override.ts';
import { trafficIn } from './controllers/platform/turns.ts';
import { poolController } from './controllers/pool/controller.ts';
import { retirementController } from './controllers/retirement/controller.ts';
import { workloadController } from './controllers/workload/controller.ts';
import { canary } from './guard/canary/canary.ts';
import { protectionSampler } from './guard/cloud-sample.ts';
import { interlock } from './guard/destroy.ts';
import { webhookMetrics } from './guard/webhook/metrics.ts';
import { webhook } from './guard/webhook/webhook.ts';
import { generationClasses } from './kinds.ts';
import { connect, type KubeClient } from './kube/client.ts';
import { ConfigError, loadConnection } from './kube/config.ts';
import { apiServers } from './kube/endpoints.ts';
import { recorder } from './kube/events.ts';
import { leaderElection } from './kube/lease.ts';
import { secrets } from './kube/resources.ts';
import { providers } from './providers/registry.ts';
import { sameAccount } from './providers/same-account.ts';
import { systemClock } from './runtime/clock.ts';
import type { Controller } from './runtime/controller.ts';
import { manager, stopSignal } from './runtime/manager.ts';
import { checkCluster, StartError } from './start.ts';
import { cutoverMetrics } from './telemetry/cutovers.ts';
import { logger } from './telemetry/log.ts';
import { metrics } from './telemetry/metrics.ts';
import { operationMetrics } from './telemetry/operations.ts';
import { overrideMetrics } from './telemetry/overrides.ts';
import { placementMetrics } from './telemetry/placement.ts';
import { telemetryServer } from './telemetry/server.ts';
import { trafficMetrics } from './telemetry/traffic.ts';
import { VERSION } from './version.ts';

/** The operator: config -> client -> caches -> controllers -> serve. */

const CONTROLLER = 'generations.dev/operator';
const NAME = 'generations-operator';
/** Of one object: a whole cutover has some forty things to tell within seconds, and its end must not be what is left out. */
const EVENTS_AT_ONCE = 100;

async function run(config: Config): Promise<void> {
  const log = logger({ level: config['log-level'], format: config['log-format'] });
  const clock = systemClock(config['time-scale']);
  const meters = metrics();
  const operations = operationMetrics(meters.registry);
  const client = await connect({ name: NAME, observer: meters.api });
  const cluster = await checkCluster(client);

  const { caches, reflectors } = startableCaches({ client, clock, log, observer: meters.watch });
  const identity = `${hostname()}_${randomBytes(4).toString('hex')}`;
  const election = config['leader-elect']
    ? leaderElection({
        client,
        clock,
        log,
        namespace: config.namespace,
        name: NAME,
        identity,
        observer: meters.lease,
      })
    : undefined;
  const events = recorder({ client, clock, log, controller: CONTROLLER, instance: identity, burst: EVENTS_AT_ONCE });
  const clouds = sameAccount(
    providers({ clock, log, readSecret: (ref) => readSecret(client, ref), observe: operations.cloud }),
    clock,
  );
  caches.classes.subscribe((name, _, after) => after ?? clouds.forget(name));
  const providerOf = async (className: string) => clouds.for(await client.get(generationClasses, className));
  const sampler = protectionSampler({
    client,
    clock,
    log,
    events,
    cluster,
    providerOf,
    observer: { protectionLifted: operations.protectionLifted },
  });

  const leaseAge = () => (election ? election.heldFor() : 0);
  const context: Context = {
    client,
    clock,
    log,
    events,
    observer: meters.controller,
    placement: placementMetrics(meters.registry),
    leaseAge,
    cluster,
    caches,
    providerOf: (generationClass) => clouds.for(generationClass),
    interlock: interlock({
      client,
      clock,
      log,
      cluster,
      leaseAge,
      providerOf,
      observer: operations.interlock,
    }),
    canary: canary({
      client,
      namespace: config.namespace,
      servers: apiServers({ client, connection: await loadConnection(), name: NAME }),
      clock,
      log,
      sampleCloud: async ({ platform, generations }) => void (await sampler.sample(platform, generations)),
      observer: operations.canary,
    }),
  };
  caches.platforms.subscribe((name, _, after) => after ?? context.canary.judged(name, undefined));
  overrideMetrics(meters.registry, () => overridesIn(caches.platforms.list()));
  trafficMetrics(meters.registry, () => trafficIn(caches.platforms.list()));
  cutoverMetrics(meters.registry, () => unfinishedIn(caches.cutovers.list()));
  const controllers = [
    classController(context),
    platformController(context),
    generationController(context),
    poolController(context),
    cutoverController(context),
    retirementController(context),
    maintenanceController(context),
    placementController(context),
    workloadController(context),
  ];

  const unready = () => (operator.ready() ? undefined : 'the caches are not complete');
  const operator = manager({
    clock,
    log,
    servers: [
      telemetryServer({ log, ...config['metrics-address'], registry: meters.registry }),
      telemetryServer({
        log,
        ...config['health-address'],
        registry: meters.registry,
        unhealthy: () => hungBecauseOf(controllers),
        unready,
      }),
      ...webhook({
        client,
        clock,
        log,
        namespace: config.namespace,
        address: config['webhook-address'],
        caches,
        unready,
        observer: webhookMetrics(meters.registry),
      }),
    ],
    caches: reflectors,
    ...(election && { election }),
    controllers,
  });
  try {
    await operator.run(stopSignal());
  } finally {
    await events.flush();
  }
}

/** A reconcile that ignores its deadline is a bug that only a new process mends. */
function hungBecauseOf(controllers: readonly Controller[]): string | undefined {
  const stuck = controllers.flatMap((controller) => controller.stuck().map((key) => `${controller.name} ${key}`));
  return stuck.length > 0 ? `reconciles that do not end: ${stuck.join(', ')}` : undefined;
}

async function readSecret(
  client: KubeClient,
  { namespace, name }: { namespace: string; name: string },
): Promise<Record<string, string>> {
  const { data = {} } = await client.get(secrets, name, { namespace });
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

/** Exit status 2: started wrongly, a restart changes nothing. 1: something broke, a restart may help. */
try {
  const args = process.argv.slice(2);
  const question = questionIn(args);
  if (question === undefined) await run(readConfig(args, process.env));
  else process.stdout.write(`${question === 'help' ? USAGE : `cluster-generations ${VERSION}`}\n`);
  process.exit(0);
} catch (error) {
  // What a parser of YAML says has a picture of the place below its first line.
  const [message] = (error instanceof Error ? error.message : String(error)).split('\n');
  const wrongly = error instanceof UsageError || error instanceof ConfigError || error instanceof StartError;
  process.stderr.write(`cluster-generations: ${message}\n${error instanceof UsageError ? `${USAGE}\n` : ''}`);
  process.exit(wrongly ? 2 : 1);
}
