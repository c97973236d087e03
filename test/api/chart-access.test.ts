import { beforeAll, describe, expect, it } from '@jest/globals';
import { runCommand } from '../../local/command.ts';
import { paths } from '../../local/paths.ts';
import { useControlPlane } from '../../local/testing.ts';

/** The chart's RBAC, verb by verb. Only its roles and bindings are applied: no policy and no operator gets into other tests' way. */
const controlPlane = useControlPlane();

beforeAll(async () => {
  const { programs, directory } = controlPlane;
  const roles = ['operator', 'people'].flatMap((file) => ['--show-only', `templates/rbac/${file}.yaml`]);
  const groups = [
    'access.viewers={test:viewers}',
    'access.editors={test:editors}',
    'access.platformEditors={test:platform}',
  ];
  const values = ['image=a:b', ...groups].flatMap((value) => ['--set', value]);
  const args = [
    'template',
    'x',
    paths.chart,
    '--namespace',
    'generations-system',
    '--kube-version',
    '1.36.3',
    ...roles,
    ...values,
  ];
  const home = { HELM_CACHE_HOME: directory, HELM_CONFIG_HOME: directory, HELM_DATA_HOME: directory };
  const rendered = await runCommand(programs.helm, args, { env: home });
  expect(rendered).toMatchObject({ status: 0 });
  const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: generations-system}\n---\n';
  const applied = await controlPlane.kubectl(
    'admin',
    ['apply', '--server-side', '-f', '-'],
    namespace + rendered.stdout,
  );
  expect(applied).toMatchObject({ status: 0 });
}, 60_000);

type Access = [verbs: string, resource: string, namespace?: string];

