import { isDeepStrictEqual } from 'node:util';
import {
  type ClusterGeneration,
  CUTOVER_FINALIZER,
  type Cutover,
  LABEL,
  LIVE_TIME_TAG,
  type Platform,
  type SwitchState,
} from '../../src/api/v1alpha1/index.ts';
import { decide } from '../../src/controllers/cutover/decide.ts';
import type { CutoverInput, Effect } from '../../src/controllers/cutover/input.ts';
import { hasBegun, isBegun } from '../../src/controllers/cutover/journal.ts';
import type { Member, TargetView } from '../../src/traffic/target.ts';
import { EPOCH } from '../builders/objects.ts';
import { type Act, type Job, perform, settle, statusAct, withoutCalls } from './acts.ts';
import { machineOf, moment, nodeLabels, RETENTION, ROLE, secondsOf } from './facts.ts';
import { retirementActs } from './retirement.ts';
import type { State, World } from './world.ts';

/**
 * An operator reads, decides by the real decide functions, and carries out what they say act by act. There are several, none
 * of which knows of the others; each may stop for any time between two acts and go on with what it had read, or die.
 */

export type Activity = { cutover: string } | { retire: string };

/** Adds what one operator may do next in a state. */
export function operate(
  world: World,
  state: State,
  hand: number,
  emit: (label: string, change: (next: State) => string | undefined) => void,
): void {
  const job = world.job(state, hand);
  if (!job) {
    const busy = underWay(world, state);
    for (const activity of activities(world, state)) {
      if (busy.has(controllerOf(activity))) continue;
      const what = 'cutover' in activity ? activity.cutover : `the clock of ${activity.retire}`;
      const first: Job = { reading: activity, seen: [] };
      if (world.scenario.reads === 'at once')
        for (const late of latenesses(world, activity))
          emit(`looks at ${what}${WORDS[late]}`, (next) => {
            world.hold(next, hand, look(world, next, activity, late), 0);
            settle(world, next, hand);
            return undefined;
          });
      else
        emit(`reads ${what}`, (next) => {
          world.hold(next, hand, first, 0);
          read(world, next, hand);
          return undefined;
        });
    }
    return;
  }
  emit('dies', (next) => {
    world.hold(next, hand, undefined, 0);
    return undefined;
  });
  if ('acts' in job) emit('', (next) => perform(world, next, hand));
  if (!('reading' in job)) return;
  if (job.seen.length === 1)
    emit('reads the platform and the generations', (next) => {
      read(world, next, hand);
      return undefined;
    });
  else
    for (const late of latenesses(world, job.reading))
      emit(`looks at targets and machines${WORDS[late]}`, (next) => {
        conclude(world, next, hand, late);
        return undefined;
      });
}

/** Endpoints follow a switch at once, or take their time, or too much of it. */
const LATENESSES = ['in time', 'late', 'too late'] as const;
export type Lateness = (typeof LATENESSES)[number];

const WORDS: Record<Lateness, string> = {
  'in time': '',
  late: ', when nothing serves yet',
  'too late': ', when nothing serves and it has waited for too long',
};

const latenesses = ({ scenario }: World, activity: Activity): readonly Lateness[] =>
  'cutover' in activity ? scenario.endpoints : ['in time'];

const controllerOf = (activity: Activity) => ('cutover' in activity ? 'cutover' : 'retirement');

/** Controllers of the operator that leads which are at something: each does one thing at a time. */
function underWay(world: World, state: State): Set<string> {
  const busy = new Set<string>();
  for (let hand = 0; hand < world.scenario.operators; hand++) {
    const job = world.job(state, hand);
    if (!job || 'end' in job || world.isDeposed(state, hand)) continue;
    busy.add('reading' in job ? controllerOf(job.reading) : job.of);
  }
  return busy;
}

