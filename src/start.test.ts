import { describe, expect, it } from '@jest/globals';
import { anApiServer, EPOCH, refusal } from '../test/builders/index.ts';
import { namespaces } from './kube/resources.ts';
import { checkCluster, StartError } from './start.ts';

function check(fails?: { plural: string; status: number; reason: string }) {
  const server = anApiServer(() => EPOCH);
  server.seed(namespaces, { metadata: { name: 'kube-system', uid: 'uid-kube-system', creationTimestamp: '' } });
  const client = server.client({
    before: ({ resource }) => {
      if (resource.plural === fails?.plural) throw refusal(fails.status, fails.reason, 'what the server said');
    },
  });
  return { result: checkCluster(client), server };
}

describe('at the start', () => {
  it('a cluster that can be read is known by its kube-system namespace', async () => {
    const { result, server } = check();
    expect(await result).toBe('uid-kube-system');
    expect(server.requests).toEqual([
      'GET namespaces kube-system',
      'GET generationclasses',
      'GET platforms',
      'GET clustergenerations',
      'GET generationpools',
      'GET cutovers',
      'GET nodes',
      'GET namespaces',
      'GET deployments',
      'GET statefulsets',
      'GET daemonsets',
      'GET replicasets',
    ]);
  });

  it.each<[string, number, string, string]>([
    ['namespaces', 0, 'Unreachable', 'the API server does not answer: check the address in $KUBECONFIG'],
    ['namespaces', 401, 'Unauthorized', 'the API server refuses the credentials in $KUBECONFIG: renew them'],
    [
      'namespaces',
      403,
      'Forbidden',
      'no permission to read namespace kube-system: install the RBAC of the chart cluster-generations',
    ],
    ['nodes', 403, 'Forbidden', 'no permission to read nodes: install the RBAC of the chart cluster-generations'],
    [
      'platforms',
      404,
      'NotFound',
      'the CustomResourceDefinition platforms.generations.dev is not installed: install the chart cluster-generations',
    ],
    [
      'cutovers',
      404,
      'NotFound',
      'the CustomResourceDefinition cutovers.generations.dev is not installed: install the chart cluster-generations',
    ],
    ['nodes', 404, 'NotFound', 'nodes cannot be read'],
    ['generationpools', 500, 'InternalError', 'generationpools cannot be read'],
  ])('of %s, %d %s is explained in one line', async (plural, status, reason, message) => {
    const { result } = check({ plural, status, reason });
    await expect(result).rejects.toBeInstanceOf(StartError);
    await expect(result).rejects.toThrow(`${message} (what the server said)`);
  });
});
