import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Access, accessFileName, callApi } from './access.ts';
import { type ApiServer, apiServerOf } from './api-server.ts';
import type { Binaries } from './binaries/build.ts';
import * as components from './components.ts';
import { type Etcd, etcdOf } from './etcd.ts';
import { type IdentityName, identities, identityNames, makeTokens, tokenFile } from './identities.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { kwokConfiguration, stageFiles } from './kwok-config.ts';
import { freePorts } from './ports.ts';
import { ProcessGroup, type RunningProcess, readyLimitMs, waitUntilReady } from './process-group.ts';
import { localRoles } from './rbac.ts';

/**
 * A real Kubernetes control plane on this machine: etcd and kube-apiserver, and at will kube-controller-manager, kube-scheduler and
 * KWOK, which plays the kubelet of every Node annotated kwok.x-k8s.io/node=fake. In: the programs (binaries/). Out: an API server on
 * a loopback port with RBAC on, a kubeconfig per person, and one function that ends it all.
 */
export interface ControlPlaneOptions {
  binaries: Binaries;
  /** Where to keep everything; a temporary directory, removed at the end, unless given. */
  directory?: string;
  /**
   * What runs beside etcd and the API server: all unless told. Without the controller manager nothing is garbage-collected, no
   * namespace finishes its deletion and no pod can be created (it makes the service accounts).
   */
  run?: { controllerManager?: boolean; scheduler?: boolean; kwok?: boolean };
  /** Added to the API server's own arguments. */
  apiServerArgs?: ReadonlyArray<string>;
}

export interface ControlPlane extends Access {
  /** Its programs, and whatever else shall end with them. */
  readonly group: ProcessGroup;
  readonly processes: ReadonlyArray<RunningProcess>;
  readonly apiServer: ApiServer;
  readonly etcd: Etcd;
  /** Starts another API server on the same etcd, with the same identities, and waits until it is ready. */
  addApiServer(): Promise<ApiServer>;
  /** Kills everything (the API server would linger for minutes on SIGTERM), waits until it is gone, removes the data. */
  stop(): Promise<void>;
}

