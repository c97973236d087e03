import type { ClusterGeneration, Cutover, Platform, SwitchState } from '../../src/api/v1alpha1/index.ts';
import { selectorFor } from '../builders/objects.ts';
import type { Job } from './acts.ts';
import {
  dueMoments,
  type Facts,
  factsOf,
  lastMoment,
  machineOf,
  moment,
  objectOf,
  RETENTION,
  ROLE,
  type Setting,
  statusFacts,
  uidOf,
} from './facts.ts';
import { Interner } from './interner.ts';
import type { Scenario } from './scenarios.ts';

/**
 * The world of the model: one Platform, its generations and cutovers as the API server has them, where its traffic targets
 * point, which machines the cloud runs, and what each operator has in hand. A state is a row of small numbers; this file says
 * what stands in which cell, and turns numbers into objects.
 */

export const PLATFORM = 'us';
export type State = Uint16Array;

/** Of what an operator has in hand: its lease has passed to another one, and it does not know. */
export const DEPOSED = 1 << 15;

/** Where a target points while its maintenance responder answers. */
const HOLD: SwitchState = { app: 'maintenance' };

const A_LIVE = { name: 'A', uid: uidOf('A'), time: moment(0) };
const B_LIVE = { name: 'B', uid: uidOf('B'), time: moment(1) };

const FIRST_LIVE: Facts[] = [
  { kind: 'Platform', name: PLATFORM, status: { live: A_LIVE, protected: ['A'] } },
  { kind: 'ClusterGeneration', name: 'A', status: { liveTime: A_LIVE.time } },
];

/** What Cutover AB has left behind. */
const RETAINED: Facts[] = [
  { kind: 'Platform', name: PLATFORM, status: { live: B_LIVE, previous: A_LIVE, protected: ['A', 'B'] } },
  {
    kind: 'ClusterGeneration',
    name: 'A',
    status: {
      liveTime: A_LIVE.time,
      retention: { until: moment(RETENTION), standby: 'Running', cutover: { name: 'AB', uid: uidOf('AB') } },
    },
  },
  { kind: 'ClusterGeneration', name: 'B', status: { liveTime: B_LIVE.time } },
  { kind: 'Cutover', name: 'AB', status: { outcome: 'Succeeded', retainUntil: moment(RETENTION) } },
];

