import { identities } from './identities.ts';

type Rule = { apiGroups: string[]; resources: string[]; verbs: string[] };

const rolesApi = 'rbac.authorization.k8s.io';
const eventsRule: Rule = {
  apiGroups: ['', 'events.k8s.io'],
  resources: ['events'],
  verbs: ['create', 'patch', 'update'],
};

/** What the simulated cloud may do: it plays the kubelet's registration and the cloud controller manager. */
const cloudRules: Rule[] = [
  { apiGroups: [''], resources: ['nodes'], verbs: ['create', 'get', 'list', 'watch', 'update', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['nodes/status'], verbs: ['get', 'update', 'patch'] },
  { apiGroups: [''], resources: ['namespaces'], verbs: ['get'] },
  eventsRule,
];

/** What KWOK needs to play kubelets: no more than the status of nodes, and pods' status and their end. */
const kwokRules: Rule[] = [
  { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'update', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['nodes/status', 'pods/status'], verbs: ['update', 'patch'] },
  eventsRule,
];

/** The rights of the two programs outside Kubernetes that a fresh API server knows nothing of; the URL path and the object of each. */
export function localRoles(): Array<{ path: string; object: object }> {
  return [
    ...grant('generations-local-cloud', identities.cloud.user, cloudRules),
    ...grant('generations-local-kwok', identities.kwok.user, kwokRules),
  ];
}

function grant(name: string, user: string, rules: Rule[]): Array<{ path: string; object: object }> {
  const apiVersion = `${rolesApi}/v1`;
  return [
    {
      path: `/apis/${apiVersion}/clusterroles`,
      object: { apiVersion, kind: 'ClusterRole', metadata: { name }, rules },
    },
    {
      path: `/apis/${apiVersion}/clusterrolebindings`,
      object: {
        apiVersion,
        kind: 'ClusterRoleBinding',
        metadata: { name },
        roleRef: { apiGroup: rolesApi, kind: 'ClusterRole', name },
        subjects: [{ apiGroup: rolesApi, kind: 'User', name: user }],
      },
    },
  ];
}
