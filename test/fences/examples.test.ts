import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { paths } from '../../local/paths.ts';
import { FLUX_SSA } from '../../src/api/v1alpha1/index.ts';

/** The examples are what people put into Git: nothing that users reach is pruned with them, and nothing that people say is taken back. */

type Manifest = {
  kind: string;
  metadata: { name: string; annotations?: Record<string, string> };
  spec: { ignoreDifferences?: { kind: string; jsonPointers: string[] }[]; syncPolicy?: { syncOptions: string[] } };
};

const manifestsOf = (...path: string[]): Manifest[] =>
  parseAllDocuments(readFileSync(join(paths.root, ...path), 'utf8')).map((document) => document.toJS());

const files = readdirSync(join(paths.root, 'docs', 'quickstart')).map(
  (file) => [file, manifestsOf('docs', 'quickstart', file)] as const,
);

const NOT_PRUNED = {
  'kustomize.toolkit.fluxcd.io/prune': 'disabled',
  'argocd.argoproj.io/sync-options': 'Prune=false',
};
/** What may go with its file: the guard refuses it where it would hurt. */
const PRUNED = ['ClusterGeneration', 'Cutover'];

describe.each(files)('the example %s', (_, manifests) => {
  it.each(manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest] as const))(
    'does not let %s be pruned where that would hurt',
    (_name, { kind, metadata: { annotations = {} } }) => {
      if (PRUNED.includes(kind)) expect(Object.keys(annotations).filter((key) => key in NOT_PRUNED)).toEqual([]);
      else expect(annotations).toMatchObject(NOT_PRUNED);
      expect(annotations[FLUX_SSA]).toBe(kind === 'Cutover' ? 'Merge' : undefined);
    },
  );

  it('has generations alone in their file', () => {
    const kinds = new Set(manifests.map(({ kind }) => kind));
    expect(kinds.has('ClusterGeneration') ? [...kinds] : ['ClusterGeneration']).toEqual(['ClusterGeneration']);
  });
});

it('Argo CD leaves to people what is theirs', () => {
  const application = manifestsOf('docs', 'gitops', 'argocd.yaml').find(({ kind }) => kind === 'Application');
  const ignored = application?.spec.ignoreDifferences?.find(({ kind }) => kind === 'Cutover')?.jsonPointers;
  expect(ignored).toEqual(
    expect.arrayContaining(['approvals', 'paused', 'abort', 'retireNow'].map((field) => `/spec/${field}`)),
  );
  expect(application?.spec.syncPolicy?.syncOptions).toEqual(['ServerSideApply=true', 'RespectIgnoreDifferences=true']);
});

it('Flux waits for machines and for no people', () => {
  const waits = manifestsOf('docs', 'gitops', 'flux.yaml').map(
    ({ metadata, spec }) => [metadata.name, (spec as { wait?: boolean }).wait === true] as const,
  );
  expect(Object.fromEntries(waits)).toEqual({ platform: true, generations: true, workloads: false, cutovers: false });
});
