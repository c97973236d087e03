import { readFileSync } from 'node:fs';
import { runSimulation } from '@cloud-copilot/iam-simulate';

/**
 * Asks a simulator of IAM that nobody here wrote whether a role may do something under the policies of docs/iam. In go
 * an act and a machine; out comes whether AWS would allow it, the account's guard and the role's own policy together.
 */

export const ACCOUNT = '111122223333';

export type Policy = { Version: string; Statement: Record<string, unknown>[] };

export const policy = (name: string): Policy => JSON.parse(readFileSync(`docs/iam/${name}.json`, 'utf8')) as Policy;

const everything = (action: string): Policy => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }],
});

export const ROLES = {
  operator: policy('operator'),
  lifter: policy('lifter'),
  terminator: policy('terminator'),
  /** Can do everything that nothing forbids. */
  admin: everything('*'),
  developer: everything('ec2:*'),
} as const;

export type Role = keyof typeof ROLES;

const NAMES: Record<Role, string> = {
  operator: 'generations-operator',
  lifter: 'generations-lifter',
  terminator: 'generations-terminator',
  admin: 'Administrator',
  developer: 'Developer',
};

export interface Act {
  /** `ec2:TerminateInstances` */
  action: string;
  /** `instance/i-1`, or a whole ARN. */
  resource: string;
  /** Condition keys of the request beside the resource's tags. */
  context?: Record<string, string | string[]>;
  /** Tags that the resource has. */
  tags?: Record<string, string>;
}

export const OURS = { 'generations.dev/cluster': 'CLUSTER-UID', 'generations.dev/platform': 'us' };

export interface Verdict {
  allowed: boolean;
  /** Condition keys of the act that AWS does not know for it: a rule that rests on one would never hold. */
  unknown: string[];
}

/** `extra`: policies attached to the role beside its own. `guard`: undefined leaves the account without one. */
export async function ask(
  role: Role,
  act: Act,
  options: { guard?: Policy | undefined; extra?: Policy[] } = { guard: policy('guard') },
): Promise<Verdict> {
  const { guard, extra = [] } = options;
  const tags = Object.entries(act.tags ?? {}).map(([key, value]) => [`aws:ResourceTag/${key}`, value]);
  const resource =
    act.resource.startsWith('arn:') || act.resource === '*'
      ? act.resource
      : `arn:aws:ec2:us-east-1:${ACCOUNT}:${act.resource}`;
  const result = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT}:role/${NAMES[role]}`,
        action: act.action,
        resource: { resource, accountId: ACCOUNT },
        contextVariables: {
          'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:role/${NAMES[role]}`,
          'ec2:Region': 'us-east-1',
          ...Object.fromEntries(tags),
          ...act.context,
        },
      },
      identityPolicies: [ROLES[role], ...extra].map((one, index) => ({ name: `${role}-${index}`, policy: one })),
      serviceControlPolicies: [
        {
          orgIdentifier: 'o-1',
          policies: [
            { name: 'everything', policy: everything('*') },
            ...(guard ? [{ name: 'guard', policy: guard }] : []),
          ],
        },
      ],
      resourceControlPolicies: [],
    },
    {},
  );
  if (result.resultType === 'error') throw new Error(`${act.action}: ${JSON.stringify(result.errors)}`);
  if (result.resultType !== 'single') throw new Error(`${act.action} on ${resource}: more than one resource`);
  return { allowed: result.overallResult === 'Allowed', unknown: result.result.ignoredContextKeys ?? [] };
}