/**
 * Starts a control plane and waits until it can be used.
 *
 * @throws Error naming the program that failed, with the last lines of its log. Nothing keeps running then.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options);
    } catch (error) {
      // Between finding a free port and listening on it anybody can take it.
      const portTaken = error instanceof Error && error.message.includes('address already in use');
      if (!portTaken || attempt === 3) throw error;
    }
  }
}

async function startOnce({
  binaries,
  directory: given,
  run = {},
  apiServerArgs = [],
}: ControlPlaneOptions): Promise<ControlPlane> {
  const directory = given ?? (await mkdtemp(join(tmpdir(), 'cluster-generations-')));
  const data = [join(directory, 'etcd'), join(directory, 'certificates')];
  for (const stale of data) await rm(stale, { recursive: true, force: true });
  const group = new ProcessGroup(directory, given === undefined ? [directory] : data);
  const stop = async () => {
    await group.killAll();
    for (const path of given === undefined ? [directory] : data) await rm(path, { recursive: true, force: true });
  };
  try {
    const tokens = makeTokens();
    await writeSecrets(directory, tokens);
    const [etcdPort = 0, etcdPeer = 0, apiPort = 0, kwokPort = 0] = await freePorts(4);
    const kubeconfigs = pathsOfKubeconfigs(directory);
    const kwokConfig = join(directory, 'kwok.yaml');
    await writeFile(kwokConfig, kwokConfiguration());
    const settings: components.Settings = {
      binaries,
      directory,
      ports: { etcd: etcdPort, etcdPeer, apiServer: apiPort, kwok: kwokPort },
      kubeconfigs,
      kwokConfigs: [kwokConfig, ...stageFiles(binaries.kwokStages)],
      apiServerArgs,
    };

    const etcd = group.start(components.etcd(settings));
    const apiServer = group.start(components.apiServer(settings));
    const processes = [etcd, apiServer];
    const server = `https://127.0.0.1:${apiPort}`;
    const access: Access = {
      directory,
      server,
      certificateAuthority: '',
      tokens,
      kubeconfigs,
      programs: { kubectl: binaries.kubectl, helm: binaries.helm },
    };
    access.certificateAuthority = await apiServerReady(processes, access);
    for (const name of identityNames) {
      const { certificateAuthority } = access;
      await writeKubeconfig(kubeconfigs[name], {
        server,
        certificateAuthority,
        user: identities[name].user,
        credential: { token: tokens[name] },
      });
    }
    for (const { path, object } of localRoles()) await create(access, path, object);

    const others: RunningProcess[] = [];
    if (run.controllerManager !== false) others.push(group.start(components.controllerManager(settings)));
    if (run.scheduler !== false) others.push(group.start(components.scheduler(settings)));
    if (run.kwok !== false) others.push(group.start(components.kwok(settings)));
    await Promise.all(others.map((other) => othersReady(other, access, kwokPort)));
    await writeFile(join(directory, accessFileName), JSON.stringify(access), { mode: 0o600 });
    let servers = 1;
    return {
      ...access,
      group,
      processes: [...processes, ...others],
      stop,
      apiServer: apiServerOf(group, { settings, access, first: apiServer }),
      etcd: etcdOf(group, settings, etcd),
      async addApiServer() {
        const [port = 0] = await freePorts(1);
        const another = { ...settings, ports: { ...settings.ports, apiServer: port } };
        servers += 1;
        const first = group.start({ ...components.apiServer(another), name: `kube-apiserver-${servers}` });
        const added = apiServerOf(group, { settings: another, access, first });
        await added.ready();
        return added;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function writeSecrets(directory: string, tokens: Record<IdentityName, string>): Promise<void> {
  await mkdir(join(directory, 'kubeconfigs'), { recursive: true, mode: 0o700 });
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  await writeFile(join(directory, 'service-account.pub'), publicKey);
  await writeFile(join(directory, 'service-account.key'), privateKey, { mode: 0o600 });
  await writeFile(join(directory, 'tokens.csv'), tokenFile(tokens), { mode: 0o600 });
}

function pathsOfKubeconfigs(directory: string): Record<IdentityName, string> {
  const entries = identityNames.map((name) => [name, join(directory, 'kubeconfigs', `${name}.yaml`)]);
  return Object.fromEntries(entries) as Record<IdentityName, string>;
}

/** @returns the CA, which the API server writes while it starts */
async function apiServerReady(processes: ReadonlyArray<RunningProcess>, access: Access): Promise<string> {
  const [etcd, server] = processes;
  if (etcd === undefined || server === undefined) throw new Error('etcd and kube-apiserver must be started first');
  return waitUntilReady(server, readyLimitMs, async () => {
    if (!etcd.running()) throw new Error(`etcd ended at its start. The end of its log:\n${etcd.lastLines(12)}`);
    try {
      const certificateAuthority = await readFile(join(access.directory, 'certificates', 'apiserver.crt'), 'utf8');
      // /readyz includes the hook that writes the built-in roles.
      const { status } = await callApi({ ...access, certificateAuthority }, 'admin', 'GET', '/readyz');
      return status === 200 ? certificateAuthority : undefined;
    } catch {
      return undefined;
    }
  });
}

async function othersReady(running: RunningProcess, access: Access, kwokPort: number): Promise<void> {
  await waitUntilReady(running, readyLimitMs, async () => {
    if (!running.running()) return undefined;
    switch (running.name) {
      case 'kube-controller-manager': {
        // Its last act of starting that everybody depends on: pods need the service account.
        const { status } = await callApi(access, 'admin', 'GET', '/api/v1/namespaces/default/serviceaccounts/default');
        return status === 200 ? true : undefined;
      }
      case 'kwok':
        return fetch(`http://127.0.0.1:${kwokPort}/healthz`, { signal: AbortSignal.timeout(1_000) }).then(
          (response) => (response.ok ? true : undefined),
          () => undefined,
        );
      default:
        return true;
    }
  });
}

async function create(access: Access, path: string, object: object): Promise<void> {
  const { status, body } = await callApi(access, 'admin', 'POST', path, { body: object });
  if (status !== 201 && status !== 409)
    throw new Error(`the API server answered ${status} to POST ${path}: ${JSON.stringify(body)}`);
}
