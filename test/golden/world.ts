import {
  type ClusterGeneration,
  type Cutover,
  type GenerationClass,
  LABEL,
  type Platform,
} from '../../src/api/v1alpha1/index.ts';
import { clusterGenerations, cutovers, generationClasses, platforms } from '../../src/kinds.ts';
import { endpointSlices, nodes, pods, type Service, services } from '../../src/kube/resources.ts';
import type { Machine } from '../../src/providers/provider.ts';
import { type ManualClock, manualClock } from '../../src/runtime/clock.ts';
import {
  type ApiServer,
  aClass,
  aCloud,
  anApiServer,
  type Cloud,
  EPOCH,
  type Fate,
  type Operator,
  startOperator,
} from '../builders/index.ts';
import { linesOf } from './lines.ts';

/**
 * A whole site in memory: API server, cloud, the Nodes and pods of its machines, and the operator, on one clock that
 * moves only when told. In goes what people do; out comes a log with one line for each thing that happened.
 */
export interface World {
  clock: ManualClock;
  server: ApiServer;
  cloud: Cloud;
  operator: Operator;
  log: string[];
  /** A person applies an object. */
  apply(object: GenerationClass | Platform | ClusterGeneration | Cutover): void;
  /** A person says something in the log. */
  note(text: string): void;
  /** A person deletes a generation. */
  remove(generation: string): Promise<void>;
  /** Lets `seconds` go by. */
  run(seconds: number): Promise<void>;
  /** The process dies and another one starts. */
  restart(fate?: Fate): Promise<void>;
}

/** Real ms from the running machine to its Ready Node, and from a Service's selector to its endpoints. */
const REGISTRATION = 20_000;
const PROPAGATION = 2_000;

/** Writes in one second that nothing here needs. */
const MOST_WRITES = 500;

const KINDS = {
  GenerationClass: generationClasses,
  Platform: platforms,
  ClusterGeneration: clusterGenerations,
  Cutover: cutovers,
};

export async function aWorld(options: { free?: Record<string, number>; fate?: Fate } = {}): Promise<World> {
  const clock = manualClock({ now: EPOCH });
  const server = anApiServer(() => clock.now());
  const cloud = aCloud(() => clock.now(), options.free);
  const log: string[] = [];
  const say = (text: string) => log.push(`${stamp(clock.now() - EPOCH)} ${text}`);

  // A loop without an end stands still in time: it ends here, by the death of the operator.
  let writes = 0;
  server.subscribe(() => {
    if (++writes === MOST_WRITES) {
      say(`the operator writes without end: ${server.requests.slice(-4).join(', ')}`);
      world.operator.crash();
    }
  });
  server.subscribe((change) => linesOf(change).forEach(say));
  cloud.onCall = (call) => say(`cloud: ${call}`);
  cloud.onLaunch = (machine) => clock.setTimer(cloud.boot + REGISTRATION, () => register(server, cloud, machine));
  cloud.onEnd = (machine) => unregister(server, machine);
  server.subscribe(({ resource, after }) => {
    if (resource.plural === 'services' && after) clock.setTimer(PROPAGATION, () => propagate(server));
  });
  server.subscribe(({ resource, after, before }) => {
    if (resource.plural === 'nodes' && after && !before?.metadata.labels?.[LABEL.generation]) runPods(server, after);
  });

  const world: World = {
    clock,
    server,
    cloud,
    log,
    operator: await startOperator({ server, cloud, clock, ...(options.fate && { fate: options.fate }) }),
    note: (text) => say(`-- ${text}`),
    apply(object) {
      say(`-- somebody applies ${object.kind} ${object.metadata.name}`);
      server.seed(KINDS[object.kind as keyof typeof KINDS], object);
    },
    async remove(generation) {
      say(`-- somebody deletes ClusterGeneration ${generation}`);
      server.edit(clusterGenerations, generation, (object) => {
        object.metadata.deletionTimestamp = new Date(clock.now()).toISOString();
      });
    },
    async run(seconds) {
      for (let second = 0; second < seconds; second++) {
        writes = 0;
        await clock.advance(1000);
      }
    },
    async restart(fate) {
      world.operator.crash();
      say('-- the operator dies, and another one starts');
      world.operator = await startOperator({ server, cloud, clock, ...(fate && { fate }) });
    },
  };
  world.apply(aClass());
  return world;
}

/** A Ready Node for a machine that has booted and lives. */
function register(server: ApiServer, cloud: Cloud, { id, providerID }: Machine): void {
  if (!cloud.alive().some((machine) => machine.id === id)) return;
  server.seed(nodes, {
    metadata: { name: `node-${id}`, uid: `uid-node-${id}`, creationTimestamp: '' },
    spec: { providerID },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  });
}

function unregister(server: ApiServer, { id }: Machine): void {
  const gone = (object: { metadata: { deletionTimestamp?: string; finalizers?: string[] } }) => {
    object.metadata.deletionTimestamp = 'now';
    delete object.metadata.finalizers;
  };
  if (server.read(nodes, `node-${id}`)) server.edit(nodes, `node-${id}`, gone);
  if (server.read(pods, `edge/pod-${id}`)) server.edit(pods, `edge/pod-${id}`, gone);
  propagate(server);
}

/** Each labelled Node runs a Ready pod of its role. */
function runPods(server: ApiServer, node: { metadata: { name: string; labels?: Record<string, string> } }): void {
  const { name, labels = {} } = node.metadata;
  const wanted = Object.fromEntries([LABEL.platform, LABEL.role, LABEL.generation].map((key) => [key, labels[key]]));
  if (!labels[LABEL.generation]) return;
  const pod = name.replace('node-', 'pod-');
  server.seed(pods, {
    metadata: { name: pod, namespace: 'edge', uid: `uid-${pod}`, creationTimestamp: '', labels: wanted },
    spec: { nodeName: name },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  });
}

/** Endpoints follow selectors and pods. */
function propagate(server: ApiServer): void {
  for (const service of server.all(services)) {
    const selector = Object.entries(service.spec?.selector ?? {});
    const chosen = server
      .all(pods)
      .filter(
        ({ metadata }) => selector.length > 0 && selector.every(([key, value]) => metadata.labels?.[key] === value),
      );
    const name = `${service.metadata.name}-1`;
    server.seed(endpointSlices, {
      metadata: {
        name,
        namespace: 'edge',
        uid: `uid-${name}`,
        creationTimestamp: '',
        labels: { 'kubernetes.io/service-name': service.metadata.name },
      },
      addressType: 'IPv4',
      endpoints: chosen.map(({ spec }) => ({
        addresses: ['10.0.0.1'],
        nodeName: spec?.nodeName,
        conditions: { ready: true },
      })),
    });
  }
}

/** A traffic Service as Git has it: without a selector. */
export const aService = (name = 'www'): Pick<Service, 'metadata' | 'spec'> => ({
  metadata: { name, namespace: 'edge', uid: `uid-${name}`, resourceVersion: '1', creationTimestamp: '' },
  spec: {},
});

/** `+1h02m03s` since the beginning. */
function stamp(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const two = (number: number) => String(number).padStart(2, '0');
  return `+${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
