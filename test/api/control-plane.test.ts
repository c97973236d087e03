import { describe, expect, it } from '@jest/globals';
import { managedNodeAnnotation } from '../../local/kwok-config.ts';
import { uniqueName, useControlPlane } from '../../local/testing.ts';
import { waitFor } from '../../local/wait.ts';

interface Node {
  metadata: { name: string; annotations?: Record<string, string> };
  status: { conditions?: Array<{ type: string; status: string; reason?: string }> };
}

const controlPlane = useControlPlane();

function aNode(name: string) {
  const { key, value } = managedNodeAnnotation;
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, annotations: { [key]: value } } };
}

async function ready(name: string): Promise<string | undefined> {
  const { body } = await controlPlane.call('admin', 'GET', `/api/v1/nodes/${name}`);
  return (body as Node).status.conditions?.find(({ type }) => type === 'Ready')?.status;
}

const whenReadyIs = (name: string, status: string) =>
  waitFor(`node ${name} to be Ready=${status}`, { limitMs: 20_000 }, async () =>
    (await ready(name)) === status ? true : undefined,
  );

describe('the local control plane', () => {
  it('calls itself by the version that is pinned', async () => {
    const { body } = await controlPlane.call('alice', 'GET', '/version');
    expect(body).toMatchObject({ major: '1', minor: '36', gitVersion: 'v1.36.3' });
  });

  it('knows who is who', async () => {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const { body } = await controlPlane.call('bob', 'POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      body: review,
    });
    expect(body).toMatchObject({
      status: { userInfo: { username: 'bob@example.com', groups: ['generations:operators', 'system:authenticated'] } },
    });
  });

  it('refuses a person what nobody granted', async () => {
    const { status, body } = await controlPlane.call('bob', 'GET', '/api/v1/namespaces/default/secrets');
    expect(status).toBe(403);
    expect(body).toMatchObject({
      reason: 'Forbidden',
      message: expect.stringContaining('User "bob@example.com" cannot list resource "secrets"'),
    });
  });

  it('refuses the cloud what is not about nodes', async () => {
    const { status } = await controlPlane.call('cloud', 'GET', '/api/v1/namespaces/default/secrets');
    expect(status).toBe(403);
  });

  it('refuses a stranger', async () => {
    const nobody = { ...controlPlane.tokens, bob: 'not-a-token' };
    const { callApi } = await import('../../local/access.ts');
    expect((await callApi({ ...controlPlane, tokens: nobody }, 'bob', 'GET', '/api')).status).toBe(401);
  });

  it('has kubeconfigs that the real kubectl can use, certificate and all', async () => {
    const { status, stdout, stderr } = await controlPlane.kubectl('admin', [
      'get',
      'namespace',
      'default',
      '-o',
      'name',
    ]);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'namespace/default\n', stderr: '' });
  });

  it('makes a Node Ready that the cloud registers, and lets go of it when the annotation goes', async () => {
    const name = uniqueName('node');
    const path = `/api/v1/nodes/${name}`;
    const patch = (what: string, body: object) =>
      controlPlane.call('cloud', 'PATCH', path + what, { body, contentType: 'application/strategic-merge-patch+json' });

    expect((await controlPlane.call('cloud', 'POST', '/api/v1/nodes', { body: aNode(name) })).status).toBe(201);
    await whenReadyIs(name, 'True');

    // As long as KWOK plays this node's kubelet, a NotReady of somebody else's does not last.
    const notReady = { status: { conditions: [{ type: 'Ready', status: 'False', reason: 'Shutdown' }] } };
    expect((await patch('/status', notReady)).status).toBe(200);
    await whenReadyIs(name, 'True');

    expect((await patch('', { metadata: { annotations: { [managedNodeAnnotation.key]: null } } })).status).toBe(200);
    expect((await patch('/status', notReady)).status).toBe(200);
    // A second node, registered later and Ready, shows that KWOK has seen everything before it.
    const later = uniqueName('node');
    await controlPlane.call('cloud', 'POST', '/api/v1/nodes', { body: aNode(later) });
    await whenReadyIs(later, 'True');
    expect(await ready(name)).toBe('False');

    expect((await controlPlane.call('cloud', 'DELETE', path)).status).toBe(200);
    expect((await controlPlane.call('cloud', 'DELETE', `/api/v1/nodes/${later}`)).status).toBe(200);
  }, 60_000);
});
