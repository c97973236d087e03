import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { CommandResult } from '../../local/command.ts';
import { type Environment, type EnvironmentOptions, startEnvironment } from '../../local/environment.ts';
import type { IdentityName } from '../../local/identities.ts';
import type { Operator } from '../../local/operator.ts';
import { testControlPlane } from '../../local/testing.ts';
import { waitFor } from '../../local/wait.ts';
import type {
  ClusterGeneration,
  Condition,
  Cutover,
  GenerationClass,
  GenerationPool,
  Platform,
} from '../../src/api/v1alpha1/index.ts';
import type { EndpointSlice, Lease, Node, Service } from '../../src/kube/resources.ts';
import type { LedgerView } from '../../src/simulator/control/ledger.ts';
import { contradictions } from './ledger.ts';

/**
 * A whole installation for one test file: control plane, simulated cloud, chart, operator. In go manifests, by the
 * real kubectl in somebody's name, and faults of the cloud; out come objects, the cloud's ledger, and waits that end.
 */

/** What tests read, and where it is. */
export interface Kinds {
  generationclasses: GenerationClass;
  platforms: Platform;
  clustergenerations: ClusterGeneration;
  generationpools: GenerationPool;
  cutovers: Cutover;
  nodes: Node;
  services: Service;
  endpointslices: EndpointSlice;
  leases: Lease;
}

const PREFIX: Record<keyof Kinds, string> = {
  generationclasses: '/apis/generations.dev/v1alpha1',
  platforms: '/apis/generations.dev/v1alpha1',
  clustergenerations: '/apis/generations.dev/v1alpha1',
  generationpools: '/apis/generations.dev/v1alpha1',
  cutovers: '/apis/generations.dev/v1alpha1',
  nodes: '/api/v1',
  services: '/api/v1/namespaces/edge',
  endpointslices: '/apis/discovery.k8s.io/v1/namespaces/edge',
  leases: '/apis/coordination.k8s.io/v1/namespaces/generations-system',
};

/** Whatever is waited for comes within a few real seconds on an idle machine; this is for a busy one. */
const LIMIT = 60_000;

/** Real ms in which an operator that runs brings a status up to date, on a busy machine. */
const LAG = 5_000;

export interface World {
  environment: Environment;
  operator: Operator;
  /** Address of the simulated cloud. */
  cloud: string;
  kubectl(who: IdentityName, ...args: string[]): Promise<CommandResult>;
  /** The same with an object on stdin, if any. */
  kubectlWith(who: IdentityName, input: object | undefined, ...args: string[]): Promise<CommandResult>;
  /** kubectl apply in somebody's name; throws what kubectl said when it was refused. */
  apply(who: IdentityName, ...objects: object[]): Promise<void>;
  get<K extends keyof Kinds>(plural: K, name: string): Promise<Kinds[K] | undefined>;
  list<K extends keyof Kinds>(plural: K): Promise<Kinds[K][]>;
  /** A merge patch as admin. */
  patch(plural: keyof Kinds, name: string, body: object): Promise<void>;
  /** Waits until the object is there and as wished; the error shows how it was last. */
  until<K extends keyof Kinds>(
    plural: K,
    name: string,
    what: string,
    wish: (object: Kinds[K]) => boolean,
    limitMs?: number,
  ): Promise<Kinds[K]>;
  /** Waits until there is no such object any more. */
  untilGone(plural: keyof Kinds, name: string, limitMs?: number): Promise<void>;
  ledger(): Promise<LedgerView>;
  addFault(fault: object): Promise<void>;
  removeFault(name: string): Promise<void>;
  /** Everything that a status claimed since the start and the ledger denied. */
  falseClaims(): string[];
  stop(): Promise<void>;
}