describe('the chart gives', () => {
  const operator = { user: 'system:serviceaccount:generations-system:generations-operator' };
  const viewer = { user: 'alice@example.com', groups: ['test:viewers'] };
  const editor = { user: 'alice@example.com', groups: ['test:editors'] };
  const platformEditor = { user: 'bob@example.com', groups: ['test:platform'] };
  const anybody = { user: 'alice@example.com', groups: ['system:authenticated'] };

  async function allowed(subject: object, verb: string, [, name, inNamespace]: Access): Promise<boolean> {
    const [resource = '', subresource] = (name.split('.')[0] ?? '').split('/');
    const group = name.split('.').slice(1).join('.');
    const spec = { ...subject, resourceAttributes: { verb, group, resource, subresource, namespace: inNamespace } };
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    const { body } = await controlPlane.call('admin', 'POST', path, { body: review });
    return (body as { status: { allowed: boolean } }).status.allowed;
  }

  async function answers(subject: object, table: Access[]): Promise<string[]> {
    const rows = table.flatMap((access) => access[0].split(' ').map((verb) => ({ verb, access })));
    const results = await Promise.all(
      rows.map(async ({ verb, access }) => ({ verb, access, yes: await allowed(subject, verb, access) })),
    );
    return results.filter(({ yes }) => yes).map(({ verb, access }) => `${verb} ${access[1]}`);
  }

  const everything = (table: Access[]) =>
    table.flatMap(([verbs, resource]) => verbs.split(' ').map((verb) => `${verb} ${resource}`));

  const operatorMay: Access[] = [
    // Its deletions are tried as dry runs; a policy lets it do no more.
    ['get list watch delete', 'generationclasses.generations.dev'],
    ['get list watch delete', 'platforms.generations.dev'],
    ['get list watch update delete', 'clustergenerations.generations.dev'],
    ['get list watch update delete', 'cutovers.generations.dev'],
    ['get list watch create update delete', 'generationpools.generations.dev'],
    ['update', 'platforms/status.generations.dev'],
    ['update', 'clustergenerations/finalizers.generations.dev'],
    ['get list watch patch delete', 'nodes'],
    ['get list watch patch', 'services', 'edge'],
    ['list', 'deployments.apps', 'edge'],
    ['list watch', 'endpointslices.discovery.k8s.io', 'edge'],
    ['get list watch patch delete', 'pods', 'edge'],
    // Tried as a dry run; a policy lets it do no more.
    ['create', 'pods', 'generations-system'],
    ['create', 'pods', 'edge'],
    ['list', 'resourcequotas', 'edge'],
    ['list create patch', 'events.events.k8s.io', 'default'],
    ['get create update', 'leases.coordination.k8s.io', 'generations-system'],
    ['get create', 'secrets', 'generations-system'],
    ['get list watch patch', 'namespaces'],
  ];
  const operatorMayNot: Access[] = [
    ['create update patch deletecollection', 'generationclasses.generations.dev'],
    ['create update patch deletecollection', 'platforms.generations.dev'],
    ['create patch deletecollection', 'cutovers.generations.dev'],
    ['create deletecollection', 'clustergenerations.generations.dev'],
    ['deletecollection', 'generationpools.generations.dev'],
    ['create update deletecollection', 'nodes'],
    ['create update delete deletecollection', 'namespaces'],
    ['create update delete', 'services', 'edge'],
    ['update deletecollection', 'pods', 'edge'],
    ['list watch update delete', 'secrets', 'generations-system'],
    ['get list', 'secrets', 'edge'],
    ['get create update', 'leases.coordination.k8s.io', 'kube-system'],
    ['create update patch delete', 'validatingadmissionpolicies.admissionregistration.k8s.io'],
    ['create update patch delete', 'validatingwebhookconfigurations.admissionregistration.k8s.io'],
    ['create update patch delete', 'validatingadmissionpolicybindings.admissionregistration.k8s.io'],
    ['create update patch delete', 'customresourcedefinitions.apiextensions.k8s.io'],
    ['create update patch delete', 'clusterroles.rbac.authorization.k8s.io'],
    ['impersonate', 'users'],
  ];
  const editorMay: Access[] = [
    ['get list watch', 'platforms.generations.dev'],
    ['get list watch', 'generationpools.generations.dev'],
    ['get list watch create update patch delete', 'clustergenerations.generations.dev'],
    ['get list watch create update patch delete', 'cutovers.generations.dev'],
  ];
  const editorMayNot: Access[] = [
    ['deletecollection', 'clustergenerations.generations.dev'],
    ['deletecollection', 'cutovers.generations.dev'],
    ['update patch', 'clustergenerations/status.generations.dev'],
    ['create update patch delete', 'platforms.generations.dev'],
    ['create update patch delete deletecollection', 'generationpools.generations.dev'],
    ['delete', 'nodes'],
    ['create update patch delete', 'validatingadmissionpolicies.admissionregistration.k8s.io'],
  ];

  it('the operator what it needs', async () => {
    expect(await answers(operator, operatorMay)).toEqual(everything(operatorMay));
  });
  it('the operator nothing else', async () => {
    expect(await answers(operator, operatorMayNot)).toEqual([]);
  });
  it('an editor what they need', async () => {
    expect(await answers(editor, editorMay)).toEqual(everything(editorMay));
  });
  it('an editor nothing else', async () => {
    expect(await answers(editor, editorMayNot)).toEqual([]);
  });
  it('a platform editor Platforms and GenerationClasses as well', async () => {
    const more: Access[] = [
      ...editorMay,
      ['create update patch delete', 'platforms.generations.dev'],
      ['create update patch delete', 'generationclasses.generations.dev'],
    ];
    expect(await answers(platformEditor, more)).toEqual(everything(more));
    const policies: Access = ['update delete', 'validatingadmissionpolicies.admissionregistration.k8s.io'];
    expect(await answers(platformEditor, [['deletecollection', 'platforms.generations.dev'], policies])).toEqual([]);
  });
  it('a viewer nothing but looks', async () => {
    const looks = editorMay.map(([, resource]): Access => ['get list watch', resource]);
    expect(await answers(viewer, looks)).toEqual(everything(looks));
    expect(
      await answers(
        viewer,
        editorMay.map(([, resource]) => ['create update patch delete', resource]),
      ),
    ).toEqual([]);
  });
  it('nobody anything by default', async () => {
    expect(await answers(anybody, [...editorMay, ...operatorMay])).toEqual([]);
  });
});
