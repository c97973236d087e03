import { neverRan, noCapacity, quotaExceeded, stopProtected, wrongState } from '../errors.ts';
import { boot, stop } from '../life.ts';
import { type Instance, type StateName, usesQuota } from '../state/instance.ts';
import type { Answer } from '../wire/xml.ts';
import type { Action } from './action.ts';
import { namedInstances } from './find.ts';
import { stateView } from './instance-view.ts';

/** Stops running instances. One that is protected, or in a state from which it cannot stop, fails the whole request. */
export const stopInstances: Action = {
  parameters: ['InstanceId', 'Force', 'Hibernate', 'SkipOsShutdown'],
  run(cloud, { parameters, caller, call, now }) {
    const instances = namedInstances(cloud, parameters);
    for (const { id, state, starts, stopProtection } of instances) {
      if (state.current === 'pending' && starts === 1) throw neverRan(id);
      if (!['running', 'stopping', 'stopped'].includes(state.current)) throw wrongState(id, 'stopped');
      if (stopProtection.current && state.current === 'running') throw stopProtected(id);
    }
    cloud.limits.takeResources('StopInstances', instances.length);
    const before = statesOf(instances);
    const running = instances.filter((instance) => instance.state.current === 'running');
    for (const instance of running) stop(cloud, instance, now, caller);
    call.machines = running.map((instance) => instance.id);
    return changes(instances, before);
  },
};

/** Starts stopped instances, if the quota and the zone's capacity allow all of them. */
export const startInstances: Action = {
  parameters: ['InstanceId', 'AdditionalInfo'],
  run(cloud, { parameters, subject, call, now }) {
    const instances = namedInstances(cloud, parameters);
    for (const { id, state } of instances) {
      if (!['stopped', 'pending', 'running'].includes(state.current)) throw wrongState(id, 'started');
    }
    const stopped = instances.filter((instance) => instance.state.current === 'stopped');
    const vcpus = (some: readonly Instance[]) => some.reduce((sum, { type }) => sum + type.vcpus, 0);
    const quota = cloud.scenario.quotas.vcpus;
    if (vcpus(cloud.instances.all.filter(usesQuota)) + vcpus(stopped) > quota) throw quotaExceeded(quota);
    const capacity = cloud.faults.capacity(subject, stopped.length);
    const [first] = stopped;
    if (capacity.fault !== undefined && first) {
      call.faults = [...(call.faults ?? []), capacity.fault];
      cloud.faults.acted(capacity.fault);
      throw noCapacity(first.type.name, first.subnet.zone);
    }
    cloud.limits.takeResources('StartInstances', instances.length);
    const before = statesOf(instances);
    for (const instance of stopped) {
      instance.state.set('pending', now);
      instance.reason = '';
      instance.launchedAt = now;
      boot(cloud, instance, now);
    }
    call.machines = stopped.map((instance) => instance.id);
    return changes(instances, before);
  },
};

function statesOf(instances: readonly Instance[]): Map<string, StateName> {
  return new Map(instances.map((instance) => [instance.id, instance.state.current]));
}

function changes(instances: readonly Instance[], before: Map<string, StateName>): Answer {
  return {
    instancesSet: instances.map((instance) => ({
      instanceId: instance.id,
      currentState: stateView(instance.state.current),
      previousState: stateView(before.get(instance.id) ?? instance.state.current),
    })),
  };
}
