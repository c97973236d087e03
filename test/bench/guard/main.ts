/**
 * Measures what the guard costs: what its policies add to a DELETE and to patches of workloads, and its webhook beside one of controller-runtime in Go that makes the
 * same check. It prints figures and whether the targets are met; a noisy machine is no reason to fail.
 */
import { measurePolicies } from './policies.ts';
import { reportPolicies, reportWebhooks, reportWorkloads, setting } from './report.ts';
import { measureWebhooks } from './webhook.ts';
import { measureWorkloads } from './workloads.ts';

/** A policy with parameters is asked once for each Platform or generation. */
const FEW = 2;
const MANY = 10;

const say = (line: string) => console.error(line);
const webhooks = await measureWebhooks(7, 3, say);
const few = await measurePolicies({ platforms: FEW, rounds: 8, count: 150 }, say);
const many = await measurePolicies({ platforms: MANY, rounds: 3, count: 100 }, say);
const workloads = await measureWorkloads({ platforms: MANY, rounds: 3, count: 100 }, say);
console.log(
  [
    setting(),
    reportPolicies(few, FEW),
    reportPolicies(many, MANY),
    reportWorkloads(workloads, MANY),
    reportWebhooks(webhooks),
  ].join('\n\n'),
);
