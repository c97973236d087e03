import type { Cutover, Platform } from '../../src/api/v1alpha1/index.ts';
import { clusterGenerations, cutovers, generationPools, platforms } from '../../src/kinds.ts';
import { endpointSlices, nodes, pods, services } from '../../src/kube/resources.ts';
import type { StateView } from '../../src/simulator/control/state.ts';
import type { Installation } from './installation.ts';
import type { Site } from './site.ts';

/** The state in which a cutover leaves a site, in words that two rounds share: by role in the cutover, without names, UIDs and times. */

const LABEL = 'generations.dev/';
const LIVE_TIME = `${LABEL}live-time`;

/** Measured, counted or told to people: differs from run to run and means nothing for what is reached. */
const VOLATILE = [
  'message',
  'lastTransitionTime',
  'observedGeneration',
  'attempts',
  'guard',
  'destruction',
  'estimatedReadyTime',
  'estimatedEndTime',
  'estimatedTime',
  'estimatedDuration',
  'startsPerSecond',
  'traffic',
  'instances',
  'placement',
  'hash',
  'launchCount',
  'liveBy',
  'job',
  'rollback',
];

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;

/** Key: what; value: how it is. */
export type Snapshot = Record<string, unknown>;

export interface Parties {
  cutover: string;
  from: string;
  to: string;
}

/** Reads all of it, live. */
export async function snapshot({ admin, environment }: Installation, site: Site, parties: Parties): Promise<Snapshot> {
  const { name: namespace } = site;
  const answer = await fetch(`${environment.simulator.url}/state`, { signal: AbortSignal.timeout(10_000) });
  const cloud = (await answer.json()) as StateView;
  const [platform, cutover, from, to, allPools, allNodes, allServices, slices, allPods] = await Promise.all([
    admin.get(platforms, site.name),
    admin.get(cutovers, parties.cutover),
    admin.get(clusterGenerations, parties.from),
    admin.get(clusterGenerations, parties.to),
    admin.list(generationPools),
    admin.list(nodes),
    admin.list(services, { namespace }),
    admin.list(endpointSlices, { namespace }),
    admin.list(pods, { namespace }),
  ]);
  const names = new Map<string, string>([
    [parties.cutover, 'CUTOVER'],
    [parties.from, 'FROM'],
    [parties.to, 'TO'],
    [site.name, 'SITE'],
    [cutover.metadata.uid, 'CUTOVER-UID'],
    [from.metadata.uid, 'FROM-UID'],
    [to.metadata.uid, 'TO-UID'],
  ]);
  for (const { name, uid = '' } of cutover.status.migrations ?? []) names.set(uid, `JOB-UID of ${name}`);
  const own = cloud.instances.filter(
    ({ state, tags }) => state !== 'terminated' && names.has(tags[`${LABEL}generation`] ?? ''),
  );
  for (const { id, tags } of own)
    names.set(id, `${names.get(tags[`${LABEL}generation`] ?? '')}.${tags[`${LABEL}pool`]}`);
  const plain = (value: unknown) => normal(value, names);
  // In an order that does not depend on the names that were there before.
  const sorted = (values: unknown[]) => values.map(plain).toSorted(byText);
  const ofParty = ({ metadata }: { metadata: { labels?: Record<string, string> } }) =>
    names.has(metadata.labels?.[`${LABEL}generation`] ?? '');
  const { downtime, singletons: _, pointer, ...rest } = cutover.status;
  // What was live before the last cutover is of an earlier round.
  const { previous: __, ...moved } = pointer ?? {};
  return {
    'platform status': plain(withoutHistory(platform)),
    'cutover status': plain({ ...rest, pointer: moved, downtime: (downtime ?? []).map(({ role }) => role).toSorted() }),
    'cutover finalizers': cutover.metadata.finalizers ?? [],
    'status of FROM': plain(from.status),
    'status of TO': plain(to.status),
    pools: sorted(
      allPools.items
        .filter(({ spec }) => names.has(spec.generation))
        .map(({ metadata, spec, status }) => ({ generation: spec.generation, pool: metadata.name, status })),
    ),
    machines: sorted(
      own.map(({ id, state, tags, terminationProtection, stopProtection }) => {
        const live = tags[LIVE_TIME] === undefined ? 'none' : tags[LIVE_TIME] === '' ? 'empty' : 'set';
        return { id: names.get(id), state, live, terminationProtection, stopProtection };
      }),
    ),
    addresses: sorted(
      cloud.addresses
        .filter(({ allocationId }) => site.addresses.includes(allocationId))
        .map(({ instanceId }) => instanceId),
    ),
    nodes: sorted(
      allNodes.items.filter(ofParty).map(({ metadata, spec }) => ({
        pool: `${metadata.labels?.[`${LABEL}generation`]} ${metadata.labels?.[`${LABEL}pool`]}`,
        unschedulable: spec?.unschedulable ?? false,
        taints: spec?.taints ?? [],
      })),
    ),
    services: plain(
      allServices.items.map(({ metadata, spec }) => ({
        name: metadata.name,
        labels: metadata.labels ?? {},
        selector: spec?.selector ?? {},
      })),
    ),
    'ready endpoints': sorted(
      slices.items.flatMap(({ metadata, endpoints }) =>
        (endpoints ?? [])
          .filter(({ conditions }) => conditions?.ready !== false)
          .map(({ nodeName }) => {
            const node = allNodes.items.find((one) => one.metadata.name === nodeName);
            return `${metadata.labels?.['kubernetes.io/service-name']}: ${names.get(node?.metadata.labels?.[`${LABEL}generation`] ?? '') ?? 'elsewhere'}`;
          }),
      ),
    ),
    tasks: sorted(
      allPods.items
        .filter(({ metadata }) => site.tasks.includes(metadata.labels?.app ?? ''))
        .map(({ metadata, spec, status }) => ({
          task: metadata.labels?.app,
          on: spec?.nodeSelector?.[`${LABEL}generation`] ?? 'nowhere',
          gates: (spec?.schedulingGates ?? []).map(({ name }) => name),
          phase: status?.phase,
        })),
    ),
  };
}

