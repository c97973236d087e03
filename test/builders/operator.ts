import { startableCaches } from '../../src/controllers/caches.ts';
import { classController } from '../../src/controllers/class/controller.ts';
import type { Context } from '../../src/controllers/context.ts';
import type { Ask } from '../../src/controllers/cutover/checks.ts';
import { cutoverController } from '../../src/controllers/cutover/controller.ts';
import { generationController } from '../../src/controllers/generation/controller.ts';
import { maintenanceController } from '../../src/controllers/maintenance/controller.ts';
import { placementController } from '../../src/controllers/placement/controller.ts';
import { platformController } from '../../src/controllers/platform/controller.ts';
import { poolController } from '../../src/controllers/pool/controller.ts';
import { retirementController } from '../../src/controllers/retirement/controller.ts';
import { workloadController } from '../../src/controllers/workload/controller.ts';
import type { Canary } from '../../src/guard/canary/canary.ts';
import { interlock } from '../../src/guard/destroy.ts';
import type { EventInput } from '../../src/kube/events.ts';
import type { Provider } from '../../src/providers/provider.ts';
import type { ManualClock } from '../../src/runtime/clock.ts';
import { type Logger, silent } from '../../src/runtime/logger.ts';
import { LeadershipLost } from '../../src/runtime/runnable.ts';
import type { ApiServer, Fate } from './api-server.ts';
import type { Cloud } from './cloud.ts';
import { CLUSTER } from './machines.ts';

/** The operator as main.ts puts it together, over an API server and a cloud in memory. Its death is a crash: it does nothing any more. */
export interface Operator {
  context: Context;
  /** Events recorded, oldest first. */
  events: EventInput[];
  /** What failed, as its log has it. */
  errors: string[];
  /** What else its log says: `warn: message about what: why`. */
  lines: string[];
  crash(): void;
  dead(): boolean;
}

export interface OperatorOptions {
  server: ApiServer;
  cloud: Cloud;
  clock: ManualClock;
  fate?: Fate;
  leaseAge?: () => number;
  /** What its probes find; unless told, that every act is refused. */
  canary?: Canary;
  /** What answers http checks. */
  ask?: Ask;
}

/** Starts the operator in main.ts's order: controllers listen, caches fill, controllers run. */
export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const { server, cloud, clock, fate = {}, leaseAge = () => 0, canary = refusing(clock), ask } = options;
  const life = new AbortController();
  const alive = () => life.signal.throwIfAborted();
  const client = server.client({
    async before(request) {
      alive();
      await fate.before?.(request);
      alive();
    },
    after(request, changed) {
      fate.after?.(request, changed);
      alive();
    },
  });
  const provider = mortal(cloud.provider, alive);
  const destroyer = mortal(cloud.destroyer, alive);
  const events: EventInput[] = [];
  const errors: string[] = [];
  const lines: string[] = [];
  const noted =
    (level: string) =>
    (message: string, { pool, why }: { pool?: unknown; why?: unknown } = {}) =>
      void lines.push([`${level}: ${message}`, pool, why].filter(Boolean).join(': '));
  const log: Logger = {
    ...silent,
    info: noted('info'),
    warn: noted('warn'),
    error: (message, fields) => void errors.push(`${message}: ${fields?.error}`),
    child: () => log,
  };
  const { caches, reflectors } = startableCaches({ client, clock, log });
  const context: Context = {
    client,
    clock,
    log,
    events: { record: (event) => void events.push(event), flush: async () => {} },
    observer: {},
    cluster: CLUSTER,
    caches,
    providerOf: async () => provider,
    canary,
    leaseAge,
    ...(ask && { ask }),
    interlock: interlock({
      client,
      clock,
      log,
      cluster: CLUSTER,
      leaseAge,
      providerOf: async () => provider,
      destroyerOf: () => destroyer,
    }),
  };
  const controllers = [
    classController,
    platformController,
    generationController,
    poolController,
    cutoverController,
    retirementController,
    maintenanceController,
    placementController,
    workloadController,
  ];
  const listening = controllers.map((controller) => controller(context));
  for (const reflector of reflectors) void reflector.start(life.signal);
  await Promise.all(reflectors.map(({ synced }) => synced));
  for (const controller of listening) void controller.start(life.signal);
  return {
    context,
    events,
    errors,
    lines,
    dead: () => life.signal.aborted,
    crash: () => life.abort(new LeadershipLost()),
  };
}

/** The same object, whose methods all fail once its process is dead. */
function mortal<T extends Provider | Cloud['destroyer']>(object: T, alive: () => void): T {
  return new Proxy(object, {
    get: (target, key) => {
      const method: unknown = Reflect.get(target, key);
      // Not a method: `then`, which every await asks for.
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) => {
        alive();
        return method.apply(target, args);
      };
    },
  });
}

/** A canary over policies that work: the API server in memory has none. */
function refusing(clock: ManualClock): Canary {
  const policy = 'generations-guard-tested';
  return {
    probe: async ({ live, platform }) => ({
      time: clock.now(),
      live: live !== undefined,
      overridden: false,
      results: [
        { family: 'delete-crd', verb: 'delete', target: 'CustomResourceDefinition', outcome: 'Denied', policy },
        ...(live && platform.status.live
          ? (['delete-generation', 'delete-pool'] as const).map((family) => ({
              ...{ family, verb: 'delete', target: live.metadata.name, outcome: 'Denied' as const, policy },
            }))
          : []),
      ],
    }),
    sees: async () => ({ seen: true }),
    judged: () => {},
  };
}
