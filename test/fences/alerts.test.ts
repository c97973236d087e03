import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { paths } from '../../local/paths.ts';
import { webhookMetrics } from '../../src/guard/webhook/metrics.ts';
import { cutoverMetrics } from '../../src/telemetry/cutovers.ts';
import { metrics } from '../../src/telemetry/metrics.ts';
import { operationMetrics } from '../../src/telemetry/operations.ts';
import { overrideMetrics } from '../../src/telemetry/overrides.ts';
import { placementMetrics } from '../../src/telemetry/placement.ts';
import { trafficMetrics } from '../../src/telemetry/traffic.ts';

/** docs/alerts.yaml asks for metrics by name: each of them exists, and each has the labels that it is grouped by. */

type Rules = { groups: { rules: { alert: string; expr: string }[] }[] };

it('every alert is about metrics that the operator has', async () => {
  const { registry } = metrics();
  operationMetrics(registry);
  webhookMetrics(registry);
  overrideMetrics(registry, () => []);
  cutoverMetrics(registry, () => []);
  placementMetrics(registry);
  trafficMetrics(registry, () => []);
  const meters = new Map(
    registry.getMetricsAsArray().map((meter) => [meter.name, (meter as { labelNames?: string[] }).labelNames ?? []]),
  );
  const { groups } = parse(await readFile(join(paths.root, 'docs', 'alerts.yaml'), 'utf8')) as Rules;
  const rules = groups.flatMap((group) => group.rules);
  expect(rules.length).toBeGreaterThan(0);
  for (const { alert, expr } of rules) {
    const names = expr.match(/generations_\w+/g) ?? [];
    expect({ alert, unknown: names.filter((name) => !meters.has(name)) }).toEqual({ alert, unknown: [] });
    expect({ alert, metrics: names.length > 0 }).toEqual({ alert, metrics: true });
    const by = (/by \(([^)]*)\)/.exec(expr)?.[1] ?? '').split(', ').filter((label) => label !== '');
    const carried = names.flatMap((name) => meters.get(name) ?? []);
    expect({ alert, missing: by.filter((label) => !carried.includes(label)) }).toEqual({ alert, missing: [] });
  }
});
