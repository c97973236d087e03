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
const staticPolicy = () => join(directory, 'static', 'policies.yaml');

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'static-guard-'));
  await mkdir(join(directory, 'static'));
  await copyFile(join(paths.root, 'docs', 'static-guard', 'policies.yaml'), staticPolicy());
  const configuration = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AdmissionConfiguration',
    plugins: [
      {
        name: 'ValidatingAdmissionPolicy',
        configuration: {
          apiVersion: 'apiserver.config.k8s.io/v1',
          kind: 'ValidatingAdmissionPolicyConfiguration',
          staticManifestsDir: join(directory, 'static'),
        },
      },
    ],
  };
  await writeFile(join(directory, 'admission.yaml'), JSON.stringify(configuration));
  controlPlane = await startControlPlane({
    binaries: await ensureBinaries({ log: () => {} }),
    run: { controllerManager: false, scheduler: false, kwok: false },
    apiServerArgs: [
      '--feature-gates=ManifestBasedAdmissionControlConfig=true',
      `--admission-control-config-file=${join(directory, 'admission.yaml')}`,
    ],
  });
  const manifest = await readFile(join(paths.root, 'manifests', 'policies', 'crd.yaml'), 'utf8');
  for (const document of parseAllDocuments(manifest)) {
    const object = document.toJS() as { kind: string };
    const plural = object.kind === 'ValidatingAdmissionPolicy' ? 'validatingadmissionpolicies' : `${object.kind}s`;
    const { status } = await callApi(controlPlane, 'admin', 'POST', `${group}/${plural.toLowerCase()}`, {
      body: object,
    });
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
  ])('does not delete a %s', async (kind, path) => {
    const answer = await callApi(controlPlane, 'admin', 'DELETE', path);
    expect(answer.status).toBe(403);
    expect(messageOf(answer)).toContain(
      `denied request: ${kind} generations-guard-crd cannot be deleted: it guards the live generations of this cluster. To uninstall`,
    );
    expect(await callApi(controlPlane, 'admin', 'GET', path)).toMatchObject({ status: 200 });
  });

  it('does not delete all of them', async () => {
    const answer = await callApi(controlPlane, 'admin', 'DELETE', `${group}/validatingadmissionpolicies`);
    expect(answer.status).toBe(403);
  });

  it.each([
    ['a failure policy that lets pass', policy, { spec: { failurePolicy: 'Ignore' } }],
    ['no rules', policy, { spec: { validations: [{ expression: 'true' }] } }],
    ['a binding that only warns', binding, { spec: { validationActions: ['Warn'] } }],
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
