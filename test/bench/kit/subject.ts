/** The operator kit as an operator uses it: client, reflector with projection and two indexes, logs, metrics. */
import { connect } from '../../../src/kube/client.ts';
import { reflector } from '../../../src/kube/reflector.ts';
import { nodes } from '../../../src/kube/resources.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { logger } from '../../../src/telemetry/log.ts';
import { metrics } from '../../../src/telemetry/metrics.ts';
import { telemetryServer } from '../../../src/telemetry/server.ts';
import { measure } from './measure.ts';

const { kubeconfig } = JSON.parse((await import('node:fs')).readFileSync(process.argv[2] ?? '', 'utf8'));
const clock = systemClock();
const log = logger();
const { registry, api, watch } = metrics();
const server = telemetryServer({ log, host: '127.0.0.1', port: 0, registry });
void server.start(new AbortController().signal);
await server.listening;
const client = await connect({ name: 'bench', kubeconfig, observer: api });
const done = measure();
const cache = reflector({
  client,
  resource: nodes,
  clock,
  log,
  observer: watch,
  project: ({ metadata, spec, status }) => ({
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    labels: metadata.labels,
    deletionTimestamp: metadata.deletionTimestamp,
    providerID: spec?.providerID,
    unschedulable: spec?.unschedulable === true,
    ready: status?.conditions?.find(({ type }) => type === 'Ready')?.status,
  }),
  indexes: { providerID: (node) => node.providerID, pool: (node) => node.labels?.pool },
});
void cache.start(new AbortController().signal);
await cache.synced;
done(cache.store.size);
if (cache.store.byIndex('pool', 'pool-7').length === 0) throw new Error('the index is empty');
process.exit();
