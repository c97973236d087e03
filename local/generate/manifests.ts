import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { runCommand } from '../command.ts';

/** The image's name in the manifests: what a kustomization's `images` replaces. */
const placeholderImage = 'cluster-generations';

/** Rendering must not depend on a cluster; what is tested against is said here. */
const kubernetesVersion = '1.36.3';

/** Everything is installed here; the policies know the operator by it. */
const namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'generations-system', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
};

/** Writes `manifests/`, what Helm renders from the chart with its default values, for `kubectl apply -k`. */
export async function writeManifests(root: string, helm: string): Promise<void> {
  const folder = join(root, 'manifests');
  const files = manifestFiles(await render(helm, join(root, 'charts', 'cluster-generations')));
  await rm(folder, { recursive: true, force: true });
  for (const [file, text] of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
}

async function render(helm: string, chart: string): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'helm-'));
  try {
    const { status, stdout, stderr } = await runCommand(
      helm,
      [
        ...['template', 'cluster-generations', chart, '--namespace', namespace.metadata.name],
        ...['--set', `image=${placeholderImage}`, '--kube-version', kubernetesVersion],
      ],
      // A person's own Helm settings must not matter.
      { env: { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home } },
    );
    if (status !== 0) throw new Error(`Helm could not render ${chart}: ${stderr.trim()}`);
    return stdout;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/**
 * Splits what `helm template` prints into one file per template, and adds the namespace and the kustomization that lists them.
 *
 * @returns file name below manifests/ -> text, sorted
 */
export function manifestFiles(rendered: string): Map<string, string> {
  const documents = new Map<string, string[]>([['namespace.yaml', [stringify(namespace)]]]);
  for (const document of rendered.split(/^---\n/m)) {
    const source = /^# Source: [^/]+\/templates\/(\S+)\n/m.exec(document);
    if (source?.[1] === undefined) continue;
    const text = document.replace(source[0], '').trim();
    documents.set(source[1], [...(documents.get(source[1]) ?? []), `${text}\n`]);
  }
  const names = [...documents.keys()].sort();
  const header = '# Rendered from charts/cluster-generations by make generate; do not edit.\n';
  const files = new Map(names.map((name) => [name, header + (documents.get(name) ?? []).join('---\n')]));
  const others = names.filter((name) => name !== 'namespace.yaml');
  return files.set('kustomization.yaml', kustomization(['namespace.yaml', ...others]));
}

function kustomization(resources: string[]): string {
  const comment = [
    '# Rendered from charts/cluster-generations by make generate; do not edit. Name the image in a kustomization of your own:',
    '#   resources: [<this folder>]',
    `#   images: [{name: ${placeholderImage}, newName: registry.example.com/cluster-generations, newTag: 0.1.0}]`,
  ];
  const object = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources };
  return `${comment.join('\n')}\n${stringify(object)}`;
}
