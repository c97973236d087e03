import { terminationProtected, terminationStopProtected } from '../errors.ts';
import { terminate } from '../life.ts';
import type { Instance } from '../state/instance.ts';
import type { Action } from './action.ts';
import { namedInstances } from './find.ts';
import { stateView } from './instance-view.ts';

/**
 * One unknown id fails the request before anything is done. A protected instance fails it too, but only the
 * instances of its own zone are spared; those of other zones are terminated although the answer is an error.
 * Stop protection protects from termination as well. Terminating a terminated instance succeeds.
 */
export const terminateInstances: Action = {
  parameters: ['InstanceId', 'Force', 'SkipOsShutdown'],
  run(cloud, { parameters, caller, call, now }) {
    const instances = namedInstances(cloud, parameters);
    const guarded = instances.filter((instance) => alive(instance) && isProtected(instance));
    const spared = new Set(guarded.map((instance) => instance.subnet.zone));
    const doomed = instances.filter((instance) => !spared.has(instance.subnet.zone));
    const ending = doomed.filter(alive);
    cloud.limits.takeResources('TerminateInstances', doomed.length);
    const before = new Map(doomed.map((instance) => [instance.id, instance.state.current]));
    for (const instance of ending) terminate(cloud, instance, now, caller);
    call.machines = ending.map((instance) => instance.id);
    const [first] = guarded;
    if (first)
      throw first.terminationProtection.current ? terminationProtected(first.id) : terminationStopProtected(first.id);
    return {
      instancesSet: doomed.map((instance) => ({
        instanceId: instance.id,
        currentState: stateView(instance.state.current),
        previousState: stateView(before.get(instance.id) ?? instance.state.current),
      })),
    };
  },
};

function alive(instance: Instance): boolean {
  const state = instance.state.current;
  return state !== 'terminated' && state !== 'shutting-down';
}

function isProtected(instance: Instance): boolean {
  return instance.terminationProtection.current || instance.stopProtection.current;
}