/** What differs, in words: `machines: [...] instead of [...]`; none when they are the same. */
export function differences(expected: Snapshot, found: Snapshot): string[] {
  return [...new Set([...Object.keys(expected), ...Object.keys(found)])].flatMap((key) =>
    deepDifferences(key, expected[key], found[key]),
  );
}

function deepDifferences(path: string, expected: unknown, found: unknown): string[] {
  if (JSON.stringify(expected) === JSON.stringify(found)) return [];
  if (isRecord(expected) && isRecord(found))
    return [...new Set([...Object.keys(expected), ...Object.keys(found)])].flatMap((key) =>
      deepDifferences(`${path}.${key}`, expected[key], found[key]),
    );
  if (Array.isArray(expected) && Array.isArray(found) && expected.length === found.length)
    return expected.flatMap((value, n) => deepDifferences(`${path}[${n}]`, value, found[n]));
  return [`${path}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`];
}

/** Of earlier rounds on the same site nothing is compared. */
function withoutHistory({ status }: Platform): object {
  const { neverLive: _, rebound: __, lastOverride: ___, ...rest } = status;
  return rest;
}

function normal(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => normal(item, names));
    if (isTyped(items)) return items.toSorted((a, b) => a.type.localeCompare(b.type));
    return items.every((item) => typeof item === 'string') ? items.toSorted() : items;
  }
  if (isRecord(value))
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key, field]) => !VOLATILE.includes(key) && field !== undefined)
        .toSorted(([a], [b]) => a.localeCompare(b))
        .map(([key, field]) => [/^eipalloc-/.test(key) ? 'ADDRESS' : key, normal(field, names)]),
    );
  if (typeof value !== 'string') return value;
  if (TIME.test(value)) return 'TIME';
  return names.get(value) ?? value.replaceAll(/[a-z0-9][a-z0-9-]+/g, (word) => names.get(word) ?? word);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTyped = (items: unknown[]): items is { type: string }[] =>
  items.length > 0 && items.every((item) => isRecord(item) && typeof item.type === 'string');

const byText = (a: unknown, b: unknown): number => JSON.stringify(a).localeCompare(JSON.stringify(b));

/** How a cutover stands, in a line for people. */
export function standing({ status }: Pick<Cutover, 'status'>): string {
  const at = (status.steps ?? []).findLast(({ state }) => state !== 'Done' && state !== 'Skipped');
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  return `outcome ${status.outcome ?? 'none'}, at ${at ? `${at.name} (${at.state})` : 'no step'}, ${ready?.reason}: ${ready?.message}`;
}
