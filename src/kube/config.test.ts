import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigError, loadConnection } from './config.ts';

let directory: string;
const environment = { ...process.env };
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
  process.env = { ...environment };
});

function aKubeconfig(user: object, cluster: object = { server: 'https://127.0.0.1:6443/' }, more: object = {}): string {
  const path = join(directory, 'config');
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'n' } }],
    'current-context': 'x',
    ...more,
  };
  writeFileSync(path, JSON.stringify(content));
  return path;
}

describe('a kubeconfig', () => {
  it('gives server, namespace, authority and token', async () => {
    const ca = Buffer.from('an authority').toString('base64');
    const cluster = { server: 'https://127.0.0.1:6443/', 'certificate-authority-data': ca };
    const connection = await loadConnection({ kubeconfig: aKubeconfig({ token: 't' }, cluster) });
    expect(connection).toMatchObject({ server: 'https://127.0.0.1:6443', namespace: 'n' });
    expect(String(connection.tls.ca)).toBe('an authority');
    expect(await connection.headers()).toEqual({ Authorization: 'Bearer t' });
  });

  it('may name a token file relative to itself; it is read again when the server refused the token', async () => {
    const path = aKubeconfig({ tokenFile: 'token' });
    writeFileSync(join(directory, 'token'), 'first\n');
    const connection = await loadConnection({ kubeconfig: path });
    expect(await connection.headers()).toEqual({ authorization: 'Bearer first' });
    writeFileSync(join(directory, 'token'), 'second\n');
    expect(await connection.headers()).toEqual({ authorization: 'Bearer first' });
    connection.refused();
    expect(await connection.headers()).toEqual({ authorization: 'Bearer second' });
    rmSync(join(directory, 'token'));
    connection.refused();
    expect(await connection.headers()).toEqual({ authorization: 'Bearer second' });
  });

  it('may name a user and password, or a client certificate', async () => {
    const basic = await loadConnection({ kubeconfig: aKubeconfig({ username: 'u', password: 'p' }) });
    expect(await basic.headers()).toEqual({ authorization: 'Basic dTpw' });
    const data = (text: string) => Buffer.from(text).toString('base64');
    const user = { 'client-certificate-data': data('cert'), 'client-key-data': data('key') };
    const { tls } = await loadConnection({ kubeconfig: aKubeconfig(user) });
    expect([String(tls.cert), String(tls.key)]).toEqual(['cert', 'key']);
  });

  it('may be one of several in $KUBECONFIG, and a context may be chosen', async () => {
    delete process.env.KUBERNETES_SERVICE_HOST;
    process.env.KUBECONFIG = aKubeconfig({ token: 't' });
    expect((await loadConnection()).server).toBe('https://127.0.0.1:6443');
    expect((await loadConnection({ context: 'x' })).namespace).toBe('n');
  });
});

describe('a kubeconfig that cannot be used', () => {
  const failing: [string, () => { kubeconfig: string; context?: string }, string][] = [
    ['is missing', () => ({ kubeconfig: join(directory, 'none') }), 'cannot read kubeconfig'],
    [
      'is no YAML',
      () => {
        writeFileSync(join(directory, 'bad'), '{');
        return { kubeconfig: join(directory, 'bad') };
      },
      'cannot read kubeconfig',
    ],
    ['has no such context', () => ({ kubeconfig: aKubeconfig({}), context: 'y' }), 'has no context named y'],
    [
      'has no such user',
      () => ({ kubeconfig: aKubeconfig({}, undefined, { users: [] }) }),
      'user u, which is not there',
    ],
    ['has no such cluster', () => ({ kubeconfig: aKubeconfig({}, undefined, { clusters: [] }) }), 'names no cluster'],
    [
      'wants a proxy',
      () => ({ kubeconfig: aKubeconfig({}, { server: 'https://x', 'proxy-url': 'http://p' }) }),
      'proxy-url is not supported',
    ],
  ];
  it.each(failing)('because it %s says so', async (_, make, message) => {
    const error: unknown = await loadConnection(make()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toContain(message);
  });

  it('because its token file is missing says so at the first request', async () => {
    const connection = await loadConnection({ kubeconfig: aKubeconfig({ tokenFile: 'none' }) });
    await expect(connection.headers()).rejects.toThrow('cannot read the token file');
  });
});