export class World {
  readonly scenario: Scenario;
  readonly setting: Setting;
  readonly facts = new Interner<Facts>();
  readonly #switches = new Interner<SwitchState>();
  readonly #switchNumbers = new WeakMap<SwitchState, number>();
  readonly #wanted: Record<string, SwitchState>[];
  readonly jobs = new Interner<Job>();
  /** What operators have decided before, by all that it rested on. */
  readonly decisions = new Map<string, number>();
  /** Object names by slot: the platform, its generations, the cutovers. */
  readonly names: string[];
  readonly cutoverNames: readonly string[];
  readonly width: number;
  /** First cells of the targets, of the tags, and of what operators and interlocks have in hand: two cells each. */
  readonly targetsAt: number;
  readonly tagsAt: number;
  readonly handsAt: number;
  /** Bits by generation: its machine runs; a cache may show that it has to go; it may still be told to go away for good. */
  readonly machinesAt: number;
  readonly doomedAt: number;
  readonly surplusAt: number;
  /** Seconds: no earlier than this. */
  readonly clockAt: number;
  readonly #memory = new Map<string, Map<number, unknown>>();
  readonly #slots: Map<string, number>;
  readonly #moments: { last: number; due: number[] }[] = [{ last: 0, due: [] }];
  readonly #objects = new Map<number, ReturnType<typeof objectOf>>();

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    const { generations, cutovers, targets } = scenario;
    this.setting = {
      roles: [{ name: ROLE, handover: 'Beside' }, ...(scenario.roles ?? [])],
      cutovers,
      traffic: targets.map((kind, index) => ({
        name: `${kind}-${index}`,
        role: ROLE,
        ...(kind === 'addresses'
          ? { elasticIPs: { allocationIDs: [`eipalloc-${index}`] } }
          : { service: { namespace: 'edge', name: `www-${index}` } }),
        ...(kind === 'held' && { maintenance: { selector: { app: 'maintenance' } } }),
      })),
    };
    this.#wanted = this.setting.traffic.map(({ elasticIPs }, index) =>
      Object.fromEntries(
        generations.map((name) => [
          name,
          elasticIPs ? { [`eipalloc-${index}`]: machineOf(name) } : selectorFor(name, ROLE),
        ]),
      ),
    );
    this.cutoverNames = Object.keys(cutovers);
    this.names = [PLATFORM, ...generations, ...this.cutoverNames];
    this.#slots = new Map(this.names.map((name, slot) => [name, slot]));
    this.targetsAt = this.names.length;
    this.tagsAt = this.targetsAt + targets.length;
    this.machinesAt = this.tagsAt + generations.length;
    this.doomedAt = this.machinesAt + 1;
    this.surplusAt = this.doomedAt + 1;
    this.clockAt = this.surplusAt + 1;
    this.handsAt = this.clockAt + 1;
    this.width = this.handsAt + 2 * (scenario.operators + scenario.interlocks);
  }

  /** A is live and has been for a while; the others are ready and never were. Or B has followed it, and A is kept. */
  initial(): State {
    const state = new Uint16Array(this.width);
    const { generations, present, start } = this.scenario;
    for (const name of generations) this.put(state, { kind: 'ClusterGeneration', name, status: {} });
    for (const name of this.cutoverNames)
      if (present.includes(name)) this.put(state, { kind: 'Cutover', name, status: {} });
    for (const facts of start === 'retained' ? RETAINED : FIRST_LIVE) this.put(state, facts);
    const live = start === 'retained' ? 'B' : 'A';
    for (const [index] of this.setting.traffic.entries())
      state[this.targetsAt + index] = this.switchNumber(this.wantedBy(index, live));
    state[this.machinesAt] = (1 << generations.length) - 1;
    if (start === 'retained') state[this.tagsAt + 1] = 1;
    return state;
  }

  slot(name: string): number {
    return this.#slots.get(name) ?? -1;
  }

  /** Bit of a generation in the cells that have one for each. */
  bit(generation: string): number {
    return 1 << this.scenario.generations.indexOf(generation as never);
  }

  factsIn(state: State, name: string): Facts | undefined {
    return this.facts.value(state[this.slot(name)] ?? 0);
  }

  put(state: State, facts: Facts): void {
    state[this.slot(facts.name)] = this.number(facts);
  }

  number(facts: Facts): number {
    return this.facts.number({ ...facts, status: statusFacts(facts.kind, facts.status) });
  }

  /** What a function makes of two numbers, worked out once. */
  remembered<T>(what: string, a: number, b: number, work: () => T): T {
    let memory = this.#memory.get(what);
    if (!memory) {
      memory = new Map();
      this.#memory.set(what, memory);
    }
    const key = a * 0x10000 + b;
    if (memory.has(key)) return memory.get(key) as T;
    const value = work();
    memory.set(key, value);
    return value;
  }

  /** The object behind a number that stood in a slot, as read at `now`. Only the platform's looks depend on that. */
  object(number: number, now: number): Platform | ClusterGeneration | Cutover | undefined {
    const facts = this.facts.value(number);
    if (!facts) return undefined;
    const key = facts.kind === 'Platform' ? number + (now + 1) * 0x10000 : number;
    const known = this.#objects.get(key);
    if (known) return known;
    const object = objectOf(facts, this.setting, now);
    this.#objects.set(key, object);
    return object;
  }

  generation(state: State, name: string): ClusterGeneration | undefined {
    return this.object(state[this.slot(name)] ?? 0, 0) as ClusterGeneration | undefined;
  }

  platform(state: State): Platform {
    return this.object(state[0] ?? 0, this.now(state)) as Platform;
  }

  cutover(state: State, name: string): Cutover | undefined {
    return this.object(state[this.slot(name)] ?? 0, 0) as Cutover | undefined;
  }

  /** Later than all that was ever written, seconds: clocks go on, and nothing else of them matters here. */
  now(state: State): number {
    let now = state[this.clockAt] ?? 0;
    for (let slot = 0; slot < this.names.length; slot++) now = Math.max(now, this.#momentsOf(state[slot] ?? 0).last);
    for (let cell = this.tagsAt; cell < this.machinesAt; cell++) now = Math.max(now, state[cell] ?? 0);
    return now + 1;
  }

  /** The next moment at which something is due, seconds; undefined when nothing is. */
  due(state: State): number | undefined {
    const now = this.now(state);
    let next: number | undefined;
    for (let slot = 0; slot < this.names.length; slot++)
      for (const time of this.#momentsOf(state[slot] ?? 0).due)
        if (time > now && time < (next ?? Infinity)) next = time;
    return next;
  }

  #momentsOf(number: number): { last: number; due: number[] } {
    const known = this.#moments[number];
    if (known) return known;
    const facts = this.facts.value(number);
    const moments = { last: lastMoment(facts), due: dueMoments(facts) };
    this.#moments[number] = moments;
    return moments;
  }

  runs(state: State, generation: string): boolean {
    return ((state[this.machinesAt] ?? 0) & this.bit(generation)) !== 0;
  }

  /** What a target has to point at for a generation. */
  wantedBy(target: number, generation: string): SwitchState {
    return this.#wanted[target]?.[generation] ?? {};
  }

  /** Keys in one order: a decision and an object may have them in another. */
  switchNumber(value: SwitchState): number {
    const known = this.#switchNumbers.get(value);
    if (known !== undefined) return known;
    const number = this.#switches.number(factsOf(value) as SwitchState);
    this.#switchNumbers.set(value, number);
    return number;
  }

  holdOf(target: number): SwitchState | undefined {
    return this.setting.traffic[target]?.maintenance && HOLD;
  }

  pointsAt(state: State, target: number): SwitchState {
    return this.#switches.value(state[this.targetsAt + target] ?? 0) ?? {};
  }

  /** The generation whose machines a target reaches; undefined behind its maintenance responder. */
  serves(state: State, target: number): string | undefined {
    const number = state[this.targetsAt + target] ?? 0;
    return this.scenario.generations.find((name) => this.switchNumber(this.wantedBy(target, name)) === number);
  }

  /** What an operator or an interlock has in hand; undefined when nothing. */
  job(state: State, hand: number): Job | undefined {
    return this.jobs.value(state[this.handsAt + 2 * hand] ?? 0);
  }

  /** `stale`: bits of the slots that have changed since they were read, and {@link DEPOSED}. */
  hold(state: State, hand: number, job: Job | undefined | number, stale: number): void {
    const number = typeof job === 'number' ? job : this.jobs.number(job);
    state[this.handsAt + 2 * hand] = number;
    state[this.handsAt + 2 * hand + 1] = number > 0 ? stale : 0;
  }

  jobNumber(state: State, hand: number): number {
    return state[this.handsAt + 2 * hand] ?? 0;
  }

  isDeposed(state: State, hand: number): boolean {
    return (this.stale(state, hand) & DEPOSED) !== 0;
  }

  stale(state: State, hand: number): number {
    return state[this.handsAt + 2 * hand + 1] ?? 0;
  }
}
