import { randomBytes } from 'node:crypto';

/** Groups that the local control plane's people belong to. A chart's RoleBindings can name them. */
export const groups = {
  admins: 'system:masters',
  operators: 'generations:operators',
  gitops: 'generations:gitops',
} as const;

/** Who can talk to the local API server. The first five get a kubeconfig each for people and tests, the rest are its own programs. */
export const identities = {
  admin: { user: 'admin', groups: [groups.admins] },
  alice: { user: 'alice@example.com', groups: [groups.operators] },
  bob: { user: 'bob@example.com', groups: [groups.operators] },
  gitops: { user: 'gitops', groups: [groups.gitops] },
  cloud: { user: 'system:cloud-controller-manager', groups: [] },
  'controller-manager': { user: 'system:kube-controller-manager', groups: [] },
  scheduler: { user: 'system:kube-scheduler', groups: [] },
  kwok: { user: 'system:kwok', groups: [] },
} as const satisfies Record<string, { user: string; groups: ReadonlyArray<string> }>;

export type IdentityName = keyof typeof identities;

export const identityNames = Object.keys(identities) as ReadonlyArray<IdentityName>;

/** A fresh bearer token for everyone: nothing outlives the control plane it was made for. */
export function makeTokens(): Record<IdentityName, string> {
  const entries = identityNames.map((name) => [name, randomBytes(24).toString('hex')]);
  return Object.fromEntries(entries) as Record<IdentityName, string>;
}

/** The API server's static token file: token, user name, user id, groups. */
export function tokenFile(tokens: Record<IdentityName, string>): string {
  const lines = identityNames.map((name) => {
    const { user, groups: memberOf } = identities[name];
    return `${tokens[name]},${user},local-${name},"${memberOf.join(',')}"`;
  });
  return `${lines.join('\n')}\n`;
}
