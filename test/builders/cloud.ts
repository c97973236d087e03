import { CLUSTER_TAG } from '../../src/api/v1alpha1/index.ts';
import {
  type Capacity,
  type Destroyer,
  type LaunchRequest,
  type Machine,
  type MachineState,
  type Protection,
  type Provider,
  ProviderError,
} from '../../src/providers/provider.ts';

/**
 * A cloud in memory, as far as the contract of providers/ goes: client tokens, subnets that run out, protection,
 * descriptions that come late. In go the provider's calls, out come facts; `calls` says what was asked.
 */

const TERMINATING = 20_000;
const STOPPING = 10_000;
const REMEMBERED = 3_600_000;

interface Life {
  machine: Omit<Machine, 'state'>;
  protection: Protection;
  /** When it was told to die, ms. */
  ended: number | undefined;
  /** Since when it is off, ms. */
  stopped: number | undefined;
}

/** What becomes of one launch: as it should, or done and unanswered, or refused, or no more machines than this. */
export type LaunchFate = 'lost' | ProviderError | number | undefined;

export interface Cloud {
  readonly provider: Provider;
  readonly destroyer: Destroyer;
  /** Machines ever made, oldest first. */
  machines(): Machine[];
  /** Those that are neither dying nor dead. */
  alive(): Machine[];
  /** A machine dies by itself; `because`: what the cloud says of it. */
  kill(id: string, because?: Machine['ended']): void;
  /** Somebody halts a machine from inside: it stops, whatever protects it. */
  halt(id: string): void;
  /** Free addresses of each subnet; change it at will. */
  readonly free: Record<string, number>;
  readonly addresses: Record<string, string>;
  /** Calls that were made, oldest first: `launch 3 in subnet-a`. */
  readonly calls: string[];
  /** How old a description of machines is, ms. */
  lag: number;
  /** What of the truth an answer shows, by the kind of question: an empty one, a part, or one from before. */
  shows(question: 'tag' | 'id', machines: Machine[]): Machine[];
  boot: number;
  vcpus: Capacity['vcpus'];
  /** Asked once for each launch. */
  launchFate(request: LaunchRequest): LaunchFate;
  /** Asked before each call of the destroyer; throws what goes wrong. */
  destroyFate(call: 'describe' | 'unprotect' | 'terminate' | 'allowStop' | 'stop', ids: string[]): void;
  /** Asked before each of these calls of the provider; throws what goes wrong. */
  guardFate(call: 'protect' | 'protection' | 'tag' | 'start', ids: string[]): void;
  /** Somebody at the cloud changes the protection of a machine. */
  lift(id: string, left?: Partial<Protection>): void;
  onCall: (call: string) => void;
  onLaunch: (machine: Machine) => void;
  onEnd: (machine: Machine) => void;
  /** A machine that was stopped begins to boot. */
  onStart: (machine: Machine) => void;
  onStop: (machine: Machine) => void;
}

