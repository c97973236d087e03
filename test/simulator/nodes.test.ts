import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ensureBinaries } from '../../local/binaries/build.ts';
import { type ControlPlane, startControlPlane } from '../../local/control-plane.ts';
import { connect, type KubeClient } from '../../src/kube/client.ts';
import { deleteObject } from '../../src/kube/delete.ts';
import { type Node, nodes } from '../../src/kube/resources.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silent } from '../../src/runtime/logger.ts';
import { performEc2 } from '../../src/simulator/perform.ts';
import { type Simulator, startSimulator } from '../../src/simulator/start.ts';
import { aScenario, named, type ScenarioInput } from '../../src/simulator/testing.ts';

const BUILD_LIMIT = 15 * 60_000;
const STEP_LIMIT = 60_000;

let controlPlane: ControlPlane;
let kube: KubeClient;
const simulators: Simulator[] = [];

beforeAll(async () => {
  controlPlane = await startControlPlane({
    binaries: await ensureBinaries({ log: (line) => process.stderr.write(`${line}\n`) }),
    run: { scheduler: false },
  });
  kube = await connect({ kubeconfig: controlPlane.kubeconfigs.admin, name: 'test' });
}, BUILD_LIMIT);
afterAll(async () => {
  for (const simulator of simulators) await simulator.stop();
  await controlPlane.stop();
}, STEP_LIMIT);

/** A simulator with the cloud's own identity, a hundred times as fast as the scenario says. */
async function started(subnet: string, changes: Partial<ScenarioInput> = {}): Promise<Simulator> {
  const scenario = aScenario({
    subnets: [{ id: 'subnet-b', zone: 'us-east-1b', cidr: subnet }],
    buckets: { RunInstances: { requestBurst: 100, resourceBurst: 10_000 } },
    quotas: { vcpus: 100_000 },
    ...changes,
  });
  const kubeconfig = controlPlane.kubeconfigs.cloud;
  const simulator = await startSimulator({ scenario, clock: systemClock(100), log: silent, kubeconfig });
  simulators.push(simulator);
  return simulator;
}

function send({ cloud }: Simulator, operation: string, parameters: Record<string, string>) {
  const { result, call } = performEc2(cloud, { name: 'operator' }, [
    ['Action', operation],
    ...Object.entries(parameters),
  ]);
  if ('error' in result) throw result.error;
  return call.machines ?? [];
}
const launch = (simulator: Simulator, count: number) =>
  send(simulator, 'RunInstances', {
    MinCount: String(count),
    MaxCount: String(count),
    SubnetId: 'subnet-b',
    'LaunchTemplate.LaunchTemplateId': 'lt-1',
  });

const nodesOf = async (ids: readonly string[]) =>
  (await kube.list(nodes)).items.filter((node) => ids.includes(node.spec?.providerID?.split('/').at(-1) ?? ''));
const ready = (node: Node) => node.status?.conditions?.find(({ type }) => type === 'Ready')?.status;

