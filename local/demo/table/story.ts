import type { ClusterGeneration, Cutover, GenerationPool, Platform } from '../../../src/api/v1alpha1/index.ts';
import { LABEL } from '../../../src/api/v1alpha1/index.ts';
import type { Call, MachineRecord } from '../../../src/simulator/state/ledger.ts';
import { addresses, halfStarted, limitedOperations, live, machines, release, roles, tasks } from '../cast.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Look } from '../websites.ts';
import type { Evidence } from './evidence.ts';

/** For tests of the table: the evidence of a story that went as it should, on a clock of whole seconds. */

/** An ISO time, `seconds` after the story began. */
export const at = (seconds: number): string => new Date(seconds * 1000).toISOString();
const ms = (seconds: number): number => seconds * 1000;

const times = { live: 100, refused: 200, removed: 300, given: 400, ready: 500, cutover: 510, retired: 600, end: 1300 };

/** The records of one generation's machines. */
export function recordsOf(generation: string, launched: number, terminated?: number): MachineRecord[] {
  return roles.flatMap((role) =>
    Array.from({ length: machines[role] }, (_, number) => ({
      id: `i-${generation}-${role}-${number}`,
      subnet: 'subnet-a',
      zone: 'us-east-1a',
      type: 'm6i.xlarge',
      address: '10.0.0.4',
      launchedBy: 'operator',
      tags: { [LABEL.generation]: generation, [LABEL.role]: role },
      launched: at(launched),
      nodeRegistered: at(launched + 10),
      nodeName: `node-${generation}-${role}-${number}`,
      ...(terminated !== undefined && { terminated: at(terminated), terminatedBy: 'operator' }),
    })),
  );
}

type Downtime = NonNullable<Cutover['status']['downtime']>;

/** Of the cutover that made the release live. */
const downtime = [
  { role: 'web', traffic: '4s' },
  { role: 'always-on', singletons: '8s' },
];