/** All that an operator's controllers look after now: what has ended, and what no cutover has touched, they let be. */
export function activities(world: World, state: State): Activity[] {
  const held = world.factsIn(state, 'us')?.status.cutover !== undefined;
  return [
    ...world.cutoverNames.flatMap((cutover) => {
      const facts = world.factsIn(state, cutover);
      return facts && (!facts.status.outcome || facts.finalizer) ? [{ cutover }] : [];
    }),
    ...world.scenario.generations.flatMap((name) => {
      const { status } = world.factsIn(state, name) ?? {};
      const touched = !status || status.reservedBy || status.retention || status.retiredTime;
      return held || touched ? [{ retire: name }] : [];
    }),
  ];
}

/** The number of what there is to do by all as it is at this instant. */
export function look(world: World, state: State, activity: Activity, late: Lateness = 'in time'): number {
  const seen = new Map(slotsOf(world, activity).map((slot) => [slot, state[slot] ?? 0]));
  return decided(world, state, activity, seen, late);
}

/** One go of reading: first the object itself, then the platform and the generations. */
function read(world: World, state: State, hand: number): void {
  const job = world.job(state, hand);
  if (!job || !('reading' in job)) return;
  const { reading, seen } = job;
  const [itself = 0, ...others] = slotsOf(world, reading);
  const more = (seen.length === 0 ? [itself] : others).map((slot): [number, number] => [slot, state[slot] ?? 0]);
  world.hold(state, hand, { reading, seen: [...seen, ...more] }, world.stale(state, hand));
}

/** Slots of what is read for a decision, the object itself first. */
function slotsOf(world: World, reading: Activity): number[] {
  if ('retire' in reading) return [world.slot(reading.retire), 0];
  const { from, to } = world.setting.cutovers[reading.cutover] ?? { from: '' };
  return [reading.cutover, 'us', from, to ?? ''].map((name) => world.slot(name)).filter((slot) => slot >= 0);
}

/** Decides, and keeps what there is to do. */
function conclude(world: World, state: State, hand: number, late: Lateness): void {
  const job = world.job(state, hand);
  if (!job || !('reading' in job)) return;
  const stale = world.stale(state, hand);
  const next = decided(world, state, job.reading, new Map(job.seen), late);
  const deposed = world.isDeposed(state, hand);
  world.hold(state, hand, deposed ? withoutCalls(world, next) : next, stale);
  settle(world, state, hand);
}

/** The number of what there is to do, by all that a decision rests on: most states differ in something else. */
function decided(world: World, state: State, reading: Activity, seen: Map<number, number>, late: Lateness): number {
  const now = world.now(state);
  const about = 'cutover' in reading ? reading.cutover : reading.retire;
  const cells = [world.slot(about), LATENESSES.indexOf(late), now, ...seen.values()];
  for (let cell = world.scenario.generations.length + 1; cell < world.doomedAt; cell++) cells.push(state[cell] ?? 0);
  const key = String.fromCharCode(...cells);
  const known = world.decisions.get(key);
  if (known !== undefined) return known;
  let acts: Act[] = [];
  if ('retire' in reading) acts = retirementActs(world, state, seen, about);
  else {
    const input = inputOf(world, state, seen, about, late, now);
    if (input) acts = translated(world, seen, input);
  }
  const number = world.jobs.number(acts.length > 0 ? { acts, of: controllerOf(reading) } : undefined);
  world.decisions.set(key, number);
  return number;
}

function inputOf(
  world: World,
  state: State,
  seen: Map<number, number>,
  name: string,
  late: Lateness,
  now: number,
): CutoverInput | undefined {
  const object = <T>(of: string): T | undefined => world.object(seen.get(world.slot(of)) ?? 0, now) as T | undefined;
  const cutover = object<Cutover>(name);
  if (!cutover) return undefined;
  const platform = object<Platform>('us');
  const from = object<ClusterGeneration>(cutover.spec.from);
  const to = object<ClusterGeneration>(cutover.spec.to ?? '');
  const view = pretended(world, { cutover, platform, from, to });
  const others = othersOf(world, state, cutover, view.platform);
  const of = (generation: ClusterGeneration | undefined) =>
    generation && world.runs(state, generation.metadata.name) ? [generation.metadata.name] : [];
  return {
    cutover: late === 'too late' ? longAgo(cutover) : cutover,
    ...view,
    ...others,
    members: of(to).map(memberOf),
    machines: of(to).map((generation) => machine(world, state, generation)),
    kept: [],
    left: of(from).map(memberOf),
    targets: viewsOf(world, state, to, late),
    back: viewsOf(world, state, from, late),
    jobs: [],
    answers: [],
    tasks: [],
    sight: { seen: true },
    now: EPOCH + now * 1000,
    scaled: (ms) => ms,
  };
}

