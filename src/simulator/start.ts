import type { AddressInfo } from 'node:net';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { type Cloud, createCloud, nodeObserver } from './cloud.ts';
import { planPeople } from './people/act.ts';
import type { Scenario } from './scenario/schema.ts';
import { createHttpServer } from './server.ts';

export type Simulator = {
  /** Where EC2, Service Quotas and the control API answer. */
  readonly url: string;
  readonly cloud: Cloud;
  /** Closes every connection and stops all work. */
  stop(): Promise<void>;
};

export type SimulatorOptions = {
  scenario: Scenario;
  clock: Clock;
  log: Logger;
  /** Path of a kubeconfig; without it machines become no Nodes. */
  kubeconfig?: string | undefined;
  host?: string;
  port?: number;
};

/** Starts a cloud on loopback. Rejects when the port is taken or the kubeconfig cannot be used. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { scenario, clock, log, kubeconfig, host = '127.0.0.1', port = 0 } = options;
  const cloud = createCloud(scenario, clock, log);
  if (kubeconfig !== undefined) {
    // Loaded only when there is a cluster: the Kubernetes client costs half a second and 80 MB.
    const { kubernetesNodes } = await import('./nodes/kubernetes.ts');
    const owns = (address: string) => [...cloud.subnets.values()].some((subnet) => subnet.holds(address));
    cloud.nodes = await kubernetesNodes({ kubeconfig, clock, log, observer: nodeObserver(cloud), owns });
  }
  planPeople(cloud);
  const server = createHttpServer(cloud);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  const hostname = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${hostname}:${address.port}`,
    cloud,
    async stop() {
      cloud.agenda.stop();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await cloud.nodes.stop();
    },
  };
}
