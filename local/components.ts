import { join } from 'node:path';
import type { Binaries } from './binaries/build.ts';
import type { ProcessOptions } from './process-group.ts';

/** What the command lines below are made of. */
export interface Settings {
  binaries: Binaries;
  /** The control plane's directory. */
  directory: string;
  ports: { etcd: number; etcdPeer: number; apiServer: number; kwok: number };
  kubeconfigs: { 'controller-manager': string; scheduler: string; kwok: string };
  kwokConfigs: ReadonlyArray<string>;
  /** Added to the API server's own arguments. */
  apiServerArgs: ReadonlyArray<string>;
}

export function etcd({ binaries, directory, ports }: Settings): ProcessOptions {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return {
    name: 'etcd',
    command: binaries.etcd,
    args: [
      '--name=local',
      `--data-dir=${join(directory, 'etcd')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=local=${peer}`,
      // The data is gone at the end anyway; waiting for a disk would be most of the time of every write.
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
  };
}

export function apiServer({ binaries, directory, ports, apiServerArgs }: Settings): ProcessOptions {
  return {
    name: 'kube-apiserver',
    command: binaries.kubeApiserver,
    args: [
      `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${ports.apiServer}`,
      // It makes a CA and a serving certificate here, and puts both into apiserver.crt.
      `--cert-dir=${join(directory, 'certificates')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${join(directory, 'service-account.pub')}`,
      `--service-account-signing-key-file=${join(directory, 'service-account.key')}`,
      `--token-auth-file=${join(directory, 'tokens.csv')}`,
      '--authorization-mode=RBAC',
      '--service-cluster-ip-range=10.96.0.0/16',
      // Nothing reaches the server through the Service "kubernetes", and a loopback address may not be its endpoint.
      '--endpoint-reconciler-type=none',
      ...apiServerArgs,
    ],
  };
}

export function controllerManager({ binaries, directory, kubeconfigs }: Settings): ProcessOptions {
  return {
    name: 'kube-controller-manager',
    command: binaries.kubeControllerManager,
    args: [
      `--kubeconfig=${kubeconfigs['controller-manager']}`,
      '--leader-elect=false',
      '--secure-port=0',
      '--use-service-account-credentials',
      `--service-account-private-key-file=${join(directory, 'service-account.key')}`,
      `--root-ca-file=${join(directory, 'certificates', 'apiserver.crt')}`,
      // The default of 20 requests/s makes about 8 replacement pods a second.
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
      // The simulated kubelets send no heartbeats (leases would cost a write per node and 10 s): only the cloud says that a node is not ready.
      '--node-monitor-grace-period=24h',
    ],
  };
}

export function scheduler({ binaries, kubeconfigs }: Settings): ProcessOptions {
  return {
    name: 'kube-scheduler',
    command: binaries.kubeScheduler,
    args: [
      `--kubeconfig=${kubeconfigs.scheduler}`,
      '--leader-elect=false',
      '--secure-port=0',
      // The default of 50 requests/s is a ceiling of 53 pods a second.
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
    ],
  };
}

export function kwok({ binaries, kubeconfigs, kwokConfigs, ports }: Settings): ProcessOptions {
  return {
    name: 'kwok',
    command: binaries.kwok,
    args: [
      `--kubeconfig=${kubeconfigs.kwok}`,
      ...kwokConfigs.map((file) => `--config=${file}`),
      `--server-address=127.0.0.1:${ports.kwok}`,
    ],
  };
}
