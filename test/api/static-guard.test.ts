import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { type Answer, callApi } from '../../local/access.ts';
import { ensureBinaries } from '../../local/binaries/build.ts';
import { type ControlPlane, startControlPlane } from '../../local/control-plane.ts';
import { paths } from '../../local/paths.ts';
import { waitFor } from '../../local/wait.ts';

/** docs/static-guard on an API server that reads it from its disk, as its README says. */

let directory: string;
let controlPlane: ControlPlane;

const group = '/apis/admissionregistration.k8s.io/v1';
const policy = `${group}/validatingadmissionpolicies/generations-guard-crd`;
const binding = `${group}/validatingadmissionpolicybindings/generations-guard-crd`;
const mutating = `${group}/mutatingadmissionpolicies/generations-placement`;
const mutatingBinding = `${group}/mutatingadmissionpolicybindings/generations-placement`;
const staticPolicy = () => join(directory, 'static', 'policies.yaml');

interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: object;
}

const manifestsOf = async (file: string): Promise<Manifest[]> =>
  parseAllDocuments(await readFile(join(paths.root, 'manifests', 'policies', file), 'utf8')).map((one) => one.toJS());

/** An API server alone, which reads policies of this kind from a directory. */
async function startReading(kind: 'Validating' | 'Mutating', manifests: string): Promise<ControlPlane> {
  const apiVersion = 'apiserver.config.k8s.io/v1';
  const name = `${kind}AdmissionPolicy`;
  const configuration = { apiVersion, kind: `${name}Configuration`, staticManifestsDir: manifests };
  const file = join(directory, `${kind}.yaml`);
  const plugins = [{ name, configuration }];
  await writeFile(file, JSON.stringify({ apiVersion, kind: 'AdmissionConfiguration', plugins }));
  return startControlPlane({
    binaries: await ensureBinaries({ log: () => {} }),
    run: { controllerManager: false, scheduler: false, kwok: false },
    apiServerArgs: [
      '--feature-gates=ManifestBasedAdmissionControlConfig=true',
      `--admission-control-config-file=${file}`,
    ],
  });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'static-guard-'));
  await mkdir(join(directory, 'static'));
  await copyFile(join(paths.root, 'docs', 'static-guard', 'policies.yaml'), staticPolicy());
  controlPlane = await startReading('Validating', join(directory, 'static'));
  for (const object of [...(await manifestsOf('crd.yaml')), ...(await manifestsOf('placement.yaml'))]) {
    const plural = `${object.kind.toLowerCase()}s`.replace(/ys$/, 'ies');
    const { status } = await callApi(controlPlane, 'admin', 'POST', `${group}/${plural}`, { body: object });
    if (status !== 201) throw new Error(`the API server answered ${status} to the creation of a ${object.kind}`);
  }
}, 120_000);

afterAll(async () => {
  await controlPlane?.stop();
  await rm(directory, { recursive: true, force: true });
});

const patch = (path: string, body: object) =>
  callApi(controlPlane, 'admin', 'PATCH', path, { body, contentType: 'application/merge-patch+json' });
const messageOf = ({ body }: Answer) => (body as { message: string }).message;

describe('with the guard of the guard, a cluster admin', () => {
  it.each([
    ['ValidatingAdmissionPolicy', policy],
    ['ValidatingAdmissionPolicyBinding', binding],
    ['MutatingAdmissionPolicy', mutating],
    ['MutatingAdmissionPolicyBinding', mutatingBinding],
  ])('does not delete a %s', async (kind, path) => {
    const answer = await callApi(controlPlane, 'admin', 'DELETE', path);
    expect(answer.status).toBe(403);
    expect(messageOf(answer)).toContain(
      `denied request: ${kind} ${path.split('/').at(-1)} cannot be deleted: it guards the live generations of this cluster. To uninstall`,
    );
    expect(await callApi(controlPlane, 'admin', 'GET', path)).toMatchObject({ status: 200 });
  });

  it.each(['validatingadmissionpolicies', 'mutatingadmissionpolicies'])('does not delete all %s', async (plural) => {
    const answer = await callApi(controlPlane, 'admin', 'DELETE', `${group}/${plural}`);
    expect(answer.status).toBe(403);
  });

  it.each([
    ['a failure policy that lets pass', policy, { spec: { failurePolicy: 'Ignore' } }],
    ['no rules', policy, { spec: { validations: [{ expression: 'true' }] } }],
    ['a binding that only warns', binding, { spec: { validationActions: ['Warn'] } }],
    ['no mutation', mutating, { spec: { matchConditions: [{ name: 'never', expression: 'false' }] } }],
    [
      'a binding for some Platforms',
      mutatingBinding,
      { spec: { paramRef: { selector: { matchLabels: { a: 'b' } } } } },
    ],
  ])('does not give it %s', async (_, path, body) => {
    const answer = await patch(path, body);
    expect(answer.status).toBe(403);
    expect(messageOf(answer)).toContain('cannot be changed');
  });

  it('labels them as before, and does as before with policies of others', async () => {
    expect(await patch(policy, { metadata: { labels: { team: 'platform' } } })).toMatchObject({ status: 200 });
    const other = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicyBinding' };
    const body = { ...other, metadata: { name: 'other' }, spec: { policyName: 'other', validationActions: ['Deny'] } };
    const path = `${group}/validatingadmissionpolicybindings`;
    expect(await callApi(controlPlane, 'admin', 'POST', path, { body })).toMatchObject({ status: 201 });
    expect(await callApi(controlPlane, 'admin', 'DELETE', `${path}/other`)).toMatchObject({ status: 200 });
  });
});

it('lets them go again when its file is taken away, without a restart', async () => {
  await rm(staticPolicy());
  const gone = await waitFor('the policy to be deletable', { limitMs: 90_000 }, async () => {
    const { status } = await callApi(controlPlane, 'admin', 'DELETE', policy);
    return status === 403 ? undefined : status;
  });
  expect(gone).toBe(200);
}, 100_000);

it('cannot hold the policy that gates pods: an API server takes none with parameters from its disk', async () => {
  const manifests = join(directory, 'mutating');
  await mkdir(manifests);
  const [gates] = (await manifestsOf('placement.yaml')).filter(({ kind }) => kind === 'MutatingAdmissionPolicy');
  const name = 'generations-placement.static.k8s.io';
  await writeFile(join(manifests, 'placement.yaml'), JSON.stringify({ ...gates, metadata: { name } }));
  await expect(startReading('Mutating', manifests)).rejects.toThrow('spec.paramKind is not supported');
}, 60_000);
