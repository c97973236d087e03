/**
 * placement/ puts pods of Follow and Singleton roles on the live generation: they are created behind a gate, which is lifted here. In go
 * a Platform and its pods, out come the pods to start and to end, at the pace of their roles, and the finalizers that have done their
 * work. Nothing is remembered between two decisions. A singleton's copy starts only when every other is known to have ended.
 */

import { isHeld } from '../pods.ts';
import type { PlacedRole, PlacementInput, PlacementPod } from './input.ts';

export interface PlacementDecision {
  /** To be started on the live generation, in this order. */
  place: { pod: PlacementPod; role: PlacedRole; generation: string }[];
  end: Ending[];
  /** Ended for certain: their finalizer goes. */
  unfinalize: PlacementPod[];
  note: Note[];
  /** When to look again though nothing has changed: when the pace allows more, or when the cloud may say more about a machine. */
  again: { pace: number | undefined; machines: boolean };
}

export interface Ending {
  pod: PlacementPod;
  /** Without waiting for a kubelet: its machine is off. */
  force: boolean;
  /** `moved`: it starts again elsewhere, at the pace of this role. */
  because: 'quiesced' | 'machine off' | 'moved';
  role: PlacedRole;
}

/** What is to be written on a pod, so that it is known later. */
export interface Note {
  pod: PlacementPod;
  task: boolean;
  machine: string | undefined;
  finalizer: boolean;
}

/** Pods written to for a note in one go: it is no hurry. */
const NOTES = 200;

export function decide(input: PlacementInput): PlacementDecision {
  const { platform, pods, pace } = input;
  const nothing: PlacementDecision = {
    place: [],
    end: [],
    unfinalize: pods.filter((pod) => isHeld(pod) && isOver(pod)),
    note: [],
    again: { pace: undefined, machines: pods.some(({ lost, off, ended }) => lost && !off && !ended) },
  };
  if (!platform) return nothing;
  const roles = new Map(platform.roles.map((role) => [role.name, role]));
  const ours = pods.filter(({ role }) => roles.has(role));
  const roleOf = (pod: PlacementPod) => roles.get(pod.role) as PlacedRole;
  const { gated, placed } = byTask(pods);
  const note = notes(platform.open, ours, roleOf, gated);
  if (platform.frozen !== undefined) return { ...nothing, note };

  const end: Ending[] = ours
    .filter((pod) => pod.off && !pod.graceless && !pod.ended)
    .map((pod) => ({ pod, force: true, because: 'machine off', role: roleOf(pod) }));
  const certain = new Set(end.map(({ pod }) => pod));
  const unfinalize = nothing.unfinalize.filter((pod) => !certain.has(pod));
  const base = { ...nothing, unfinalize, note };

  const { stop, live } = platform;
  if (stop) {
    const quiet = ours.filter((pod) => stop.includes(pod.role) && isEndable(pod) && pod.kind !== 'job');
    for (const pod of quiet)
      if (roleOf(pod).handover === 'Singleton') end.push({ pod, force: false, because: 'quiesced', role: roleOf(pod) });
    return { ...base, end };
  }
  if (live === undefined) return { ...base, end };

  const place: PlacementDecision['place'] = [];
  let wait: number | undefined;
  for (const role of platform.roles) {
    const { starts, stops, starting: most, wait: next } = pace.get(role.name) ?? NONE;
    const own = ours.filter((pod) => pod.role === role.name);
    // On a machine that does not answer one may be for ever: it takes nobody's place.
    const moving = own.filter((pod) => !pod.gated && !pod.lost);
    const onTheirWay = moving.filter((pod) => !pod.ended && !pod.started).length;
    const ready = own
      .filter((pod) => pod.gated && !pod.leaving && mayStart(pod, role, live, gated, placed))
      .toSorted(inOrder);
    const now = ready.slice(0, Math.max(0, Math.min(starts, most - onTheirWay)));
    place.push(...now.map((pod) => ({ pod, role, generation: live })));

    // Each that is ended comes back to be started: never more on the way than may start at once.
    const elsewhere = own
      .filter(
        (pod) => pod.kind === 'lasting' && isEndable(pod) && pod.generation !== undefined && pod.generation !== live,
      )
      .toSorted(inOrder);
    const ending = moving.filter((pod) => pod.leaving).length;
    const room = Math.min(stops, most - onTheirWay - ready.length - ending);
    const moved = elsewhere.slice(0, Math.max(0, room));
    end.push(...moved.map((pod): Ending => ({ pod, force: false, because: 'moved', role })));
    // What is on its way wakes the next look by itself.
    const more =
      (ready.length > now.length && starts <= now.length) || (elsewhere.length > moved.length && stops <= moved.length);
    if (more) wait = Math.min(wait ?? next, next);
  }
  return { ...base, place, end, again: { ...nothing.again, pace: wait } };
}

