import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ClusterGeneration, Cutover, GenerationPool, Platform } from '../../../src/api/v1alpha1/index.ts';
import type { EndpointSlice, Node, Service } from '../../../src/kube/resources.ts';
import type { LedgerView } from '../../../src/simulator/control/ledger.ts';
import type { StateView } from '../../../src/simulator/control/state.ts';
import { paths } from '../../paths.ts';
import type { Mistake } from '../acts/mistake.ts';
import type { MovedAddress } from '../acts/moved-address.ts';
import type { Refusal } from '../acts/refusal.ts';
import type { Release } from '../acts/release.ts';
import type { Removal } from '../acts/removal.ts';
import type { Retirement } from '../acts/retirement.ts';
import type { RolledBack } from '../acts/rollback.ts';
import { live, platform, release, website } from '../cast.ts';
import type { Cut } from '../cut.ts';
import { readCutover, readGeneration, readPlatform, readPools, type Stage } from '../stage.ts';
import type { TaskLook } from '../tasks.ts';
import type { Look } from '../websites.ts';

/** What the acts saw and did. Times are real ms since the epoch. */
export interface Played {
  /** The first generation was live, and users' tasks ran. */
  since: { live: number };
  refused: Refusal;
  half: { machines: number };
  mistaken: Mistake;
  removed: Removal;
  released: Release;
  failed: Cut;
  cut: Cut;
  rolledBack: RolledBack;
  moved: MovedAddress;
  retired: Retirement;
  looks: Look[];
  /** Looks at the websites that the API server did not answer. */
  unanswered: number;
  counts: TaskLook[];
}

/** All that the table is judged by: what was played, and what API server and cloud say in the end. */
export interface Evidence extends Played {
  scale: number;
  ledger: LedgerView;
  state: StateView;
  platform: Platform | undefined;
  /** The generation that was live in the beginning, and the release. */
  live: ClusterGeneration | undefined;
  release: ClusterGeneration | undefined;
  /** That found a bug, and that made the release live. */
  failedCutover: Cutover | undefined;
  cutover: Cutover | undefined;
  pools: GenerationPool[];
  /** providerID by Node. */
  nodes: Record<string, string>;
  website: { selector: Record<string, string>; endpoints: { nodeName: string; ready: boolean }[] };
  /** `restarts`: how often it was started again. `peakMiB`: of its last process. `limitMiB`: what the chart lets its container use. */
  operator: { running: boolean; restarts: number; peakMiB: number; limitMiB: number };
}

export async function gather(stage: Stage, played: Played): Promise<Evidence> {
  const { namespace, name } = website;
  const slicesOf = encodeURIComponent(`kubernetes.io/service-name=${name}`);
  const [service, slices, nodes] = await Promise.all([
    stage.read<Service>(`/api/v1/namespaces/${namespace}/services/${name}`),
    stage.read<{ items: EndpointSlice[] }>(
      `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=${slicesOf}`,
    ),
    stage.read<{ items: Node[] }>('/api/v1/nodes'),
  ]);
  const endpoints = (slices?.items ?? []).flatMap((slice) => slice.endpoints ?? []);
  const operator = stage.environment.operator?.process();
  return {
    ...played,
    scale: stage.scale,
    ledger: await stage.cloud.ledger(),
    state: await stage.cloud.state(),
    platform: await readPlatform(stage, platform),
    live: await readGeneration(stage, live),
    release: await readGeneration(stage, release),
    failedCutover: await readCutover(stage, played.failed.name),
    cutover: await readCutover(stage, played.cut.name),
    pools: await readPools(stage),
    nodes: Object.fromEntries(
      (nodes?.items ?? []).map(({ metadata, spec }) => [metadata.name, spec?.providerID ?? '']),
    ),
    website: {
      selector: service?.spec?.selector ?? {},
      endpoints: endpoints.map(({ nodeName, conditions }) => ({
        nodeName: nodeName ?? '',
        ready: conditions?.ready !== false,
      })),
    },
    operator: {
      running: operator?.running() ?? false,
      restarts: stage.environment.keeper?.restarts() ?? 0,
      peakMiB: operator === undefined ? 0 : await peakMemory(operator.pid),
      limitMiB: await memoryLimit(),
    },
  };
}

/** The most memory that a process has had at one time, in MiB. */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024);
}

/** The memory limit in the chart's values, in MiB. */
async function memoryLimit(): Promise<number> {
  const values: unknown = parse(await readFile(join(paths.chart, 'values.yaml'), 'utf8'));
  const { resources } = values as { resources?: { limits?: { memory?: string } } };
  return Number(/^(\d+)Mi$/.exec(resources?.limits?.memory ?? '')?.[1] ?? Number.NaN);
}
