import { type Cloud, seenAt } from '../cloud.ts';
import { nodeName } from '../nodes/registry.ts';
import { type Instance, stateCodes } from '../state/instance.ts';
import { flag, list } from '../wire/parameters.ts';
import type { Action } from './action.ts';
import { type Fields, filtering } from './filters.ts';
import { findInstances } from './find.ts';
import { publicAddress, reservationSet, stateView } from './instance-view.ts';
import { pageOf, tokenFor } from './paging.ts';

/** Instances as they were a consistency delay ago, in the order of their launch. A page counts instances. */
export const describeInstances: Action = {
  parameters: ['InstanceId', 'Filter', 'MaxResults', 'NextToken'],
  run(cloud, { parameters }) {
    const seen = seenAt(cloud);
    const page = pageOf(parameters, 'InstanceId');
    const matches = filtering(parameters, fieldsAt(cloud, seen), (instance) => instance.tags.seen(seen));
    const ids = list(parameters, 'InstanceId');
    const named = ids.length > 0 ? findInstances(cloud, ids) : cloud.instances.all;
    const { found, nextToken } = pageThrough(cloud, named, matches, seen, page);
    return { reservationSet: reservationSet(cloud, found, seen), nextToken };
  },
};

/** Health as EC2's own checks see it; without IncludeAllInstances of running instances only. */
export const describeInstanceStatus: Action = {
  parameters: ['InstanceId', 'Filter', 'MaxResults', 'NextToken', 'IncludeAllInstances'],
  run(cloud, { parameters }) {
    const seen = seenAt(cloud);
    const page = pageOf(parameters, 'InstanceId');
    const all = flag(parameters, 'IncludeAllInstances') ?? false;
    const filter = filtering(parameters, statusFields(seen), (instance) => instance.tags.seen(seen));
    const matches = (instance: Instance) => (all || instance.state.seen(seen) === 'running') && filter(instance);
    const ids = list(parameters, 'InstanceId');
    const named = ids.length > 0 ? findInstances(cloud, ids) : cloud.instances.all;
    const { found, nextToken } = pageThrough(cloud, named, matches, seen, page);
    return {
      instanceStatusSet: found.map((instance) => {
        const state = instance.state.seen(seen);
        const instanceStatus = health(instance, state === 'running');
        const systemStatus = state === 'running' ? 'ok' : 'not-applicable';
        return {
          instanceId: instance.id,
          availabilityZone: instance.subnet.zone,
          instanceState: stateView(state),
          systemStatus: check(systemStatus),
          instanceStatus: check(instanceStatus),
        };
      }),
      nextToken,
    };
  },
};

function health(instance: Instance, running: boolean): 'ok' | 'impaired' | 'initializing' | 'not-applicable' {
  if (!running) return 'not-applicable';
  if (!instance.boots) return 'impaired';
  return instance.registered ? 'ok' : 'initializing';
}

function check(status: string) {
  if (status === 'not-applicable') return { status };
  const passed = { ok: 'passed', impaired: 'failed', initializing: 'initializing' }[status] ?? 'passed';
  return { status, details: [{ name: 'reachability', status: passed }] };
}

function pageThrough(
  cloud: Cloud,
  named: readonly Instance[],
  matches: (instance: Instance) => boolean,
  seen: number,
  page: { after: number | undefined; size: number },
): { found: Instance[]; nextToken: string | undefined } {
  const found: Instance[] = [];
  const from = page.after === undefined || named !== cloud.instances.all ? 0 : cloud.instances.indexAfter(page.after);
  for (let index = from; index < named.length; index++) {
    const instance = named[index];
    if (!instance || instance.createdAt > seen || !matches(instance)) continue;
    if (found.length === page.size) return { found, nextToken: tokenFor(found.at(-1)?.number ?? 0) };
    found.push(instance);
  }
  return { found, nextToken: undefined };
}

function fieldsAt(cloud: Cloud, seen: number): Fields<Instance> {
  const gone = (instance: Instance) => instance.state.seen(seen) === 'terminated';
  const unlessGone = (value: (instance: Instance) => string | undefined) => (instance: Instance) => [
    gone(instance) ? undefined : value(instance),
  ];
  return {
    ...statusFields(seen),
    'instance-id': ({ id }) => [id],
    'instance-type': ({ type }) => [type.name],
    'image-id': ({ image }) => [image],
    'client-token': ({ clientToken }) => [clientToken],
    'reservation-id': ({ reservation }) => [reservation],
    'owner-id': () => [cloud.scenario.account],
    'launch-index': ({ launchIndex }) => [String(launchIndex)],
    'launch-time': ({ launchedAt }) => [new Date(Math.floor(launchedAt / 1000) * 1000).toISOString()],
    'subnet-id': unlessGone(({ subnet }) => subnet.id),
    'vpc-id': unlessGone(() => cloud.scenario.vpc),
    'private-ip-address': unlessGone(({ address }) => address),
    'private-dns-name': unlessGone(({ address }) => nodeName(address, cloud.scenario.region)),
    'ip-address': unlessGone((instance) => publicAddress(cloud, instance, seen)),
    'instance.group-id': ({ securityGroups }) => [...securityGroups],
    architecture: () => ['x86_64'],
    tenancy: () => ['default'],
  };
}

function statusFields(seen: number): Fields<Instance> {
  return {
    'availability-zone': ({ subnet }) => [subnet.zone],
    'instance-state-name': ({ state }) => [state.seen(seen)],
    'instance-state-code': ({ state }) => [String(stateCodes[state.seen(seen)])],
  };
}
