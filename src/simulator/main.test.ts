import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const program = join(import.meta.dirname, 'main.ts');
const up = join(import.meta.dirname, '../../local/scenarios/up.yaml');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulator-'));
});
afterAll(() => rm(folder, { recursive: true }));

function run(args: string[]): {
  child: ChildProcess;
  output: Promise<{ status: number | null; stdout: string; stderr: string }>;
} {
  const child = spawn(process.execPath, [program, ...args], { timeout: 30_000 });
  const output = new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
  return { child, output };
}

describe('the simulator as a program', () => {
  it('says in one line where it listens, and ends cleanly on SIGTERM', async () => {
    const { child, output } = run(['--scenario', up, '--time-scale', '10']);
    const line = await new Promise<string>((resolve) => child.stdout?.once('data', (chunk) => resolve(String(chunk))));
    const { url } = JSON.parse(line) as { url: string };
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ ok: true });
    child.kill('SIGTERM');
    expect(await output).toEqual({ status: 0, stdout: line, stderr: '' });
  }, 40_000);

  it('ends with status 2 and one line for a scenario that it cannot use', async () => {
    const scenario = join(folder, 'bad.yaml');
    await writeFile(scenario, 'callers: [{accessKeyId: a, name: b}]\nsubnetz: []\n');
    const { status, stdout, stderr } = await run(['--scenario', scenario]).output;
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^simulator: scenario .*bad\.yaml: [^\n]+\n$/);
  }, 40_000);

  it('ends with status 2 and one line for a kubeconfig that is not there', async () => {
    const kubeconfig = join(folder, 'nowhere');
    const { status, stderr } = await run(['--scenario', up, '--kubeconfig', kubeconfig]).output;
    expect(status).toBe(2);
    expect(stderr).toMatch(/^simulator: cannot read kubeconfig [^\n]+\n$/);
  }, 40_000);

  it('ends with status 2 rather than listen for others', async () => {
    const { status, stderr } = await run(['--scenario', up, '--host', '0.0.0.0']).output;
    expect([status, stderr]).toEqual([2, expect.stringContaining('is not a loopback address')]);
  }, 40_000);

  it('prints its usage or version, and ends well, when it is asked for that', async () => {
    expect(await run(['--help']).output).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^usage: simulator --scenario=FILE/),
      stderr: '',
    });
    expect(await run(['--version']).output).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^simulator of cluster-generations \d+\.\d+\.\d+\n$/),
      stderr: '',
    });
  }, 40_000);

  it('ends with status 2 and its usage for an argument that it does not have', async () => {
    const { status, stdout, stderr } = await run(['--scenaro', up]).output;
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^simulator: .*scenaro.*\nusage: simulator/);
  }, 40_000);

  it('ends with status 1 when its port is taken', async () => {
    const first = run(['--scenario', up]);
    const line = await new Promise<string>((resolve) =>
      first.child.stdout?.once('data', (chunk) => resolve(String(chunk))),
    );
    const { port } = new URL((JSON.parse(line) as { url: string }).url);
    const { status, stderr } = await run(['--scenario', up, '--port', port]).output;
    expect([status, stderr]).toEqual([1, expect.stringContaining('EADDRINUSE')]);
    first.child.kill('SIGTERM');
    expect((await first.output).status).toBe(0);
  }, 40_000);
});