/** The same, with every step begun so long ago that nothing has to be waited for any more. */
function longAgo(cutover: Cutover): Cutover {
  const time = moment(-RETENTION);
  const { steps, undo, ...status } = cutover.status;
  return {
    ...cutover,
    status: {
      ...status,
      ...(steps && { steps: steps.map((step) => ({ ...step, startTime: time })) }),
      ...(undo && { undo: { ...undo, time } }),
    },
  };
}

const memberOf = (generation: string): Member => ({
  machine: machineOf(generation),
  launchTime: EPOCH,
  role: ROLE,
  node: `node-${generation}`,
  ready: true,
});

function machine(world: World, state: State, generation: string): CutoverInput['machines'][number] {
  const tag = state[world.tagsAt + world.scenario.generations.indexOf(generation as never)] ?? 0;
  const tags = { ...nodeLabels(generation), ...(tag > 0 && { [LIVE_TIME_TAG]: moment(tag) }) };
  return { id: machineOf(generation), state: 'running', tags };
}

function viewsOf(world: World, state: State, generation: ClusterGeneration | undefined, late: Lateness): TargetView[] {
  if (!generation) return [];
  const { name } = generation.metadata;
  const there = world.runs(state, name);
  return world.setting.traffic.map((target, index) => {
    const at = state[world.targetsAt + index];
    const wanted = world.wantedBy(index, name);
    const hold = world.holdOf(index);
    const is = (value: typeof wanted) => at === world.switchNumber(value);
    return {
      target: target.name,
      role: target.role,
      now: world.pointsAt(state, index),
      wanted,
      serving: is(wanted) && there && late === 'in time',
      waitingFor: 'its endpoints',
      ...(target.elasticIPs && { parts: true as const }),
      ...(!there && {
        nobody: true as const,
        problem: { reason: 'NoReadyEndpoints', message: `${name} has no machines` },
      }),
      ...(hold && {
        hold: { wanted: hold, serving: is(hold) && late === 'in time', waitingFor: 'the maintenance responder' },
      }),
    };
  });
}

/** As gather.ts has it: the one that holds the platform goes first, or has begun; or else the oldest that nobody has paused. */
function othersOf(
  world: World,
  state: State,
  cutover: Cutover,
  platform: Platform | undefined,
): Pick<CutoverInput, 'first' | 'superseded' | 'successor'> {
  const all = world.cutoverNames.flatMap((name) => world.cutover(state, name) ?? []);
  const { uid } = cutover.metadata;
  const unfinished = all.filter(({ metadata, status }) => status.outcome === undefined && metadata.uid !== uid);
  const wanted = cutover.spec.supersedes;
  const others = unfinished.filter(({ metadata }) => metadata.uid !== wanted?.uid);
  const age = ({ metadata }: Cutover) => metadata.creationTimestamp;
  const older = others.filter((other) => !other.spec.paused && age(other) < age(cutover));
  const holder = others.find(({ metadata }) => metadata.uid === platform?.status.cutover?.uid);
  const oldest = older.toSorted((a, b) => age(a).localeCompare(age(b)))[0];
  return {
    first: holder ?? (isBegun(cutover) ? undefined : (others.find(isBegun) ?? oldest)),
    superseded: wanted && all.find(({ metadata }) => metadata.uid === wanted.uid),
    successor: unfinished.find((other) => other.spec.supersedes?.uid === uid && isBegun(other)),
  };
}

type Objects = Pick<CutoverInput, 'platform' | 'from' | 'to'>;

