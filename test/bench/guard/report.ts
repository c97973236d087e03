import { cpus, loadavg } from 'node:os';
import { median } from '../kit/report.ts';
import type { Latencies, Latency } from './policies.ts';
import { CONCURRENCIES, type Turn, type Turns } from './webhook.ts';

/** What policies may add to a deletion at the median, ms. */
const MOST_ADDED = 2;
/** What those about workloads may add to a patch at the median, ms. */
const MOST_ADDED_TO_WORKLOADS = 1;

const percentile = (values: number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? Number.NaN;

const verdict = (met: boolean) => (met ? 'met' : 'MISSED');
const cell = (value: number, digits = 2) => value.toFixed(digits).padStart(11);

const table = (latencies: Record<string, Latency>, title: string, most: number): string => {
  const rows = Object.entries(latencies).map(([name, { bound, unbound }]) => {
    const added = median(bound) - median(unbound);
    return `${name.padEnd(16)}${cell(median(unbound))}${cell(median(bound))}${cell(added)}${cell(percentile(unbound, 0.99))}${cell(percentile(bound, 0.99))}   target < ${most} ms: ${verdict(added < most)}`;
  });
  return [
    title,
    `${''.padEnd(16)}${['without', 'with', 'added', 'p99 without', 'p99 with'].map((head) => head.padStart(11)).join('')}`,
    ...rows,
  ].join('\n');
};

/** A table of what policies add to deletions, and whether the target is met. */
export const reportPolicies = (latencies: Latencies, platforms: number): string =>
  table(
    latencies,
    `DELETE that the policies let pass, dry run, ${platforms} Platforms of one generation; ${latencies.pool.bound.length} of each; ms`,
    MOST_ADDED,
  );

/** A table of what the rules about workloads add to patches of Deployments, and whether the target is met. */
export const reportWorkloads = (latencies: Record<string, Latency>, platforms: number): string =>
  table(
    latencies,
    `PATCH of a Deployment that the rules about workloads let pass, dry run, ${platforms} Platforms; ms`,
    MOST_ADDED_TO_WORKLOADS,
  );

/** A table of both webhooks; medians of the turns. */
export function reportWebhooks({ node, go }: Turns): string {
  const of = (turns: Turn[], key: 'p50' | 'p99' | 'perSecond') => median(turns.map((turn) => turn[key]));
  const rows = CONCURRENCIES.flatMap((concurrency) =>
    (['p50', 'p99', 'perSecond'] as const).map((key) => {
      const [ours, theirs] = [of(node[concurrency], key), of(go[concurrency], key)];
      const ratio = ours / theirs;
      const target =
        concurrency === 1 && key === 'p99'
          ? `target: no slower at p99: ${verdict(ratio <= 1)}`
          : concurrency === 16 && key === 'perSecond'
            ? `target: no less throughput: ${verdict(ratio >= 1)}`
            : '';
      const what = key === 'perSecond' ? 'requests/s' : `${key} ms`;
      const digits = key === 'perSecond' ? 0 : 2;
      return `${`${concurrency} at once, ${what}`.padEnd(28)}${cell(ours, digits)}${cell(theirs, digits)}${cell(ratio)}   ${target}`.trimEnd();
    }),
  );
  return [
    `Webhook, reviews of Nodes of 3 KB, TLS, the same Go client; medians of ${node[1].length} turns each`,
    `${''.padEnd(28)}${['ours', 'Go', 'ratio'].map((head) => head.padStart(11)).join('')}`,
    ...rows,
  ].join('\n');
}

/** Where it was measured, and whether the figures are worth something. */
export function setting(): string {
  const [load = 0] = loadavg();
  const busy =
    load > cpus().length + 1 ? `; the machine is busy (load ${load.toFixed(1)}): repeat when it is quiet` : '';
  return `${cpus().length} CPUs (${cpus()[0]?.model}), Node ${process.version}${busy}`;
}