/** Asks again every 50 ms until `found` is true of the answer; fails after a minute with the last answer. */
async function until<T>(ask: () => Promise<T>, found: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + STEP_LIMIT;
  for (;;) {
    const answer = await ask();
    if (found(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`not within a minute; last: ${JSON.stringify(answer).slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('a machine in Kubernetes', () => {
  it(
    'becomes a Node that KWOK makes Ready, and is silent and gone when it terminates',
    async () => {
      const simulator = await started('10.1.0.0/24', { times: { ...steps, terminate: { median: '5m' } } });
      const [id = ''] = launch(simulator, 1);
      const [node] = await until(
        () => nodesOf([id]),
        ([first]) => first !== undefined && ready(first) === 'True',
      );
      expect(node).toMatchObject({
        metadata: {
          name: 'ip-10-1-0-4.ec2.internal',
          labels: {
            'kubernetes.io/hostname': 'ip-10-1-0-4.ec2.internal',
            'node.kubernetes.io/instance-type': 'm6i.large',
            'topology.kubernetes.io/region': 'us-east-1',
            'topology.kubernetes.io/zone': 'us-east-1b',
          },
          annotations: { 'kwok.x-k8s.io/node': 'fake' },
        },
        spec: { providerID: `aws:///us-east-1b/${id}` },
      });
      expect(node?.status?.allocatable).toMatchObject({ cpu: '1920m', pods: '110' });
      expect(node?.status?.addresses).toContainEqual({ type: 'InternalIP', address: '10.1.0.4' });
      const { ledger } = simulator.cloud;
      await until(
        async () => ledger.machines.get(id),
        (record) => record?.nodeRegistered !== undefined,
      );

      send(simulator, 'TerminateInstances', named([id]));
      const [silenced] = await until(
        () => nodesOf([id]),
        ([first]) => first === undefined || ready(first) === 'False',
      );
      expect(silenced?.metadata.annotations?.['kwok.x-k8s.io/node']).toBeUndefined();
      await until(
        () => nodesOf([id]),
        (left) => left.length === 0,
      );
      const record = await until(
        async () => ledger.machines.get(id),
        (one) => one?.nodeRemoved !== undefined,
      );
      expect(record).toMatchObject({ nodeName: 'ip-10-1-0-4.ec2.internal', terminatedBy: 'operator' });
    },
    3 * STEP_LIMIT,
  );

  it(
    'comes back as a Node when it is stopped and started',
    async () => {
      const simulator = await started('10.2.0.0/24');
      const [id = ''] = launch(simulator, 1);
      const [first] = await until(
        () => nodesOf([id]),
        (found) => found.length === 1,
      );
      send(simulator, 'StopInstances', named([id]));
      await until(
        () => nodesOf([id]),
        (found) => found.length === 0,
      );
      await until(
        async () => simulator.cloud.instances.get(id)?.state.current,
        (state) => state === 'stopped',
      );
      send(simulator, 'StartInstances', named([id]));
      const [second] = await until(
        () => nodesOf([id]),
        (found) => found.length === 1,
      );
      expect(second?.metadata.name).toBe(first?.metadata.name);
      expect(second?.metadata.uid).not.toBe(first?.metadata.uid);
    },
    3 * STEP_LIMIT,
  );

  it(
    'gets its Node although the Node of the last machine with its address is still there',
    async () => {
      const simulator = await started('10.3.0.0/28');
      const stale = {
        metadata: { name: 'ip-10-3-0-4.ec2.internal' },
        spec: { providerID: 'aws:///us-east-1b/i-0aaaa' },
      };
      await kube.create(nodes, stale);
      const [id = ''] = launch(simulator, 1);
      await until(
        async () => simulator.cloud.instances.get(id)?.registered,
        (registered) => registered === true,
      );
      expect(await nodesOf([id])).toEqual([]);
      // The controller manager may change it at any time; delete what is there now, again until it is gone.
      await until(
        async () => {
          const there = (await kube.list(nodes)).items.find(({ spec }) => spec?.providerID?.endsWith('i-0aaaa'));
          if (there) await deleteObject(kube, nodes, there.metadata).catch(() => {});
          return there;
        },
        (there) => there === undefined,
      );
      await until(
        () => nodesOf([id]),
        (found) => found.length === 1,
      );
    },
    3 * STEP_LIMIT,
  );

  it(
    'is no Node of an earlier simulator, whose Nodes are removed; those of other clouds stay',
    async () => {
      const before = await started('10.4.0.0/24');
      const other = await started('10.5.0.0/24');
      const left = launch(before, 3);
      const kept = launch(other, 2);
      await until(
        () => nodesOf([...left, ...kept]),
        (found) => found.length === 5,
      );
      await before.stop();
      await started('10.4.0.0/24');
      await until(
        () => nodesOf(left),
        (found) => found.length === 0,
      );
      expect(await nodesOf(kept)).toHaveLength(2);
    },
    3 * STEP_LIMIT,
  );

  it('comes and goes beside a hundred others', async () => {
    const simulator = await started('10.8.0.0/22');
    const ids = launch(simulator, 100);
    await until(
      () => nodesOf(ids),
      (found) => found.length === 100 && found.every((node) => ready(node) === 'True'),
    );
    send(simulator, 'TerminateInstances', named(ids));
    await until(
      () => nodesOf(ids),
      (found) => found.length === 0,
    );
    const records = [...simulator.cloud.ledger.machines.values()];
    await until(
      async () => records.filter(({ nodeRemoved }) => nodeRemoved !== undefined).length,
      (removed) => removed === 100,
    );
  }, 300_000);
});

const steps = {
  boot: { median: '10s' },
  registration: { median: '10s' },
  stop: { median: '10s' },
  terminate: { median: '10s' },
  consistency: '0s',
};
