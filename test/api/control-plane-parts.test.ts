import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ensureBinaries } from '../../local/binaries/build.ts';
import { installChart } from '../../local/chart.ts';
import { type ControlPlane, startControlPlane } from '../../local/control-plane.ts';
import { startEnvironment } from '../../local/environment.ts';
import { startOperator } from '../../local/operator.ts';
import { waitUntilReady } from '../../local/process-group.ts';
import { isRunning } from '../../local/process-table.ts';
import { testControlPlane } from '../../local/testing.ts';
import { waitFor } from '../../local/wait.ts';

const binaries = await ensureBinaries({ log: () => {} });
const operatorName = 'system:serviceaccount:generations-system:generations-operator';
const program = join(import.meta.dirname, 'control-plane-stand-in.ts');

let controlPlane: ControlPlane;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parts-test-'));
  controlPlane = await startControlPlane({ binaries, run: { scheduler: false, kwok: false } });
}, 60_000);
afterAll(async () => {
  await controlPlane.stop();
  await rm(folder, { recursive: true });
});

/** A chart with just what starting the operator depends on, and one value that must have been set. */
async function aChart(name: string): Promise<string> {
  const chart = join(folder, name);
  await mkdir(join(chart, 'templates'), { recursive: true });
  await writeFile(join(chart, 'Chart.yaml'), `apiVersion: v2\nname: ${name}\nversion: 0.0.1\n`);
  await writeFile(
    join(chart, 'templates', 'all.yaml'),
    `apiVersion: v1
kind: ServiceAccount
metadata: {name: generations-operator, annotations: {replicas: {{ required "replicas is not set" .Values.replicas | quote }}}}
`,
  );
  return chart;
}

const saysWhoItIs = (running: Parameters<typeof waitUntilReady>[0]) =>
  waitUntilReady(running, 30_000, async () => /^I am (\S+) (.*)$/m.exec(running.output())?.slice(1));

describe('the chart', () => {
  it('is installed with the real Helm at no replicas, and can be installed again', async () => {
    const chart = await aChart('stand-in');
    await installChart(controlPlane, { chart });
    await installChart(controlPlane, { chart });
    const path = '/api/v1/namespaces/generations-system/serviceaccounts/generations-operator';
    const { body } = await testControlPlane(controlPlane).call('admin', 'GET', path);
    expect(body).toMatchObject({ metadata: { annotations: { replicas: '0' } } });
  }, 60_000);

  it('fails with what Helm said', async () => {
    await expect(installChart(controlPlane, { chart: join(folder, 'nowhere') })).rejects.toThrow(
      /^Helm could not install .*nowhere/,
    );
  });
});

describe('the operator as a local process', () => {
  const start = (name: string) =>
    startOperator({ group: controlPlane.group, access: controlPlane, program, name, args: ['--flag'], log: () => {} });

  it('is its service account and nobody else, before and after a crash', async () => {
    const operator = await start('crashing');
    expect(await saysWhoItIs(operator.process())).toEqual([
      operatorName,
      expect.stringMatching(
        /^--namespace=generations-system --leader-elect --webhook-address=127\.0\.0\.1:\d+ --flag$/,
      ),
    ]);

    const first = operator.process();
    await operator.kill();
    expect(isRunning(first)).toBe(false);
    expect((await first.exited).signal).toBe('SIGKILL');

    await operator.restart();
    await operator.ready();
    expect(operator.process().pid).not.toBe(first.pid);
    expect(await saysWhoItIs(operator.process())).toEqual([
      operatorName,
      expect.stringMatching(
        /^--namespace=generations-system --leader-elect --webhook-address=127\.0\.0\.1:\d+ --flag$/,
      ),
    ]);
    await operator.stop();
    expect(isRunning(operator.process())).toBe(false);
  }, 60_000);

  it('fails with what it said when it ends at its start', async () => {
    const options = { group: controlPlane.group, access: controlPlane, program, name: 'failing', args: ['--fail'] };
    await expect(startOperator(options)).rejects.toThrow(
      /^failing ended at its start\. .*\nI am system:serviceaccount/,
    );
  }, 60_000);

  it('reads its token from a file that is replaced as a whole and is for its owner only', async () => {
    const operator = await start('renewed');
    const before = await readFile(operator.tokenFile, 'utf8');
    await operator.renewToken();
    const after = await readFile(operator.tokenFile, 'utf8');
    expect(after).not.toBe(before);
    expect((await stat(operator.tokenFile)).mode & 0o777).toBe(0o600);
    const asOperator = { ...controlPlane, tokens: { ...controlPlane.tokens, bob: after } };
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const { body } = await testControlPlane(asOperator).call('bob', 'POST', path, { body: review });
    expect(body).toMatchObject({ status: { userInfo: { username: operatorName } } });
    await operator.stop();
  }, 60_000);
});

