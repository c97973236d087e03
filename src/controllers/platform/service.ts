import type { Platform, TrafficStatus } from '../../api/v1alpha1/index.ts';
import type { kstatus, Verdict } from '../../domain/conditions.ts';
import type { Roles } from './roles.ts';

/** What a platform with a live generation says as a whole of its traffic targets and of its machines. Pure. */

type Said = Omit<Verdict, 'type'>;

export interface Care {
  degraded: Said;
  ready: Said;
  progress: Parameters<typeof kstatus>[0];
}

export const COMPLETE: Said = { status: false, reason: 'Complete', message: '' };

/** Causes that machines which are missing have by themselves: they go when the machines are back. */
const BY_MACHINES = ['PodsNotReady', 'PodsMissing', 'MachineNotReady', 'TooFewReadyEndpoints', 'EndpointsNotFollowing'];

/** What is worst comes first; what is said of targets names each of them. */
export function serviceOf({ spec }: Platform, roles: Roles, traffic: readonly TrafficStatus[]): Care {
  const short = roles.filter(({ restored }) => !restored);
  const shortage = short.map(({ name, machines }) => `${name} ${machines.ready}/${machines.desired}`).join(', ');
  const stopped = inState(traffic, 'NotServing');
  const isShort = (target: string) => {
    const role = spec.traffic.find(({ name }) => name === target)?.role;
    return short.some(({ name }) => name === role);
  };
  const own = stopped.find(({ name, reason }) => !(isShort(name) && BY_MACHINES.includes(reason ?? '')));
  const reason = own?.reason ?? (shortage ? 'MachinesMissing' : undefined);
  if (reason !== undefined) {
    const missing = shortage && `machines of the live generation are missing: ${shortage}`;
    const message = [...(own ? [] : [missing]), messagesOf(stopped), ...(own ? [missing] : [])]
      .filter(Boolean)
      .join('. ');
    return {
      degraded: { status: true, reason, message: message },
      ready: { status: false, reason, message },
      progress: own ? 'Stalled' : 'Reconciling',
    };
  }
  for (const state of ['Held', 'Moving'] as const) {
    const some = inState(traffic, state);
    const [{ reason = '' } = {}] = some;
    if (some.length === 0) continue;
    const said = { status: false, reason, message: messagesOf(some) };
    return { degraded: said, ready: said, progress: 'Reconciling' };
  }
  const unknown = inState(traffic, 'Unknown');
  if (unknown.length > 0) {
    const said = { status: 'Unknown' as const, reason: 'TrafficNotSeen', message: messagesOf(unknown) };
    return { degraded: said, ready: said, progress: 'Reconciling' };
  }
  // What users reach is said of nothing that is not looked at.
  const ready = traffic.length > 0 ? 'Serving' : 'MachinesReady';
  return { degraded: COMPLETE, ready: { status: true, reason: ready, message: '' }, progress: 'Current' };
}

const inState = (traffic: readonly TrafficStatus[], state: TrafficStatus['state']): TrafficStatus[] =>
  traffic.filter((entry) => entry.state === state);

const messagesOf = (entries: readonly TrafficStatus[]): string =>
  entries.map(({ name, message }) => `${name}: ${message ?? ''}`).join('. ');
