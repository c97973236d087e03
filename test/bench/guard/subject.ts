/** The guard's webhook as it is shipped, about the world of world.ts: `subject.js PORT CERTIFICATES`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterGeneration, Platform } from '../../../src/api/v1alpha1/index.ts';
import { type Member, outages } from '../../../src/domain/blast-radius.ts';
import { webhookMetrics } from '../../../src/guard/webhook/metrics.ts';
import { webhookServer } from '../../../src/guard/webhook/server.ts';
import { judge } from '../../../src/guard/webhook/webhook.ts';
import type { Namespace } from '../../../src/kube/resources.ts';
import { store } from '../../../src/kube/store.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { logger } from '../../../src/telemetry/log.ts';
import { metrics } from '../../../src/telemetry/metrics.ts';
import { generations, members, platform } from './world.ts';

const [port, directory = ''] = process.argv.slice(2);
const clock = systemClock();
const log = logger();
const caches = {
  platforms: store<Platform>({ log }),
  generations: store<ClusterGeneration>({ log }),
  nodes: store<Member>({ log }),
  namespaces: store<Namespace>({ log }),
  outages: outages(),
};
caches.platforms.set(platform.metadata.name, platform, '1');
for (const generation of generations) caches.generations.set(generation.metadata.name, generation, '1');
for (const one of members) {
  const member: Member = { ...one, maintenance: undefined };
  caches.nodes.set(one.name, member, '1');
  caches.outages.observe(undefined, member, clock.now());
}
const client = {
  get(): never {
    throw new Error('nothing that is asked here has to be read');
  },
};
const server = webhookServer({
  clock,
  log,
  host: '127.0.0.1',
  port: Number(port),
  decide: judge({ client, clock, caches }),
  unready: () => undefined,
  observer: webhookMetrics(metrics().registry),
});
const read = (file: string) => readFileSync(join(directory, file), 'utf8');
server.use({ cert: read('tls.crt'), key: read('tls.key') });
await server.start(new AbortController().signal);
