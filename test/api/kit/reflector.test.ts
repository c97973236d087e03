import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { uniqueName, useControlPlane } from '../../../local/testing.ts';
import { deleteObject } from '../../../src/kube/delete.ts';
import { type ReflectorOptions, reflector } from '../../../src/kube/reflector.ts';
import { type ConfigMap, configMaps } from '../../../src/kube/resources.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silent } from '../../../src/runtime/logger.ts';
import { adminClient, clientFor, until } from './kit.ts';
import { startProxy } from './proxy.ts';

const controlPlane = useControlPlane();
const admin = adminClient(controlPlane);
const cleanups: (() => Promise<void>)[] = [];
afterAll(() => admin.transport.close());
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

type Item = { name: string; colour: string | undefined };

/** A collection of its own, and a reflector of it that goes through a proxy. */
async function aReflected(options: Partial<ReflectorOptions<ConfigMap, Item>> = {}) {
  const group = uniqueName('reflected');
  const labels = { 'kit-test': group };
  const create = (name: string, colour: string) =>
    admin.create(configMaps, {
      metadata: { name: `${group}-${name}`, namespace: 'default', labels },
      data: { colour },
    });
  const proxy = await startProxy(controlPlane);
  const client = clientFor(proxy.url, { token: controlPlane.tokens.admin });
  const ends: string[] = [];
  const lists: string[] = [];
  const subject = reflector<ConfigMap, Item>({
    client,
    resource: configMaps,
    clock: systemClock(),
    log: silent,
    labelSelector: `kit-test=${group}`,
    project: ({ metadata, data }) => ({ name: metadata.name.slice(group.length + 1), colour: data?.colour }),
    indexes: { colour: (item) => item.colour },
    observer: { listed: (_, way) => lists.push(way), watchOver: (_, why) => ends.push(why) },
    ...options,
  });
  const changes: string[] = [];
  subject.store.subscribe((_, before, after) => {
    const show = (item: Item | undefined) => (item ? `${item.name}=${item.colour}` : '-');
    changes.push(`${show(before)} > ${show(after)}`);
  });
  const abort = new AbortController();
  let running: Promise<void> | undefined;
  const start = () => {
    running = subject.start(abort.signal);
    return subject.synced;
  };
  cleanups.push(async () => {
    abort.abort();
    await running;
    await client.transport.close();
    await proxy.close();
  });
  const watches = () => proxy.requests.filter((request) => request.includes('watch=true'));
  return { create, proxy, start, changes, ends, lists, watches, store: subject.store };
}

describe('a reflector', () => {
  it('streams what exists, then follows additions, changes and deletions', async () => {
    const one = await aReflected();
    const old = await one.create('old', 'red');
    await one.start();
    expect(one.store.list()).toEqual([{ name: 'old', colour: 'red' }]);
    expect(one.lists).toEqual(['streamed']);
    await one.create('new', 'red');
    await until('the addition', () => one.store.size === 2);
    expect(one.store.byIndex('colour', 'red')).toHaveLength(2);
    const changed = await admin.update(configMaps, { ...old, data: { colour: 'blue' } });
    await until('the change', () => one.store.byIndex('colour', 'blue').length === 1);
    await deleteObject(admin, configMaps, changed.metadata);
    await until('the deletion', () => one.store.size === 1);
    expect(one.changes).toEqual(['- > old=red', '- > new=red', 'old=red > old=blue', 'old=blue > -']);
    expect(one.proxy.requests).toHaveLength(1);
  });

  it('goes on where it was after its connection broke, without another list', async () => {
    const one = await aReflected();
    await one.create('a', 'red');
    await one.start();
    one.proxy.cut();
    await one.create('b', 'blue');
    await until('the change made meanwhile', () => one.store.size === 2);
    expect(one.lists).toEqual(['streamed']);
    expect(one.ends).toEqual(['failed']);
    expect(one.watches()[1]).toMatch(/resourceVersion=\d+/);
    expect(one.watches()[1]).not.toContain('sendInitialEvents');
  });

  it('notices a watch that has died in silence, and misses nothing', async () => {
    const one = await aReflected({ silence: 1_000 });
    await one.start();
    one.proxy.freeze();
    await one.create('a', 'red');
    await until('the change that the dead watch kept back', () => one.store.size === 1);
    expect(one.lists).toEqual(['streamed']);
    expect(one.ends[0]).toBe('failed');
  });

  it('asks for nothing while nothing changes', async () => {
    const one = await aReflected();
    await one.create('a', 'red');
    await one.start();
    const before = one.proxy.requests.length;
    const began = performance.now();
    await until('three quiet seconds', () => performance.now() - began > 3_000);
    expect(one.proxy.requests).toHaveLength(before);
    await one.create('b', 'red');
    await until('the watch to be alive', () => one.store.size === 2);
    expect(one.proxy.requests).toHaveLength(before);
  });
});