export function anEvidence(): Evidence {
  const records = [
    ...recordsOf(live, 0).map((record, number) => ({ ...record, terminated: at(610 + 3 * number) })),
    ...recordsOf(halfStarted, 210, 290).slice(0, 64),
    ...recordsOf(release, 410),
  ];
  const present = records.filter(({ terminated }) => terminated === undefined);
  const instances = present.map(({ id, tags }) => ({
    ...{
      id,
      tags,
      state: 'running' as const,
      subnet: 'subnet-b',
      zone: 'us-east-1b',
      type: 'm6i.xlarge',
      address: '10.0.1.4',
    },
    ...{ terminationProtection: true, stopProtection: true, shutdownBehavior: 'stop', boots: true, registered: true },
  }));
  const loadBalancers = present.filter(({ tags }) => tags[LABEL.role] === 'load-balancer');
  const throttled = limitedOperations.map((operation, index) => ({
    ...{ seq: index + 1, time: at(420), caller: 'operator', operation, parameters: {}, status: 503, requestId: 'r' },
    throttled: 'requests' as const,
  }));
  const nodeName = (id: string) => id.replace(/^i-/, 'node-');
  return {
    scale: 15,
    refused: { reason: 'InsufficientAddresses', message: '180 needed, 71 free: 109 short', from: ms(times.refused) },
    half: { machines: 64 },
    mistaken: { attempts: [attempt(), attempt(180)], before: aSnapshot(), after: aSnapshot() },
    removed: { from: ms(280), until: ms(times.removed), attempts: [attempt()] },
    released: { from: ms(times.given), ready: ms(times.ready), placement: { 'subnet-b': 180 } },
    since: { live: ms(times.live) },
    failed: { name: `to-${release}`, from: ms(501), until: ms(504), outcome: 'RolledBack' },
    cut: { name: `to-${release}-again`, from: ms(505), until: ms(515), outcome: 'Succeeded' },
    rolledBack: {
      back: { name: `back-to-${live}`, from: ms(530), until: ms(540), outcome: 'Succeeded' },
      forth: { name: `forth-to-${release}`, from: ms(550), until: ms(560), outcome: 'Succeeded' },
    },
    moved: { allocationId: 'eipalloc-1', ms: 4_000, message: 'eipalloc-1 points at i-old', healed: true },
    retired: { from: ms(times.retired), until: ms(1210) },
    counts: [120, 900].map((second) => ({ at: ms(second), running: tasks.count, twice: [] })),
    unanswered: 0,
    looks: [120, 300, 500].map((second) => aLook(live, second)).concat(aLook(release, 520), aLook(release, 900)),
    ledger: {
      startedAt: at(0),
      now: at(times.end),
      timeScale: 15,
      last: throttled.length,
      more: false,
      calls: [launchOf(release, 420), ...throttled],
      machines: records,
      throttled: {},
      addresses: addresses.map((allocationId) => ({
        allocationId,
        publicIp: '203.0.113.1',
        history: [{ time: at(110), instanceId: 'i-1', associationId: 'a-1', caller: 'operator' }],
      })),
    },
    state: {
      now: at(times.end),
      timeScale: 15,
      region: 'us-east-1',
      instances,
      subnets: [],
      addresses: addresses.map((allocationId, index) => ({
        allocationId,
        publicIp: '203.0.113.1',
        instanceId: loadBalancers[index]?.id ?? null,
      })),
      quotas: { vcpus: 2000 },
    },
    platform: { status: { live: { uid: 'uid-release' } } } as Platform,
    live: {
      metadata: { uid: 'uid-live' },
      status: { stage: 'Retired', liveTime: at(times.live), retiredTime: at(times.retired) },
    } as ClusterGeneration,
    release: {
      metadata: { uid: 'uid-release' },
      status: { stage: 'Live', liveTime: at(times.cutover) },
    } as ClusterGeneration,
    failedCutover: {
      status: {
        outcome: 'RolledBack',
        undo: { reason: 'CheckFailed', message: 'check homepage failed', time: at(503) },
        migrations: [{ name: 'schema', hash: 'h', reversible: true, state: 'Undone' }],
      },
    } as Cutover,
    cutover: { status: { outcome: 'Succeeded', downtime: structuredClone(downtime) as Downtime } } as Cutover,
    pools: [{ status: { instances: present.map(({ id }) => ({ id })) } } as GenerationPool],
    nodes: Object.fromEntries(present.map(({ id }) => [nodeName(id), `aws:///us-east-1b/${id}`])),
    website: {
      selector: { [LABEL.generation]: release },
      endpoints: present
        .filter(({ tags }) => tags[LABEL.role] === 'web')
        .map(({ id }) => ({ nodeName: nodeName(id), ready: true })),
    },
    operator: { running: true, restarts: 0, peakMiB: 200, limitMiB: 512 },
  };
}

/** All endpoints of the websites were ready, on the web machines of a generation. */
const aLook = (generation: string, seconds: number): Look => ({
  at: ms(seconds),
  nodes: Array.from({ length: machines.web }, (_, number) => `node-${generation}-web-${number}`),
});

/** A call that asked for machines of a generation. */
export const launchOf = (generation: string, seconds: number): Call => ({
  ...{ seq: 9, time: at(seconds), caller: 'operator', operation: 'RunInstances', status: 200, requestId: 'r' },
  parameters: { tags: { [LABEL.generation]: generation } },
});

const attempt = (targets = 1) => ({ what: 'alice: kubectl delete', targets, refused: targets });

function aSnapshot(): Snapshot {
  return {
    generation: { name: live, uid: 'uid-live', deleting: false },
    pools: roles.map((role) => ({ name: `${live}.${role}`, uid: role, machines: machines[role], deleting: false })),
    nodes: recordsOf(live, 0).map(({ id }) => ({
      name: id,
      uid: id,
      providerID: `aws:///zone/${id}`,
      ready: true,
      open: true,
    })),
    machines: recordsOf(live, 0).map(({ id }) => ({ id, state: 'running' })),
  };
}
