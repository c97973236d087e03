import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readAccess } from '../../local/access.ts';
import { runCommand } from '../../local/command.ts';
import { isRunning, killProcess } from '../../local/process-table.ts';
import { findSupervisor, survivors } from '../../local/supervisor-file.ts';
import { waitFor } from '../../local/wait.ts';

const kubernetes = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
const local = join(import.meta.dirname, '..', '..', 'local');
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'up-test-'));
});
afterEach(async () => {
  await down();
  await rm(directory, { recursive: true });
});

const run = (program: string, args: string[], env: Record<string, string> = {}) =>
  runCommand(process.execPath, [join(local, program), '--directory', directory, ...args], {
    env: { NODE_OPTIONS: '', ...env },
  });
const up = () => run('up.ts', ['--control-plane-only']);
const down = () => run('down.ts', []);

describe('make up and make down', () => {
  it('leave everything running, the operator with its own rights, and then no process', async () => {
    const first = await run('up.ts', ['--time-scale', '10']);
    expect(first.stderr).toBe('');
    expect(first.stdout).toMatch(/The simulated cloud answers at http:\/\/127\.0\.0\.1:\d+;/);
    const supervisor = findSupervisor(directory)!;
    const programs = survivors(directory);
    expect(programs.map(({ name }) => name).sort()).toEqual(['etcd', ...kubernetes, 'kwok', 'operator', 'simulator']);

    // The rights that the chart gives to the account that the process runs as; control-plane-parts.test.ts shows that it is that one.
    const kubeconfig = join(directory, 'kubeconfigs', 'admin.yaml');
    const { programs: clients } = await readAccess(directory);
    const who = `--as=system:serviceaccount:generations-system:generations-operator`;
    const can = (...verb: string[]) =>
      runCommand(clients.kubectl, ['auth', 'can-i', ...verb, who, `--kubeconfig=${kubeconfig}`]);
    expect((await can('update', 'clustergenerations.generations.dev/status')).stdout).toBe('yes\n');
    expect((await can('list', 'secrets', '--all-namespaces')).stdout).toBe('no\n');

    const operators = () => survivors(directory).filter(({ name }) => name === 'operator');
    const [before] = operators();
    killProcess(before!);
    const [after] = await waitFor('the operator to be started again', { limitMs: 30_000 }, async () =>
      isRunning(before!) || operators().length === 0 ? undefined : operators(),
    );
    expect(await readFile(join(directory, 'up.log'), 'utf8')).toContain('the operator ended (SIGKILL)');

    expect(await down()).toMatchObject({ status: 0, stdout: 'Down: no process is left.\n' });
    expect([supervisor, ...programs, after!].filter(isRunning)).toEqual([]);
  }, 180_000);

  it('leave a control plane that can be used, and then no process', async () => {
    const first = await up();
    expect(first.stderr).toBe('');
    const kubeconfig = join(directory, 'kubeconfigs', 'admin.yaml');
    expect(first.stdout.trimEnd().split('\n').at(-1)).toBe(`export KUBECONFIG=${kubeconfig}`);

    const programs = survivors(directory);
    expect(programs.map(({ name }) => name).sort()).toEqual(['etcd', ...kubernetes, 'kwok']);
    const supervisor = findSupervisor(directory)!;

    const again = await up();
    expect(again.stdout).toBe(`Already up (process ${supervisor.pid}). To use it:\nexport KUBECONFIG=${kubeconfig}\n`);

    expect(await down()).toMatchObject({ status: 0, stdout: 'Down: no process is left.\n' });
    expect([supervisor, ...programs].filter(isRunning)).toEqual([]);
    expect(await down()).toMatchObject({ status: 0, stdout: 'Nothing was up.\n' });
  }, 120_000);

  it('leave no process when the supervisor is killed, and come up again after that', async () => {
    await up();
    killProcess(findSupervisor(directory)!);
    const gone = async () => (survivors(directory).length === 0 ? true : undefined);
    await waitFor('the programs to follow their supervisor', { limitMs: 20_000 }, gone);
    expect(await up()).toMatchObject({ status: 0, stderr: '' });
  }, 120_000);

  it('stop everything when a part dies', async () => {
    await up();
    const supervisor = findSupervisor(directory)!;
    killProcess(survivors(directory).find(({ name }) => name === 'kube-scheduler')!);
    await waitFor('the supervisor to give up', { limitMs: 20_000 }, async () =>
      isRunning(supervisor) ? undefined : true,
    );
    expect(survivors(directory)).toEqual([]);
  }, 120_000);

  it('say in one line what is missing, with status 2', async () => {
    const { status, stderr } = await run('up.ts', ['--control-plane-only'], { PATH: directory });
    expect({ status, lines: stderr.trimEnd().split('\n').length }).toEqual({ status: 2, lines: 1 });
    expect(stderr).toMatch(/^Go is missing/);
  }, 60_000);
});
