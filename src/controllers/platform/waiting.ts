import type { Platform } from '../../api/v1alpha1/index.ts';
import type { Verdict } from '../../domain/conditions.ts';
import { BY, type Context } from '../context.ts';
import { machineIdOf } from '../nodes.ts';
import { endedMachines, located, machinesOf } from '../placement/gather.ts';
import { machineOf, placedRolesOf } from '../placement/input.ts';
import type { PlatformInput, WaitingTask } from './input.ts';

/** Which singletons wait, because a copy may still run on a machine that does not answer, and for what. */

/** Pods in a message: more would hide what it says. */
const NAMED = 5;

const TASKS_WAIT = 'TasksWait';

/** From the caches: what the placement controller goes by as well. */
export function waitingTasks(context: Context, platform: Platform): WaitingTask[] {
  const singletons = new Set(
    placedRolesOf(platform).flatMap(({ name, handover }) => (handover === 'Singleton' ? [name] : [])),
  );
  if (singletons.size === 0) return [];
  const lost = context.caches.pods
    .byIndex(BY.platform, platform.metadata.name)
    .filter(({ role, ended, gated }) => singletons.has(role) && !ended && !gated)
    .map((pod) => located(context, pod))
    .filter((pod) => pod.lost);
  if (lost.length === 0) return [];
  const ended = endedMachines(context);
  const isOff = (providerIDs: readonly string[]) => providerIDs.length > 0 && providerIDs.every((id) => ended.has(id));
  return lost
    .filter((pod) => !isOff(machinesOf(pod)))
    .map((pod) => ({
      pod: `${pod.namespace}/${pod.name}`,
      role: pod.role,
      node: pod.node ?? '',
      machine: machineIdOf(machineOf(pod)),
    }));
}

export function tasksWait({ waiting }: PlatformInput): Verdict {
  if (waiting.length === 0) return { type: TASKS_WAIT, status: false, reason: 'NoneWaits', message: '' };
  const list = waiting
    .slice(0, NAMED)
    .map(({ pod, role, node, machine }) => `${pod} (role ${role}) on Node ${node}, ${machine}`)
    .join('; ');
  const more = waiting.length > NAMED ? ` and ${waiting.length - NAMED} more` : '';
  return {
    type: TASKS_WAIT,
    status: true,
    reason: 'MachineMayRun',
    message: `no other copies are started of ${list}${more}: these Nodes do not answer, and whether their machines are off is not known. The cloud is asked again; a machine that it does not know any more counts as off five minutes after that was seen first. Or stop or terminate the machine at the cloud`,
  };
}