/** What an operator without one of its protections would believe to see: the same decisions, and nothing written of that. */
function pretended(world: World, { cutover, platform, from, to }: Objects & { cutover: Cutover }): Objects {
  const { without } = world.scenario;
  const { name, uid } = cutover.metadata;
  const { outcome, undo } = cutover.status;
  const begun = isBegun(cutover) && !outcome && !undo && !hasBegun(cutover, 'Retain');
  let [there, goal] = [platform, to];
  if (goal && without.includes('one-way retirement')) {
    const { retiredTime: _time, retiredBy: _by, ...status } = goal.status;
    goal = { ...goal, status };
  }
  if (goal && begun && without.includes("the write to the target's own object"))
    goal = { ...goal, status: { ...goal.status, reservedBy: { name, uid } } };
  if (there && begun && without.includes('the reservation in status.protected')) {
    const names = [from, to].flatMap((generation) => generation?.metadata.name ?? []);
    const list = [...new Set([...(there.status.protected ?? []), ...names])];
    there = { ...there, status: { ...there.status, protected: list } };
  }
  if (there && begun && without.includes('one cutover at a time'))
    there = { ...there, status: { ...there.status, cutover: { name, uid } } };
  return { platform: there, from, to: goal };
}

/** The journal, then the effects, each as the API server or the cloud is asked for it. */
function translated(world: World, seen: Map<number, number>, input: CutoverInput): Act[] {
  const decision = decide(input);
  const { cutover } = input;
  const { name } = cutover.metadata;
  const what = `journals ${name}: ${progressOf(cutover, decision.status)}`;
  const tried = attemptsIn(cutover) !== attemptsIn(decision);
  const journal = statusAct(world, seen.get(world.slot(name)) ?? 0, decision.status, what, tried);
  const effects = decision.effects.flatMap((effect) => actsFor(world, seen, input, effect));
  const { without } = world.scenario;
  if (without.includes('the journal before the effects')) return [...effects, ...journal];
  return [...journal, ...effects];
}

const attemptsIn = ({ status }: { status: Cutover['status'] }): number =>
  (status.steps ?? []).reduce((sum, { attempts }) => sum + (attempts ?? 0), 0);

function actsFor(world: World, seen: Map<number, number>, { cutover, platform }: CutoverInput, effect: Effect): Act[] {
  const { what } = effect;
  switch (effect.do) {
    case 'writeGeneration':
    case 'writePlatform':
      return statusAct(world, seen.get(world.slot(effect.object.metadata.name)) ?? 0, effect.status, what);
    case 'tag': {
      const time = effect.tags[LIVE_TIME_TAG];
      return [{ tag: effect.generation.metadata.name, time: time ? secondsOf(time) : 0, what }];
    }
    case 'switch':
      return effect.moves.map(({ target, from, to }) => {
        const move = world.setting.traffic.findIndex(({ name }) => name === target);
        return { move, from, to, what: `moves ${target} from ${placeOf(from)} to ${placeOf(to)}` };
      });
    case 'finalizer': {
      const held = cutover.metadata.finalizers?.includes(CUTOVER_FINALIZER) === true;
      return held === effect.wanted
        ? []
        : [{ slot: world.slot(cutover.metadata.name), finalizer: effect.wanted, what }];
    }
    case 'preview':
    case 'startJob':
    case 'releaseJob':
      throw new Error(`nothing in this world asks for ${effect.do} (${what}, ${platform?.metadata.name})`);
  }
}

/** A state of a target for people: the generation, or the responder, or the machine behind an address. */
const placeOf = (state: SwitchState): string => state[LABEL.generation] ?? Object.values(state)[0] ?? 'nothing';

/** How far a journal has come since it was read. */
function progressOf(cutover: Cutover, after: Cutover['status']): string {
  const before = new Map((cutover.status.steps ?? []).map(({ name, state }) => [name, state]));
  const texts = (after.steps ?? [])
    .filter(({ name, state }) => state !== 'Skipped' && before.get(name) !== state)
    .map(({ name, state }) => `${name} ${state}`);
  if (after.undo && !cutover.status.undo) texts.push(`goes back (${after.undo.reason})`);
  if (after.outcome && !cutover.status.outcome) texts.push(after.outcome);
  const moved = (after.switches ?? []).map(({ state }) => state).join(', ');
  const same = isDeepStrictEqual(after.switches, cutover.status.switches);
  return texts.join(', ') || (moved && !same ? `targets ${moved}` : 'another attempt');
}
