import { once } from 'node:events';
import { afterAll, describe, expect, it } from '@jest/globals';
import { uniqueName, useControlPlane } from '../../../local/testing.ts';
import { connect } from '../../../src/kube/client.ts';
import { deleteObject } from '../../../src/kube/delete.ts';
import * as errors from '../../../src/kube/errors.ts';
import { type KubeObject, resource } from '../../../src/kube/resource.ts';
import { configMaps, nodes } from '../../../src/kube/resources.ts';
import { adminClient, clientFor } from './kit.ts';
import { startProxy } from './proxy.ts';

const controlPlane = useControlPlane();
const client = adminClient(controlPlane);
afterAll(() => client.transport.close());

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => Promise.reject(new Error('it was expected to fail')),
    (error: unknown) => error,
  );
const aConfigMap = (data: Record<string, string> = {}) =>
  client.create(configMaps, { metadata: { name: uniqueName('kit'), namespace: 'default' }, data });

describe('the client', () => {
  it('connects with a kubeconfig', async () => {
    const own = await connect({ name: 'kit-test', kubeconfig: controlPlane.kubeconfigs.admin });
    expect((await own.get(configMaps, 'kube-root-ca.crt', { namespace: 'default' })).kind).toBe('ConfigMap');
    await own.transport.close();
  });

  it('creates, reads, replaces and lists', async () => {
    const created = await aConfigMap({ a: '1' });
    const { name } = created.metadata;
    expect(created.metadata.managedFields?.[0]?.manager).toBe('kit-test');
    const updated = await client.update(configMaps, { ...created, data: { a: '2' } });
    expect((await client.get(configMaps, name, { namespace: 'default' })).data).toEqual({ a: '2' });
    const list = await client.list(configMaps, { namespace: 'default', fieldSelector: `metadata.name=${name}` });
    expect(list.items).toEqual([updated]);
    expect(Number(list.resourceVersion)).toBeGreaterThanOrEqual(Number(updated.metadata.resourceVersion));
  });

  it('is told of a conflict when it writes what it read too long ago', async () => {
    const created = await aConfigMap({ a: '1' });
    await client.update(configMaps, { ...created, data: { a: '2' } });
    const error = await failureOf(client.update(configMaps, { ...created, data: { a: '3' } }));
    expect(errors.isConflict(error)).toBe(true);
    expect(errors.isAlreadyExists(error)).toBe(false);
    expect(String(error)).toContain(`update ConfigMap default/${created.metadata.name}`);
  });

  it('tells the failures apart', async () => {
    const { name } = (await aConfigMap()).metadata;
    const at = { metadata: { name, namespace: 'default' } };
    expect(errors.isAlreadyExists(await failureOf(client.create(configMaps, at)))).toBe(true);
    expect(errors.isNotFound(await failureOf(client.get(nodes, 'nobody')))).toBe(true);
    const missing = resource<KubeObject>('nothing.example.com/v1', 'Nothing', 'nothings', false);
    expect(errors.isNotFound(await failureOf(client.list(missing)))).toBe(true);
    const invalid = await failureOf(client.create(configMaps, { metadata: { name: 'No_Good', namespace: 'default' } }));
    expect(errors.isInvalid(invalid)).toBe(true);
    expect((invalid as errors.ApiError).causes[0]?.field).toBe('metadata.name');
    const bob = clientFor(controlPlane.server, {
      token: controlPlane.tokens.bob,
      ca: controlPlane.certificateAuthority,
    });
    expect(errors.isForbidden(await failureOf(bob.list(configMaps)))).toBe(true);
    const stranger = clientFor(controlPlane.server, { token: 'wrong', ca: controlPlane.certificateAuthority });
    expect(errors.isUnauthorized(await failureOf(stranger.list(configMaps)))).toBe(true);
    const distrustful = clientFor(controlPlane.server, { token: controlPlane.tokens.admin });
    expect(errors.isUnreachable(await failureOf(distrustful.list(configMaps)))).toBe(true);
    const lost = clientFor('http://127.0.0.1:1');
    const error = await failureOf(lost.list(nodes));
    expect(errors.isUnreachable(error)).toBe(true);
    expect(String(error)).toContain('list Node: no answer: connect ECONNREFUSED 127.0.0.1:1');
    await Promise.all([bob, stranger, distrustful, lost].map((each) => each.transport.close()));
  });

  it("passes the caller's own abort on, and calls its deadline unreachable", async () => {
    const reason = new Error('changed my mind');
    expect(await failureOf(client.list(nodes, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    const deadline = AbortSignal.timeout(1);
    // A fast answer would come before it.
    await once(deadline, 'abort');
    expect(errors.isUnreachable(await failureOf(client.list(configMaps, { signal: deadline })))).toBe(true);
  });

  it('pages through lists', async () => {
    const label = { 'kit-test': uniqueName('pages') };
    const made = Array.from({ length: 7 }, (_, i) =>
      client.create(configMaps, {
        metadata: { name: `${label['kit-test']}-${i}`, namespace: 'default', labels: label },
      }),
    );
    await Promise.all(made);
    const proxy = await startProxy(controlPlane);
    const seen = clientFor(proxy.url, { token: controlPlane.tokens.admin });
    const { items } = await seen.list(configMaps, { labelSelector: `kit-test=${label['kit-test']}`, pageSize: 3 });
    expect(items.map((item) => item.metadata.name)).toHaveLength(7);
    expect(proxy.requests).toHaveLength(3);
    await seen.transport.close();
    await proxy.close();
    expect(items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
  });
});

describe('patches', () => {
  it('merge and JSON patches change what they name', async () => {
    const { name } = (await aConfigMap({ a: '1', b: '2' })).metadata;
    const at = { namespace: 'default' };
    await client.patch(configMaps, name, { data: { a: null, c: '3' } }, { type: 'merge', ...at });
    const patched = await client.patch(configMaps, name, [{ op: 'add', path: '/data/d', value: '4' }], {
      type: 'json',
      ...at,
    });
    expect(patched.data).toEqual({ b: '2', c: '3', d: '4' });
  });

  it('apply owns its fields, and another manager must force', async () => {
    const name = uniqueName('kit');
    const apply = (data: Record<string, string>, fieldManager: string, force = false) =>
      client.patch(
        configMaps,
        name,
        { metadata: { name, namespace: 'default' }, data },
        {
          type: 'apply',
          namespace: 'default',
          fieldManager,
          force,
        },
      );
    await apply({ a: '1', b: '1' }, 'first');
    const error = await failureOf(apply({ a: '2' }, 'second'));
    expect(errors.isConflict(error)).toBe(true);
    expect((error as errors.ApiError).causes[0]).toMatchObject({ reason: 'FieldManagerConflict', field: '.data.a' });
    expect((await apply({ a: '2' }, 'second', true)).data).toEqual({ a: '2', b: '1' });
    expect((await apply({}, 'first')).data).toEqual({ a: '2' });
  });

  it('a dry run changes nothing', async () => {
    const { name } = (await aConfigMap({ a: '1' })).metadata;
    const options = { type: 'merge', namespace: 'default', dryRun: true } as const;
    expect((await client.patch(configMaps, name, { data: { a: '2' } }, options)).data).toEqual({ a: '2' });
    expect((await client.get(configMaps, name, { namespace: 'default' })).data).toEqual({ a: '1' });
  });
});

describe('deletion', () => {
  const exists = (name: string) =>
    client.get(configMaps, name, { namespace: 'default' }).then(
      () => true,
      (error: unknown) => !errors.isNotFound(error),
    );

  it('needs the very object that was read', async () => {
    const { metadata } = await aConfigMap();
    await deleteObject(client, configMaps, metadata);
    expect(await exists(metadata.name)).toBe(false);
    expect(errors.isNotFound(await failureOf(deleteObject(client, configMaps, metadata)))).toBe(true);
  });

  it.each([
    ['another uid', { uid: '00000000-0000-0000-0000-000000000000' }],
    ['another resourceVersion', { resourceVersion: '1' }],
  ])('is refused with %s', async (_, wrong) => {
    const { metadata } = await aConfigMap();
    const error = await failureOf(deleteObject(client, configMaps, { ...metadata, ...wrong }));
    expect(errors.isConflict(error)).toBe(true);
    expect(await exists(metadata.name)).toBe(true);
  });

  it('is not even asked for without uid and resourceVersion', async () => {
    const { metadata } = await aConfigMap();
    await expect(deleteObject(client, configMaps, { ...metadata, uid: '' })).rejects.toThrow('read it first');
    await expect(deleteObject(client, configMaps, { ...metadata, resourceVersion: '' })).rejects.toThrow(
      'read it first',
    );
    expect(await exists(metadata.name)).toBe(true);
  });

  it('as a dry run deletes nothing, but checks the preconditions', async () => {
    const { metadata } = await aConfigMap();
    await deleteObject(client, configMaps, metadata, { dryRun: true });
    expect(await exists(metadata.name)).toBe(true);
    const stale = deleteObject(client, configMaps, { ...metadata, resourceVersion: '1' }, { dryRun: true });
    expect(errors.isConflict(await failureOf(stale))).toBe(true);
  });
});
