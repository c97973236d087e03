import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { uniqueName, useControlPlane } from '../../../local/testing.ts';
import { configMaps, leases } from '../../../src/kube/resources.ts';
import { adminClient, until } from './kit.ts';

const controlPlane = useControlPlane();
const admin = adminClient(controlPlane);
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => admin.transport.close());

/** operator-process.ts, running. */
function anOperator(name: string, identity: string) {
  const program = join(import.meta.dirname, 'operator-process.ts');
  const child = spawn(process.execPath, [program, controlPlane.kubeconfigs.admin, name, identity], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  children.push(child);
  let output = '';
  let log = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  child.stderr.on('data', (text) => {
    log += text;
  });
  const said = () => output.trimEnd().split('\n');
  return {
    said,
    says: (line: string) =>
      until(`${identity} to say "${line}"`, () => said().includes(line), 20_000).catch((error: Error) => {
        throw new Error(`${error.message}; it said:\n${output}\n${log}`);
      }),
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    exited: new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal))),
  };
}

describe('an operator process', () => {
  it('finishes its work and hands over on SIGTERM; after SIGKILL the next one waits for the lease', async () => {
    const name = uniqueName('operator');
    const create = (item: string) =>
      admin.create(configMaps, {
        metadata: { name: `${name}-${item}`, namespace: 'default', labels: { 'kit-test': name } },
      });
    const holder = async () => (await admin.get(leases, name, { namespace: 'default' })).spec?.holderIdentity;

    const first = anOperator(name, 'first');
    await first.says('leads');
    const second = anOperator(name, 'second');
    await second.says('runs');
    await create('a');
    await first.says(`begins default/${name}-a`);
    first.kill('SIGTERM');
    expect(await first.exited).toBe(0);
    expect(first.said().slice(-2)).toEqual([`ends default/${name}-a`, 'stopped']);

    // It has kept its cache all the while, so it reconciles what there is as soon as it leads.
    await second.says(`ends default/${name}-a`);
    expect(await holder()).toBe('second');

    second.kill('SIGKILL');
    expect(await second.exited).toBe('SIGKILL');
    expect(await holder()).toBe('second');
    const third = anOperator(name, 'third');
    await third.says('leads');
    expect(await holder()).toBe('third');
    third.kill('SIGTERM');
    expect(await third.exited).toBe(0);
    expect(await holder()).toBe('');
  }, 60_000);
});
