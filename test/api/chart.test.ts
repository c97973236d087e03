import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { ensureBinaries } from '../../local/binaries/build.ts';
import { installChart } from '../../local/chart.ts';
import { type CommandResult, runCommand } from '../../local/command.ts';
import { startControlPlane } from '../../local/control-plane.ts';
import { paths } from '../../local/paths.ts';
import { type TestControlPlane, testControlPlane } from '../../local/testing.ts';

let controlPlane: TestControlPlane;
let stop: () => Promise<void>;
let folder: string;

beforeAll(async () => {
  const binaries = await ensureBinaries({ log: () => {} });
  const started = await startControlPlane({ binaries, run: { scheduler: false, kwok: false } });
  controlPlane = testControlPlane(started);
  stop = started.stop;
  folder = await mkdtemp(join(tmpdir(), 'chart-'));
  await install();
}, 120_000);

afterAll(async () => {
  await stop?.();
  if (folder) await rm(folder, { recursive: true });
});

/** With the webhook as it is by default, at its Service: the manifests have it so. */
const install = (values: Record<string, string> = {}) =>
  installChart(controlPlane, { values: { 'guard.webhook.url': '', ...values } });

const namespace = ['--namespace', 'generations-system'];

function helm(...args: string[]): Promise<CommandResult> {
  const home = join(folder, 'helm');
  return runCommand(controlPlane.programs.helm, args, {
    env: {
      KUBECONFIG: controlPlane.kubeconfigs.admin,
      HELM_CACHE_HOME: home,
      HELM_CONFIG_HOME: home,
      HELM_DATA_HOME: home,
    },
  });
}

/** Renders for the cluster at hand, as an installation would. */
const render = (...args: string[]) =>
  helm('template', 'cluster-generations', paths.chart, '--validate', '--is-upgrade', ...args);

const get = async (path: string): Promise<unknown> => (await controlPlane.call('admin', 'GET', path)).body;

const deploymentPath = '/apis/apps/v1/namespaces/generations-system/deployments/generations-operator';
const crdsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

async function crdNames(): Promise<string[]> {
  const { items } = (await get(crdsPath)) as { items: { metadata: { name: string } }[] };
  return items.map(({ metadata }) => metadata.name).sort();
}

const ours = ['clustergenerations', 'cutovers', 'generationclasses', 'generationpools', 'platforms'].map(
  (plural) => `${plural}.generations.dev`,
);