const NONE = { starts: 0, stops: 0, starting: 0, wait: 1000 };

/** No copy runs in this pod any more: its kubelet has said so, or it is being deleted and its machine is off. */
export const isOver = ({ ended, off, leaving }: PlacementPod): boolean => ended || (off && leaving);

const isEndable = (pod: PlacementPod): boolean => !pod.gated && !pod.leaving && !isOver(pod) && !pod.off;

type ByTask = ReadonlyMap<string, PlacementPod[]>;

/** Pods that wait at their gate, oldest first, and pods that are on a machine or on their way; both by task. */
function byTask(pods: readonly PlacementPod[]): { gated: ByTask; placed: ByTask } {
  const present = pods.filter((pod) => !isOver(pod));
  const of = (some: readonly PlacementPod[]) => Map.groupBy(some, ({ task }) => task);
  const gated = of(present.filter((pod) => pod.gated));
  const placed = of(present.filter((pod) => !pod.gated));
  for (const group of gated.values()) group.sort(byAge);
  return { gated, placed };
}

/**
 * Of a Singleton: no other copy can be running, and of several that wait it is the oldest. Any other leader, and one that has slept,
 * chooses the same, and the second write fails by its resourceVersion. Times are to the second: of those made in the same one, all but
 * the chosen one have been written to first, so that nobody who has not seen the others can choose one of them.
 */
function mayStart(pod: PlacementPod, role: PlacedRole, live: string, gated: ByTask, placed: ByTask): boolean {
  const others = placed.get(pod.task) ?? [];
  if (role.handover === 'Follow')
    return others.every(({ generation }) => generation === undefined || generation === live);
  const waiting = gated.get(pod.task) ?? [];
  const rivals = waiting.filter(({ created, uid }) => created === pod.created && uid !== pod.uid);
  return others.length === 0 && waiting[0] === pod && rivals.every(({ labelled }) => labelled);
}

const byAge = (a: PlacementPod, b: PlacementPod): number =>
  a.created - b.created || (a.uid < b.uid ? -1 : a.uid > b.uid ? 1 : 0);

const inOrder = (a: PlacementPod, b: PlacementPod): number => a.order - b.order || byAge(a, b);

function notes(
  open: boolean,
  pods: readonly PlacementPod[],
  roleOf: (pod: PlacementPod) => PlacedRole,
  gated: ByTask,
): Note[] {
  const rivals = [...gated.values()].flatMap(([first, ...rest]) =>
    rest.filter((pod) => first && pod.created === first.created && roleOf(pod)?.handover === 'Singleton'),
  );
  const waiting = rivals
    .filter(({ labelled, leaving }) => !labelled && !leaving)
    .map((pod): Note => ({ pod, task: true, machine: undefined, finalizer: false }));
  const running = pods
    .filter((pod) => !pod.gated && !isOver(pod))
    .map((pod): Note => {
      const singleton = roleOf(pod).handover === 'Singleton';
      return {
        pod,
        task: !pod.labelled,
        // The first that it was seen on: a new machine of the same name must not hide the old one.
        machine: singleton && pod.machine === undefined ? pod.nodeMachine : undefined,
        finalizer: singleton && !open && !isHeld(pod) && !pod.leaving,
      };
    })
    .filter(({ task, machine, finalizer }) => task || machine !== undefined || finalizer);
  return [...waiting, ...running].slice(0, NOTES);
}
