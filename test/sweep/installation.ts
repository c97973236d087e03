import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundle } from '../../local/bundle.ts';
import { webhookUrl } from '../../local/chart.ts';
import { type Environment, operatorCredentials, startEnvironment } from '../../local/environment.ts';
import { type Operator, startOperator } from '../../local/operator.ts';
import { paths } from '../../local/paths.ts';
import { freePorts } from '../../local/ports.ts';
import { connect, type KubeClient } from '../../src/kube/client.ts';
import type { LedgerView } from '../../src/simulator/control/ledger.ts';
import { type NumberingProxy, numberingProxy, type ProxyOptions } from './proxy.ts';

/** A whole installation whose operator reaches API server and cloud through the numbering proxy, and through nothing else. */
export interface Installation {
  environment: Environment;
  proxy: NumberingProxy;
  operator: Operator;
  /** An admin's, past the proxy. */
  admin: KubeClient;
  ledger(): Promise<LedgerView>;
  /** SIGKILL, at once; what it had under way at the proxy goes on. */
  killOperator(): void;
  /** Has the cloud answer without any machine for so many real ms; resolves when it shows them again. */
  emptyCloud(ms: number): Promise<void>;
  stop(): Promise<void>;
}

export interface InstallationOptions {
  /** The cloud, as an object. */
  scenario: object;
  /** Declared seconds in a real one. */
  timeScale: number;
  /** Another checkout, whose operator and chart are to be swept instead of this one's. */
  tree?: string | undefined;
  passed?: ProxyOptions['passed'];
  /** Added to the operator's environment. */
  env?: Record<string, string>;
  log?: (line: string) => void;
}

export async function startInstallation(options: InstallationOptions): Promise<Installation> {
  const { timeScale, tree = paths.root, log = () => {} } = options;
  const folder = await mkdtemp(join(tmpdir(), 'sweep-'));
  const scenario = join(folder, 'scenario.yaml');
  await writeFile(scenario, JSON.stringify(options.scenario));
  const [webhookPort = 0] = await freePorts(1);
  const environment = await startEnvironment({
    scenario,
    timeScale,
    operator: false,
    chart: {
      chart: join(tree, relative(paths.root, paths.chart)),
      values: { 'guard.webhook.url': webhookUrl(webhookPort) },
    },
    log,
  });
  const { controlPlane, simulator } = environment;
  const stopEnvironment = async () => {
    await environment.stop();
    await rm(folder, { recursive: true });
  };
  try {
    const proxy = await numberingProxy({
      apiServer: { url: controlPlane.server, certificateAuthority: controlPlane.certificateAuthority },
      cloud: simulator.url,
      ...(options.passed && { passed: options.passed }),
    });
    const operator = await startOperator({
      group: controlPlane.group,
      access: { ...controlPlane, server: proxy.apiServer },
      // There is one only, and a dead one's lease is not to be waited for.
      leaderElect: false,
      program: await bundle(join(tree, relative(paths.root, paths.operator)), join(folder, 'operator')),
      args: ['--time-scale', String(timeScale)],
      env: { ...operatorCredentials, ...options.env },
      webhookPort,
      log,
    });
    const admin = await connect({ name: 'sweep', kubeconfig: controlPlane.kubeconfigs.admin });
    return {
      environment,
      proxy,
      operator,
      admin,
      async ledger() {
        const answer = await fetch(`${simulator.url}/ledger`, { signal: AbortSignal.timeout(10_000) });
        return (await answer.json()) as LedgerView;
      },
      async emptyCloud(ms) {
        const fault = { name: 'empty', operations: ['DescribeInstances'], effect: { omits: 1 } };
        await fetch(`${simulator.url}/faults`, { method: 'POST', body: JSON.stringify(fault) });
        await sleep(ms);
        await fetch(`${simulator.url}/faults/empty`, { method: 'DELETE' });
      },
      killOperator: () => process.kill(operator.process().pid, 'SIGKILL'),
      async stop() {
        await operator.stop();
        await proxy.close();
        await admin.transport.close();
        await stopEnvironment();
      },
    };
  } catch (error) {
    await stopEnvironment();
    throw error;
  }
}