describe('the chart', () => {
  it('installs the five kinds, and the operator at no replicas', async () => {
    expect(await crdNames()).toEqual(ours);
    expect(await get(deploymentPath)).toMatchObject({ spec: { replicas: 0 } });
  });

  it('is upgraded: the operator, and the kinds too', async () => {
    const cutovers = `${crdsPath}/cutovers.generations.dev`;
    const older = { spec: { names: { shortNames: ['older'] } } };
    const contentType = 'application/merge-patch+json';
    expect(await controlPlane.call('admin', 'PATCH', cutovers, { body: older, contentType })).toMatchObject({
      status: 200,
    });
    await install({ logLevel: 'debug' });
    expect(await get(cutovers)).toMatchObject({ spec: { names: { shortNames: ['cut'] } } });
    const args = expect.arrayContaining(['--log-level=debug']);
    expect(await get(deploymentPath)).toMatchObject({ spec: { template: { spec: { containers: [{ args }] } } } });
  });

  it.each([
    [
      'without an image',
      [...namespace],
      "image is required: name the operator's image, for example --set image=registry.example.com/cluster-generations:0.1.0",
    ],
    [
      'in another namespace',
      ['--namespace', 'default', '--set', 'image=a:b'],
      'cluster-generations is installed in the namespace generations-system, not in default: add --namespace generations-system --create-namespace',
    ],
    [
      'with a value that it does not know',
      [...namespace, '--set', 'image=a:b,replica=1'],
      "additional properties 'replica' not allowed",
    ],
    [
      'with a number that is none',
      [...namespace, '--set', 'image=a:b,replicas=two'],
      "at '/replicas': got string, want integer",
    ],
    [
      'with an unknown log level',
      [...namespace, '--set', 'image=a:b,logLevel=loud'],
      "at '/logLevel': value must be one of",
    ],
  ])('is refused %s', async (_what, args, message) => {
    const { status, stderr } = await helm('install', 'another', paths.chart, '--dry-run=server', ...args);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });

  it('runs two replicas by default, as pods that the strictest pod security takes', async () => {
    const rendered = await render(
      ...namespace,
      '--set',
      'image=registry.example.com/cluster-generations:0.1.0',
      '--show-only',
      'templates/deployment.yaml',
    );
    expect(rendered).toMatchObject({ status: 0 });
    const dryRun = await controlPlane.kubectl(
      'admin',
      ['apply', '--dry-run=server', '-o', 'json', '-f', '-'],
      rendered.stdout,
    );
    expect(dryRun).toMatchObject({ status: 0 });
    const { spec } = JSON.parse(dryRun.stdout);
    expect(spec.replicas).toBe(2);
    expect(spec.template.spec.containers[0]).toMatchObject({
      image: 'registry.example.com/cluster-generations:0.1.0',
      command: ['node', '--max-semi-space-size=1', 'dist/main.js'],
    });

    const strict = await controlPlane.kubectl('admin', [
      'label',
      'namespace',
      'generations-system',
      'pod-security.kubernetes.io/enforce=restricted',
    ]);
    expect(strict.status).toBe(0);
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'operator' }, spec: spec.template.spec };
    const answer = await controlPlane.call('admin', 'POST', '/api/v1/namespaces/generations-system/pods?dryRun=All', {
      body: pod,
    });
    expect(answer).toMatchObject({ status: 201, body: { spec: { priority: 2_000_000_000 } } });
  });

  it('leaves the kinds, and so every object, when it is uninstalled', async () => {
    expect(await helm('uninstall', 'cluster-generations', ...namespace, '--wait', '--timeout', '60s')).toMatchObject({
      status: 0,
    });
    expect(await crdNames()).toEqual(ours);
    const policies = (await get('/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies')) as {
      items: [];
    };
    expect(policies.items).toEqual([]);
    await install();
  }, 120_000);
});

describe('the manifests', () => {
  it('are taken by kubectl apply -k', async () => {
    const { status, stdout, stderr } = await controlPlane.kubectl('admin', [
      'apply',
      '--dry-run=server',
      '-k',
      join(paths.root, 'manifests'),
    ]);
    expect({ status, errors: stderr.split('\n').filter((line) => line.startsWith('Error')) }).toEqual({
      status: 0,
      errors: [],
    });
    expect(stdout).toContain('deployment.apps/generations-operator');
    expect(stdout.match(/validatingadmissionpolicy\.[^ ]+\/generations-guard-/g)).toHaveLength(18);
    for (const name of ['placement', 'workloads'])
      expect(stdout).toContain(`mutatingadmissionpolicy.admissionregistration.k8s.io/generations-${name}`);
  });

  it('are what the chart installs', async () => {
    const { stdout } = await controlPlane.kubectl('admin', ['kustomize', join(paths.root, 'manifests')]);
    const rendered = await render(...namespace, '--set', 'image=cluster-generations');
    const names = (text: string) =>
      parseAllDocuments(text)
        .map((document) => document.toJS())
        .filter((object) => object !== null && object.kind !== 'Namespace')
        .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
        .sort();
    expect(names(stdout)).toEqual(names(rendered.stdout));
  });

  it('take the image from a kustomization', async () => {
    const kustomization = {
      resources: [relative(folder, join(paths.root, 'manifests'))],
      images: [{ name: 'cluster-generations', newName: 'registry.example.com/cg', newTag: '1' }],
    };
    await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
    const { stdout } = await controlPlane.kubectl('admin', ['kustomize', folder]);
    expect(stdout).toContain('image: registry.example.com/cg:1\n');
  });
});
