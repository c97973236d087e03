import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { LABEL } from '../../../src/api/v1alpha1/index.ts';
import { clusterGenerations, cutovers, platforms } from '../../../src/kinds.ts';
import { connect } from '../../../src/kube/client.ts';
import type { KubeObject, Resource } from '../../../src/kube/resource.ts';
import { services } from '../../../src/kube/resources.ts';
import { MANAGER } from '../../../src/traffic/objections.ts';
import { startInstallation } from '../../sweep/installation.ts';
import { judge } from '../../sweep/judge.ts';
import { observe } from '../../sweep/observer.ts';
import type { Passed } from '../../sweep/proxy.ts';
import { bareCalls, makeCalls, twinOf } from './bare.ts';
import { clients } from './clients.ts';
import { leastOf, type Results, report, type Sample, windowOf, within } from './report.ts';
import { benchScenario, cutOver, MACHINES, NAMESPACE, openSite, SITE, stage, TARGETS, targets } from './site.ts';

/**
 * `make bench-cutover`: how long a cutover of 200 machines and 20 Services takes beside the calls that it is made of, and whether anybody
 * notices: a client for each Service looks every 10 ms. Prints figures and whether the targets are met; a noisy machine is no reason to fail.
 */

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    cutovers: { type: 'string', default: '3' },
    tree: { type: 'string' },
  },
});
const scale = Number(values.scale);
const rounds = Number(values.cutovers);
/** Longest real ms until 200 machines are there. */
const STAGING = 300_000;
/** As the operator applies it. */
const labels = { [LABEL.traffic]: 'true' };
/** Bare calls under way at once. */
const PARALLEL = 20;

const say = (line: string) => console.error(line);
const passed: Passed[] = [];
const installation = await startInstallation({
  scenario: benchScenario(),
  timeScale: scale,
  passed: (request) => passed.push(request),
  ...(values.tree && { tree: values.tree }),
  log: say,
});
try {
  const { admin, environment, operator, proxy } = installation;
  const users = clients(targets);
  const judged = judge();
  const observer = await observe(environment.controlPlane, users.take);
  await openSite(installation);
  say(`staging two generations of ${MACHINES} machines`);
  await stage(installation, 'a', STAGING);
  await cutOver(installation, 'first', '', 'a', false);
  await stage(installation, 'b', STAGING);
  const problems = new Set<string>();
  const replay = async () => {
    for (const revision of await observer.revisions())
      for (const problem of judged.take(revision)) problems.add(problem);
  };
  await replay();
  users.start();

  const samples: Sample[] = [];
  for (let round = 1; round <= rounds; round++) {
    await sleep(3_000);
    const [from, to] = round % 2 === 1 ? ['a', 'b'] : ['b', 'a'];
    const first = passed.length;
    const name = `round-${round}`;
    const cutover = await cutOver(installation, name, from as string, to as string, round > 1);
    const window = windowOf(cutover);
    samples.push({ cutover, window, passed: within(window, passed.slice(first)) });
    say(`cutover ${round} of ${rounds}: ${window.until - window.from} ms`);
  }
  await sleep(1_000);
  users.stop();
  await replay();
  await observer.stop();
  const gone = (await installation.ledger()).machines.filter(({ terminated, stopped }) => terminated ?? stopped);
  for (const { id } of gone) problems.add(`machine ${id} was ended`);
  await operator.stop();

  // Without the operator: twins are nobody's, and nothing else is asked for meanwhile.
  const make = (kind: Resource<KubeObject>, object: object) => admin.create(kind, object as never);
  const platform = await admin.get(platforms, SITE);
  await make(platforms as Resource<KubeObject>, { metadata: { name: twinOf(SITE) }, spec: platform.spec });
  for (const name of ['a', 'b']) {
    const { spec } = await admin.get(clusterGenerations, name);
    const twin = { metadata: { name: twinOf(name) }, spec: { ...spec, platform: twinOf(SITE) } };
    await make(clusterGenerations as Resource<KubeObject>, twin);
  }
  for (const { cutover } of samples) {
    const spec = { ...cutover.spec, platform: twinOf(SITE) };
    await make(cutovers as Resource<KubeObject>, { metadata: { name: twinOf(cutover.metadata.name) }, spec });
  }
  for (const name of targets)
    await make(services, { metadata: { name: twinOf(name), namespace: NAMESPACE }, spec: { ports: [{ port: 80 }] } });

  const asOperator = await connect({ name: 'bench', kubeconfig: operator.kubeconfig });
  const servers = { kubernetes: proxy.apiServer, cloud: proxy.cloud };
  const results: Results = {
    samples,
    all: [],
    allParallel: [],
    least: [],
    leastParallel: [],
    looks: users.looks(),
    problems: [...problems],
  };
  for (const sample of samples) {
    const all = bareCalls(sample.passed);
    const least = bareCalls(leastOf(sample.passed));
    for (const [calls, parallel, into] of [
      [all, 1, results.all],
      [least, 1, results.least],
      [all, PARALLEL, results.allParallel],
      [least, PARALLEL, results.leastParallel],
    ] as const) {
      await pointElsewhere();
      into.push(await makeCalls(calls, servers, parallel));
    }
  }
  const { text, met } = report(results, { machines: MACHINES, targets: TARGETS, scale });
  await asOperator.transport.close();
  console.log(text);
  process.exitCode = met ? 0 : 1;

  /** So that the twins have somewhere to be pointed away from. */
  async function pointElsewhere(): Promise<void> {
    for (const name of targets) {
      const selector = { app: 'elsewhere' };
      const body = { metadata: { name: twinOf(name), namespace: NAMESPACE, labels }, spec: { selector } };
      const as = { type: 'apply', namespace: NAMESPACE, fieldManager: MANAGER } as const;
      await asOperator.patch(services, twinOf(name), body, as);
    }
  }
} finally {
  await installation.stop();
}