export function aCloud(now: () => number, free: Record<string, number> = { 'subnet-a': 100, 'subnet-b': 100 }): Cloud {
  const lives: Life[] = [];
  const tokens = new Map<string, { request: string; lives: Life[] }>();

  const stateAt = ({ machine, ended, stopped }: Life, time: number): MachineState => {
    if (ended !== undefined && time >= ended + TERMINATING) return 'terminated';
    if (ended !== undefined && time >= ended) return 'shutting-down';
    if (stopped !== undefined && time >= stopped) return time >= stopped + STOPPING ? 'stopped' : 'stopping';
    return time < machine.launchTime + cloud.boot ? 'pending' : 'running';
  };
  /** A machine shows the address that points at it, as its primary interface does. */
  const show = (life: Life, time = now()): Machine => {
    const { id } = life.machine;
    const index = Object.values(cloud.addresses).indexOf(id);
    const elasticIP = index < 0 ? {} : { elasticIP: publicIPOf(Object.keys(cloud.addresses)[index] ?? '') };
    return {
      ...life.machine,
      state: stateAt(life, time),
      primary: { id: `eni-${id}`, privateIP: '10.0.0.1', ...elasticIP },
    };
  };
  const said = (call: string) => {
    cloud.calls.push(call);
    cloud.onCall(call);
  };
  const end = (life: Life) => {
    if (life.ended !== undefined) return;
    life.ended = now();
    free[life.machine.subnet] = (free[life.machine.subnet] ?? 0) + 1;
    cloud.onEnd(show(life));
  };
  const halt = (life: Life) => {
    if (life.ended !== undefined || life.stopped !== undefined) return;
    life.stopped = now();
    cloud.onStop(show(life));
  };
  const find = async (ids: string[]) =>
    cloud.shows(
      'id',
      lives.filter((life) => ids.includes(life.machine.id) && isKnown(life)).map((life) => show(life)),
    );
  const isKnown = ({ ended }: Life, time = now()) => ended === undefined || time < ended + REMEMBERED;

  const make = ({ subnet, template, tags }: LaunchRequest): Life => {
    const id = `i-${lives.length + 1}`;
    const zone = `us-east-1${subnet.slice(-1)}`;
    const providerID = `aws:///${zone}/${id}`;
    const type = template.ec2?.instanceType ?? '';
    free[subnet] = (free[subnet] ?? 0) - 1;
    const life = {
      machine: { id, type, subnet, zone, providerID, launchTime: now(), tags },
      protection: { termination: true, stop: true },
      ended: undefined,
      stopped: undefined,
    };
    lives.push(life);
    return life;
  };

  const launch = async (request: LaunchRequest): Promise<Machine[]> => {
    const { token, subnet, machines } = request;
    const before = tokens.get(token);
    said(`launch ${machines} in ${subnet}${before ? ' again' : ''}`);
    const fate = cloud.launchFate(request);
    // What a known token has made is looked up before capacity, and after pace and credentials.
    if (fate instanceof ProviderError && !(before && fate.reason === 'CapacityUnavailable')) throw fate;
    if (before && before.request !== JSON.stringify(request))
      throw trouble('Unknown', 'IdempotentParameterMismatch', `token ${token} was used for another launch`);
    const room = Math.min(machines, free[subnet] ?? 0, typeof fate === 'number' ? fate : machines);
    if (!before && room < 1)
      throw trouble('AddressesExhausted', 'InsufficientFreeAddressesInSubnet', `${subnet} is full`);
    const made = before?.lives ?? Array.from({ length: room }, () => make(request));
    tokens.set(token, { request: JSON.stringify(request), lives: made });
    if (!before) for (const life of made) cloud.onLaunch(show(life));
    if (fate === 'lost')
      throw new ProviderError('no answer', { reason: 'Unknown', code: 'TimeoutError', refused: false });
    return made.map((life) => show(life));
  };

  const cloud: Cloud = {
    free,
    addresses: {},
    calls: [],
    lag: 0,
    shows: (_, machines) => machines,
    boot: 30_000,
    vcpus: { quota: 10_000, used: 0 },
    launchFate: () => undefined,
    destroyFate: () => {},
    guardFate: () => {},
    lift(id, left = {}) {
      for (const life of lives)
        if (life.machine.id === id) life.protection = { termination: false, stop: false, ...left };
    },
    onCall: () => {},
    onLaunch: () => {},
    onEnd: () => {},
    onStart: () => {},
    onStop: () => {},
    machines: () => lives.map((life) => show(life)),
    alive: () => lives.filter(({ ended }) => ended === undefined).map((life) => show(life)),
    kill(id, because) {
      for (const life of lives)
        if (life.machine.id === id) {
          end(life);
          if (because) life.machine = { ...life.machine, ended: because };
        }
    },
    halt(id) {
      for (const life of lives) if (life.machine.id === id) halt(life);
    },
    provider: {
      observe: async (cluster) => {
        const time = now() - cloud.lag;
        const found = lives
          .filter(({ machine }) => machine.launchTime <= time && machine.tags[CLUSTER_TAG] === cluster)
          .filter((life) => isKnown(life, time));
        return cloud.shows(
          'tag',
          found.map((life) => show(life, time)),
        );
      },
      find,
      owner: async () => '111111111111',
      capacity: async ({ subnets, types }) => ({
        subnets: subnets.map((id) => ({
          id,
          zone: `us-east-1${id.slice(-1)}`,
          cidr: '10.0.0.0/24',
          total: 251,
          free: free[id] ?? 0,
        })),
        types: Object.fromEntries(types.map((type) => [type, 4])),
        network: {},
        held: {},
        vcpus: cloud.vcpus,
      }),
      affordable: () => 1000,
      launch,
      start: async (ids) => {
        cloud.guardFate('start', ids);
        const chosen = lives.filter(({ machine }) => ids.includes(machine.id));
        const wrong = chosen.find((life) => !['stopped', 'pending', 'running'].includes(stateAt(life, now())));
        if (wrong) throw trouble('Unknown', 'IncorrectInstanceState', `${wrong.machine.id} cannot be started`);
        said(`start ${ids.join(' ')}`);
        for (const life of chosen.filter(({ stopped }) => stopped !== undefined)) {
          life.stopped = undefined;
          life.machine = { ...life.machine, launchTime: now() };
          cloud.onStart(show(life));
        }
      },
      protect: async (id) => {
        cloud.guardFate('protect', [id]);
        said(`protect ${id}`);
        for (const life of lives) if (life.machine.id === id) life.protection = { termination: true, stop: true };
      },
      protection: async (id) => {
        cloud.guardFate('protection', [id]);
        const life = lives.find(({ machine }) => machine.id === id);
        if (!life) throw trouble('Unknown', 'InvalidInstanceID.NotFound', `${id} does not exist`);
        return { ...life.protection };
      },
      tag: async (ids, tags) => {
        cloud.guardFate('tag', ids);
        const chosen = lives.filter(({ machine }) => ids.includes(machine.id));
        if (chosen.length < ids.length) throw trouble('Unknown', 'InvalidInstanceID.NotFound', 'one does not exist');
        const words = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
        said(`tag ${ids.join(' ')} with ${words.join(' ')}`);
        for (const life of chosen) life.machine = { ...life.machine, tags: { ...life.machine.tags, ...tags } };
      },
      addresses: async (ids) =>
        ids
          .filter((id) => cloud.addresses[id] !== undefined)
          .map((id) => ({
            allocationID: id,
            publicIP: publicIPOf(id),
            ...(cloud.addresses[id] && { instanceID: cloud.addresses[id] }),
          })),
      associate: async (allocationID, instanceID) => {
        said(`associate ${allocationID} with ${instanceID}`);
        cloud.addresses[allocationID] = instanceID;
      },
      checkTemplate: async () => {},
      budgets: () => [],
    },
    destroyer: {
      async describe(ids) {
        cloud.destroyFate('describe', ids);
        return find(ids);
      },
      async unprotect(id) {
        cloud.destroyFate('unprotect', [id]);
        said(`unprotect ${id}`);
        for (const life of lives) if (life.machine.id === id) life.protection = { termination: false, stop: false };
      },
      async terminate(ids) {
        cloud.destroyFate('terminate', ids);
        const chosen = lives.filter(({ machine }) => ids.includes(machine.id));
        const guarded = chosen.find(({ protection }) => protection.termination || protection.stop);
        if (guarded) throw trouble('Unknown', 'OperationNotPermitted', `${guarded.machine.id} is protected`);
        said(`terminate ${ids.join(' ')}`);
        for (const life of chosen) end(life);
      },
      async allowStop(id) {
        cloud.destroyFate('allowStop', [id]);
        said(`allow stop of ${id}`);
        for (const life of lives) if (life.machine.id === id) life.protection = { ...life.protection, stop: false };
      },
      async stop(ids) {
        cloud.destroyFate('stop', ids);
        const chosen = lives.filter(({ machine }) => ids.includes(machine.id));
        const guarded = chosen.find(({ protection, stopped }) => protection.stop && stopped === undefined);
        if (guarded) throw trouble('Unknown', 'OperationNotPermitted', `${guarded.machine.id} is protected`);
        said(`stop ${ids.join(' ')}`);
        for (const life of chosen) halt(life);
      },
    },
  };
  return cloud;
}

/** `eipalloc-1` is 192.0.2.1. */
const publicIPOf = (allocationID: string): string => `192.0.2.${allocationID.split('-').at(-1)}`;

const trouble = (reason: ProviderError['reason'], code: string, message: string): ProviderError =>
  new ProviderError(message, { reason, code, refused: true });
