import { definitions, GROUP } from './api/v1alpha1/index.ts';
import { clusterGenerations, cutovers, generationClasses, generationPools, platforms } from './kinds.ts';
import type { KubeClient } from './kube/client.ts';
import { isForbidden, isNotFound, isUnauthorized, isUnreachable } from './kube/errors.ts';
import { tryToRead } from './kube/readable.ts';
import type { KubeObject, Resource } from './kube/resource.ts';
import { daemonSets, deployments, namespaces, nodes, replicaSets, statefulSets } from './kube/resources.ts';

/** Something without which starting makes no sense. The message is one line for people. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

const READ: Resource<KubeObject>[] = [
  generationClasses,
  platforms,
  clusterGenerations,
  generationPools,
  cutovers,
  nodes,
  namespaces,
  deployments,
  statefulSets,
  daemonSets,
  replicaSets,
];

/**
 * Finds out, before anything starts, whether the API server answers, takes our credentials, has our kinds and lets us
 * read them. Returns the cluster's identity: the UID of its kube-system namespace. Throws StartError.
 */
export async function checkCluster(client: KubeClient): Promise<string> {
  const { metadata } = await explained('namespace kube-system', () => client.get(namespaces, 'kube-system'));
  for (const resource of READ) await explained(resource.plural, () => tryToRead(client, resource));
  return metadata.uid;
}

async function explained<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new StartError(`${explanation(what, error)} (${message})`, { cause: error });
  }
}

function explanation(what: string, error: unknown): string {
  if (isUnreachable(error)) return 'the API server does not answer: check the address in $KUBECONFIG';
  if (isUnauthorized(error)) return 'the API server refuses the credentials in $KUBECONFIG: renew them';
  if (isForbidden(error)) return `no permission to read ${what}: install the RBAC of the chart cluster-generations`;
  if (isNotFound(error) && definitions.some(({ plural }) => plural === what))
    return `the CustomResourceDefinition ${what}.${GROUP} is not installed: install the chart cluster-generations`;
  return `${what} cannot be read`;
}