describe('a whole environment', () => {
  it('is a control plane, a simulated cloud, the chart and the operator at one time scale, and ends as a whole', async () => {
    const cloud = join(folder, 'cloud.mjs');
    const says = `console.log(JSON.stringify({ url: 'http://127.0.0.1:' + process.argv.at(-3) }));`;
    await writeFile(cloud, `${says} setInterval(() => {}, 1000);`);
    const lines: string[] = [];
    const environment = await startEnvironment({
      scenario: 'scenario.yaml',
      timeScale: 60,
      simulator: { port: 4000, program: cloud },
      chart: { chart: await aChart('whole') },
      operator: { program, args: ['--flag'], leaderElect: false },
      keepOperator: true,
      log: (line) => lines.push(line),
    });
    expect(environment.simulator.url).toBe('http://127.0.0.1:4000');
    expect(await saysWhoItIs(environment.operator!.process())).toEqual([
      operatorName,
      expect.stringMatching(
        /^--namespace=generations-system --webhook-address=127\.0\.0\.1:\d+ --flag --time-scale 60$/,
      ),
    ]);
    const { controlPlane: own, simulator, operator } = environment;
    // As a pod's process that dies: nobody has to start it again.
    const first = operator!.process();
    await operator!.kill();
    await waitFor('the operator to be started again', { limitMs: 30_000 }, async () =>
      operator!.process().pid === first.pid ? undefined : true,
    );
    await operator!.ready();
    expect(environment.keeper?.restarts()).toBe(1);
    expect(lines).toContain(
      `the operator ended (SIGKILL), and is started again in 1 s. Its log: ${operator!.process().logFile}`,
    );
    const processes = [...own.processes, simulator.process, operator!.process()];
    expect(processes.map(isRunning)).toEqual(processes.map(() => true));
    await environment.stop();
    expect(processes.filter(isRunning)).toEqual([]);
    expect(existsSync(own.directory)).toBe(false);
  }, 120_000);
});

describe('a control plane of its own', () => {
  it('leaves neither process nor directory when it is stopped', async () => {
    const other = await startControlPlane({
      binaries,
      run: { controllerManager: false, scheduler: false, kwok: false },
    });
    expect(other.processes.map(({ name }) => name)).toEqual(['etcd', 'kube-apiserver']);
    await other.stop();
    expect(other.processes.filter(isRunning)).toEqual([]);
    expect(existsSync(other.directory)).toBe(false);
  }, 60_000);

  it.each([
    ['etcd', { etcd: '/bin/false' }],
    ['kube-apiserver', { kubeApiserver: '/bin/false' }],
    ['kwok', { kwok: '/bin/false' }],
  ])(
    'names the program that failed: %s',
    async (name, broken) => {
      const directory = await mkdtemp(join(folder, 'broken-'));
      await expect(startControlPlane({ binaries: { ...binaries, ...broken }, directory })).rejects.toThrow(
        `${name} ended at its start`,
      );
      const listed = (await readFile(join(directory, 'processes'), 'utf8')).trimEnd().split('\n');
      const identities = listed
        .map((line) => line.split(' '))
        .map(([, pid, started]) => ({ pid: Number(pid), started: started ?? '' }));
      expect(identities.filter(isRunning)).toEqual([]);
    },
    60_000,
  );
});
