import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ensureBinaries } from '../../../local/binaries/build.ts';
import { type ControlPlane, startControlPlane } from '../../../local/control-plane.ts';
import { reflector } from '../../../src/kube/reflector.ts';
import { type ConfigMap, configMaps } from '../../../src/kube/resources.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silent } from '../../../src/runtime/logger.ts';
import { adminClient, clientFor, until } from './kit.ts';
import { type ApiProxy, startProxy } from './proxy.ts';

/** A control plane of its own: the others' must not be restarted under them. */
let controlPlane: ControlPlane;
let proxy: ApiProxy;
beforeAll(async () => {
  const binaries = await ensureBinaries({ log: () => {} });
  controlPlane = await startControlPlane({
    binaries,
    run: { controllerManager: false, scheduler: false, kwok: false },
  });
  proxy = await startProxy(controlPlane);
}, 120_000);
afterAll(async () => {
  await proxy?.close();
  await controlPlane?.stop();
});

async function restartApiServer() {
  const server = controlPlane.processes.find(({ name }) => name === 'kube-apiserver')!;
  const [command = '', ...args] = readFileSync(`/proc/${server.pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  await server.kill();
  return () => controlPlane.group.start({ name: 'kube-apiserver', command, args });
}

describe('an API server that is restarted', () => {
  it('is found again; what changed meanwhile is not missed, and an old version is listed anew', async () => {
    const before = adminClient(controlPlane);
    const create = (client: typeof before, name: string) =>
      client.create(configMaps, { metadata: { name, namespace: 'default', labels: { 'kit-test': 'restart' } } });
    await create(before, 'first');
    const client = clientFor(proxy.url, { token: controlPlane.tokens.admin });
    const lists: string[] = [];
    const ends: string[] = [];
    const subject = reflector<ConfigMap, string>({
      client,
      resource: configMaps,
      clock: systemClock(),
      log: silent,
      labelSelector: 'kit-test=restart',
      project: ({ metadata }) => metadata.name,
      observer: { listed: (_, way) => lists.push(way), watchOver: (_, why) => ends.push(why) },
    });
    const abort = new AbortController();
    const running = subject.start(abort.signal);
    await subject.synced;

    const start = await restartApiServer();
    await until('the failure to be noticed', () => subject.lastError !== undefined);
    expect(subject.store.list()).toEqual(['first']);
    start();
    await until(
      'the API server',
      () =>
        create(before, 'second').then(
          () => true,
          () => false,
        ),
      60_000,
    );
    await until('the new object', () => subject.store.size === 2, 40_000);
    expect(ends).toContain('failed');

    // The restarted server's watch cache begins at its start: version 1 is older than anything it has.
    const listed = lists.length;
    proxy.rewrite = (url) => url.replace(/resourceVersion=\d+/, 'resourceVersion=1');
    proxy.cut();
    await until('the list after the real 410', () => lists.length === listed + 1, 40_000);
    expect(ends.at(-1)).toBe('expired');
    expect(subject.store.list().toSorted()).toEqual(['first', 'second']);
    abort.abort();
    await running;
    await client.transport.close();
    await before.transport.close();
  }, 120_000);
});
