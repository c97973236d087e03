import type { ClusterGeneration, Cutover, GenerationClass, Platform } from '../../src/api/v1alpha1/index.ts';
import { clusterGenerations, cutovers, generationClasses, platforms } from '../../src/kinds.ts';
import { serviceAccounts } from '../../src/kube/resources.ts';
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
  type OperatorOptions,
  startOperator,
} from '../builders/index.ts';
import { linesOf } from './lines.ts';
import { playEndpoints } from './world/endpoints.ts';
import { type Jobs, playJobs } from './world/jobs.ts';
import { playMachines } from './world/machines.ts';
import { plansByNumber } from './world/plans.ts';
import type { Stage } from './world/stage.ts';
import { playTasks, type Tasks } from './world/tasks.ts';

/**
 * A whole site in memory: API server, cloud, the Nodes and pods of its machines, and the operator, on one clock that
 * moves only when told. In goes what people do; out comes a log with one line for each thing that happened.
 */
export interface World {
  clock: ManualClock;
  server: ApiServer;
  cloud: Cloud;
  operator: Operator;
  jobs: Jobs;
  tasks: Tasks;
  /** What answers an http check: a status, or why nothing does. */
  answer(url: string): number | string;
  log: string[];
  /** A person applies an object. */
  apply(object: GenerationClass | Platform | ClusterGeneration | Cutover): void;
  /** A person says something in the log. */
  note(text: string): void;
  /** A person changes a Cutover. */
  edit(cutover: string, what: string, change: (spec: Cutover['spec']) => void): void;
  /** A person deletes a generation. */
  remove(generation: string): Promise<void>;
  /** Lets `seconds` go by. */
  run(seconds: number): Promise<void>;
  /** Lets seconds go by until it is so; throws when it is not after `seconds`. */
  until(what: string, so: () => boolean, seconds?: number): Promise<void>;
  /** The process dies and another one starts. */
  restart(fate?: Fate): Promise<void>;
}

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
  const readable = plansByNumber();
  const say = (text: string) =>
    void log.push(`${stamp(clock.now() - EPOCH)} ${readable(text).replaceAll('generations.dev/', '')}`);
  const stage: Stage = { clock, server, cloud, say };

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
  playMachines(stage);
  playEndpoints(stage);

  const ask: OperatorOptions['ask'] = async (url) => {
    const answer = world.answer(url);
    return typeof answer === 'string'
      ? { message: `GET ${url}: ${answer}` }
      : { status: answer, message: `GET ${url} was answered ${answer}` };
  };
  const start = (fate: Fate | undefined) => startOperator({ server, cloud, clock, ask, ...(fate && { fate }) });

  const world: World = {
    clock,
    server,
    cloud,
    log,
    jobs: playJobs(stage),
    tasks: playTasks(stage),
    answer: () => 200,
    operator: await start(options.fate),
    note: (text) => say(`-- ${text}`),
    apply(object) {
      say(`-- somebody applies ${object.kind} ${object.metadata.name}`);
      server.seed(KINDS[object.kind as keyof typeof KINDS], object);
    },
    edit(cutover, what, change) {
      say(`-- ${what}`);
      server.edit(cutovers, cutover, ({ spec }) => change(spec));
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
    async until(what, so, seconds = 900) {
      for (let second = 0; second < seconds; second++) {
        if (so()) return;
        await world.run(1);
      }
      if (!so()) throw new Error(`not within ${seconds} s: ${what}. The log ends:\n${log.slice(-30).join('\n')}`);
    },
    async restart(fate) {
      world.operator.crash();
      say('-- the operator dies, and another one starts');
      world.operator = await start(fate);
    },
  };
  server.seed(serviceAccounts, {
    metadata: { name: 'cutover', namespace: 'jobs', uid: 'uid-account', creationTimestamp: '' },
  });
  world.apply(aClass());
  return world;
}

/** `+1:02:03` since the beginning. */
function stamp(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const two = (number: number) => String(number).padStart(2, '0');
  return `+${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
