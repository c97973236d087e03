/** A small operator of its own, as a process: prints a line for everything that happens to it. */
import { connect } from '../../../src/kube/client.ts';
import { leaderElection } from '../../../src/kube/lease.ts';
import { reflector } from '../../../src/kube/reflector.ts';
import { configMaps } from '../../../src/kube/resources.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { controller } from '../../../src/runtime/controller.ts';
import { manager, stopSignal } from '../../../src/runtime/manager.ts';
import { logger } from '../../../src/telemetry/log.ts';
import { metrics } from '../../../src/telemetry/metrics.ts';
import { telemetryServer } from '../../../src/telemetry/server.ts';

const [kubeconfig = '', name = '', identity = ''] = process.argv.slice(2);
const say = (line: string) => console.log(line);
const clock = systemClock();
const log = logger({ format: 'text' });
const meters = metrics();
const client = await connect({ name, kubeconfig, observer: meters.api });
const cache = reflector({
  client,
  resource: configMaps,
  clock,
  log,
  namespace: 'default',
  labelSelector: `kit-test=${name}`,
  project: ({ metadata }) => metadata.name,
  observer: meters.watch,
});
const work = controller({
  name: 'work',
  clock,
  log,
  observer: meters.controller,
  async reconcile(key) {
    say(`begins ${key}`);
    await clock.sleep(500);
    say(`ends ${key}`);
    return undefined;
  },
});
cache.store.subscribe((key) => work.enqueue(key));
const election = leaderElection({
  client,
  clock,
  log,
  namespace: 'default',
  name,
  identity,
  leaseDuration: 3_000,
  renewDeadline: 2_000,
  retryPeriod: 200,
  observer: meters.lease,
});
void election.elected.then(() => say('leads'));
const all = manager({
  clock,
  log,
  servers: [telemetryServer({ log, host: '127.0.0.1', port: 0, registry: meters.registry })],
  caches: [cache],
  election,
  controllers: [work],
});
say('runs');
await all.run(stopSignal()).catch((error: unknown) => {
  say(`failed: ${error}`);
  process.exitCode = 1;
});
await client.transport.close();
say('stopped');
