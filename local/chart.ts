import { join } from 'node:path';
import type { Access } from './access.ts';
import { runCommand } from './command.ts';
import { groups } from './identities.ts';
import { paths } from './paths.ts';

/** Where the operator is installed, here as anywhere. */
export const operatorNamespace = 'generations-system';

export interface ChartOptions {
  /** For `--set`, on top of what a local installation needs. */
  values?: Record<string, string>;
  /** Another chart, for tests of this file. */
  chart?: string;
  release?: string;
}

/** Where a webhook on a port of this machine is called. */
export function webhookUrl(port: number): string {
  return `https://127.0.0.1:${port}/validate`;
}

/** No pods of the operator, and so no image; rights for the people of the local control plane. */
const localValues = {
  replicas: '0',
  image: 'unused:local',
  'access.editors': `{${groups.operators}}`,
  'access.platformEditors': `{${groups.gitops}}`,
  // An API server outside the cluster reaches no Service. Nobody listens here: that is said at once, not after a time-out.
  'guard.webhook.url': webhookUrl(1),
};

/**
 * Installs the chart with the real Helm as the admin, or upgrades it, and waits until its CRDs are established. The operator's
 * Deployment has no replicas: the operator runs as a local process with the rights that the chart gives to its service account.
 *
 * @throws Error with what Helm said
 */
export async function installChart(access: Access, options: ChartOptions = {}): Promise<void> {
  const { values = {}, chart = paths.chart, release = 'cluster-generations' } = options;
  const settings = Object.entries({ ...localValues, ...values });
  const args = [
    ...['upgrade', '--install', release, chart],
    ...['--namespace', operatorNamespace, '--create-namespace', '--wait', '--timeout', '240s'],
    ...settings.flatMap(([name, value]) => ['--set', `${name}=${value}`]),
  ];
  // A person's own Helm settings, plugins and caches must not matter here.
  const helmHome = join(access.directory, 'helm');
  const env = {
    KUBECONFIG: access.kubeconfigs.admin,
    HELM_CACHE_HOME: join(helmHome, 'cache'),
    HELM_CONFIG_HOME: join(helmHome, 'config'),
    HELM_DATA_HOME: join(helmHome, 'data'),
  };
  const { status, stderr } = await runCommand(access.programs.helm, args, { env, limitMs: 300_000 });
  if (status !== 0) throw new Error(`Helm could not install ${chart}: ${stderr.trim()}`);
}