/** Starts all of it, with a scenario as an object. `lag`: real ms by which statuses may be behind the cloud. */
export async function startWorld(
  options: Omit<EnvironmentOptions, 'scenario'> & { scenario: object; lag?: number },
): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'scenario-'));
  const scenario = join(directory, 'scenario.yaml');
  await writeFile(scenario, JSON.stringify(options.scenario));
  const environment = await startEnvironment({ ...options, scenario });
  const { controlPlane, simulator, operator } = environment;
  if (!operator) throw new Error('a world has an operator');
  const agent = new Agent({ connect: { ca: controlPlane.certificateAuthority }, allowH2: false });
  const people = testControlPlane(controlPlane);

  const call = async (method: 'GET' | 'PATCH', path: string, body?: object) => {
    const response = await request(controlPlane.server + path, {
      method,
      dispatcher: agent,
      headers: {
        authorization: `Bearer ${controlPlane.tokens.admin}`,
        'content-type': 'application/merge-patch+json',
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.body.text();
    if (response.statusCode !== 404 && response.statusCode >= 300)
      throw new Error(`the API server answered ${response.statusCode} to ${method} ${path}: ${text}`);
    return response.statusCode === 404 ? undefined : JSON.parse(text);
  };
  const atCloud = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => {
    const response = await fetch(simulator.url + path, { method, ...(body && { body: JSON.stringify(body) }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`the cloud answered ${response.status} to ${path}: ${text}`);
    return JSON.parse(text);
  };

  const world: Omit<World, 'falseClaims' | 'stop'> = {
    environment,
    operator,
    cloud: simulator.url,
    kubectl: (who, ...args) => people.kubectl(who, args),
    kubectlWith: (who, input, ...args) => people.kubectl(who, args, input && JSON.stringify(input)),
    async apply(who, ...objects) {
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
      // For some seconds after an API server has started its mutating policies do not know our kinds: people do it again.
      const { status, stderr } = await waitFor('the kinds to be known', { limitMs: LIMIT, everyMs: 500 }, async () => {
        const result = await people.kubectl(who, ['apply', '-f', '-'], list);
        return result.stderr.includes('There can be a delay') ? undefined : result;
      });
      if (status !== 0) throw new Error(`kubectl apply as ${who}: ${stderr}`);
    },
    get: (plural, name) => call('GET', `${PREFIX[plural]}/${plural}/${name}`),
    list: async (plural) => (await call('GET', `${PREFIX[plural]}/${plural}`))?.items ?? [],
    patch: async (plural, name, body) => void (await call('PATCH', `${PREFIX[plural]}/${plural}/${name}`, body)),
    async until(plural, name, what, wish, limitMs = LIMIT) {
      let last: unknown;
      return waitFor(`${plural} ${name}: ${what}`, { limitMs, everyMs: 75 }, async () => {
        const object = await world.get(plural, name);
        last = object;
        return object && wish(object) ? object : undefined;
      }).catch((error: Error) => {
        throw new Error(`${error.message}; it was last ${JSON.stringify(last, null, 1)?.slice(0, 6000)}`);
      });
    },
    async untilGone(plural, name, limitMs = LIMIT) {
      let last: unknown;
      await waitFor(`${plural} ${name} to be gone`, { limitMs, everyMs: 75 }, async () => {
        last = await world.get(plural, name);
        return last === undefined || undefined;
      }).catch((error: Error) => {
        throw new Error(`${error.message}; it was last ${JSON.stringify(last, null, 1)?.slice(0, 6000)}`);
      });
    },
    ledger: () => atCloud('GET', '/ledger'),
    addFault: async (fault) => void (await atCloud('POST', '/faults', fault)),
    removeFault: async (name) => void (await atCloud('DELETE', `/faults/${name}`)),
  };
  const judge = startJudge(world, options.lag ?? LAG);
  return {
    ...world,
    falseClaims: judge.found,
    async stop() {
      await judge.stop();
      await agent.close();
      await environment.stop();
      await rm(directory, { recursive: true });
    },
  };
}

/** Compares statuses with the ledger all the while. */
function startJudge(world: Pick<World, 'list' | 'ledger'>, lag: number) {
  const found = new Set<string>();
  const over = new AbortController();
  const running = (async () => {
    while (!over.signal.aborted) {
      const [pools, generations] = [await world.list('generationpools'), await world.list('clustergenerations')];
      for (const claim of contradictions(pools, generations, await world.ledger(), lag)) found.add(claim);
      await sleep(500, undefined, { signal: over.signal }).catch(() => {});
    }
  })();
  // A failure of the judge itself must not pass for silence.
  running.catch((error: unknown) => found.add(`the judge failed: ${error}`));
  return {
    found: () => [...found],
    async stop() {
      over.abort();
      await running.catch(() => {});
    },
  };
}

type Conditioned = { status: { conditions?: Condition[] | undefined } };

export const condition = (object: Conditioned, type: string): Condition | undefined =>
  object.status.conditions?.find((one) => one.type === type);

/** A wish for `until`: the condition has this status, and this reason when given. */
export const has =
  (type: string, status: 'True' | 'False' | 'Unknown', reason?: string) =>
  (object: Conditioned & { metadata: { generation?: number } }): boolean => {
    const found = condition(object, type);
    return (
      found?.status === status &&
      (reason === undefined || found.reason === reason) &&
      found.observedGeneration === object.metadata.generation
    );
  };

/** A wish for `until`: the generation is in this stage. */
export const inStage =
  (stage: NonNullable<ClusterGeneration['status']['stage']>) =>
  ({ status }: ClusterGeneration): boolean =>
    status.stage === stage;

/** Waits until the operator's lease has been renewed `times` more; the operator was alive all the while. */
export async function renewals(world: World, times: number): Promise<void> {
  const seen = new Set<string>();
  await waitFor(`${times} renewals of the operator's lease`, { limitMs: LIMIT, everyMs: 200 }, async () => {
    const lease = await world.get('leases', 'generations-operator');
    if (lease?.spec?.renewTime) seen.add(lease.spec.renewTime);
    return seen.size > times || undefined;
  });
}

/**
 * Name and resourceVersion of everything that the operator could write to. The probes of the guard are reported every minute, so a
 * Platform is all that it says but for when they last ran and on what.
 */
export async function versions(world: World): Promise<Record<string, string>> {
  const kinds = [
    'generationclasses',
    'platforms',
    'clustergenerations',
    'generationpools',
    'cutovers',
    'nodes',
  ] as const;
  const lists = await Promise.all(
    kinds.map(async (plural) =>
      (await world.list(plural)).map((object) => [
        `${plural}/${object.metadata.name}`,
        object.kind === 'Platform' ? withoutHeartbeat(object as Platform) : object.metadata.resourceVersion,
      ]),
    ),
  );
  return Object.fromEntries(lists.flat());
}

function withoutHeartbeat({ metadata, spec, status: { guard, ...status } }: Platform): string {
  const { uid, generation, labels, annotations } = metadata;
  const outcomes = guard?.probes.map(({ verb, outcome }) => `${verb} ${outcome}`);
  return JSON.stringify({ uid, generation, labels, annotations, spec, status, effective: guard?.effective, outcomes });
}
