import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Answer } from '../../../local/access.ts';
import {
  type Denial,
  denialOf,
  eventually,
  expectStatus,
  type GuardedCluster,
  type KubeObject,
  pathOf,
  startGuardedCluster,
} from './cluster.ts';
import { aCast, type Cast } from './mutation-cast.ts';
import { type Act, mutations, type Rule } from './mutations.ts';

/**
 * Each rule is taken out of the installed policies, and the act that it stops must then succeed: so the other tests can fail, and no
 * rule is there for show. Where two policies stop an act, each must do so alone.
 */
let cluster: GuardedCluster;
let cast: Cast;
const verdicts = new Map<string, string>();

/** The API server takes up a changed policy within a second or so; that many mutations wait for it side by side. */
const AT_ONCE = 8;

beforeAll(async () => {
  cluster = await startGuardedCluster();
  cast = await aCast(cluster);
  const waiting = lanes();
  const failed = (error: unknown) => (error instanceof Error ? error.message : String(error));
  const work = async () => {
    for (let lane = waiting.shift(); lane !== undefined; lane = waiting.shift())
      for (const [what, act, ...rules] of lane) verdicts.set(what, await needed(act, rules).catch(failed));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}, 420_000);
afterAll(() => cluster?.stop());

/** Mutations that share a rule come one after the other, each lane beside the others. */
function lanes(): (typeof mutations)[] {
  const found: (typeof mutations)[] = [];
  const key = ([policy, message]: Rule) => `${policy} ${message}`;
  for (const mutation of mutations) {
    const [, , ...rules] = mutation;
    const shares = (lane: typeof mutations) =>
      lane.some(([, , ...others]) => others.some((other) => rules.some((rule) => key(rule) === key(other))));
    const joined = [...found.filter(shares).flat(), mutation];
    found.splice(0, found.length, ...found.filter((lane) => !shares(lane)), joined);
  }
  return found;
}

function perform(act: Act): Promise<Answer> {
  const [who, method, object, body, subresource = '', query = 'dryRun=All'] = act(cast);
  const creates = method === 'POST' && subresource === '';
  const path = creates ? pathOf(object).replace(/\/[^/]+$/, '') : pathOf(object);
  const content = creates || method === 'PUT' ? object : body;
  return cluster.call(who, method, `${path}${subresource}?${query}`, content);
}

function isDeniedBy(expected: Denial, answer: Answer): boolean {
  if (answer.status < 300) return false;
  const { policy, text } = denialOf(answer);
  return policy === expected.policy && text === expected.text;
}

const succeeds = async (act: Act) => (await perform(act)).status < 300;

const rulesOf = async (policy: string) => {
  const path = pathOf({ kind: 'ValidatingAdmissionPolicy', metadata: { name: `generations-guard-${policy}` } });
  return { path, object: await expectStatus(200, cluster.call('admin', 'GET', path)) };
};

/** Makes one rule say yes to everything, in the installed policy; returns what restores it. */
async function disable([policy, message]: Rule): Promise<() => Promise<void>> {
  const set = async (expressionOf: (rule: { expression: string }) => string) => {
    let before = '';
    // The API server's own type checker and other mutations write to the policy meanwhile.
    await eventually(`${policy} to be changed`, async () => {
      const { path, object } = await rulesOf(policy);
      const found = object.spec.validations.filter((rule: KubeObject) => rule.messageExpression.includes(message));
      if (found.length !== 1) throw new Error(`${policy} has ${found.length} rules whose message has ${message}`);
      before = found[0].expression;
      found[0].expression = expressionOf(found[0]);
      return (await cluster.call('admin', 'PUT', path, object)).status === 200;
    });
    return before;
  };
  const before = await set(() => 'true');
  return async () => void (await set(() => before));
}

/**
 * Whether an act is refused with all rules, succeeds without those against it, and is refused again by each of them alone, in the same
 * words.
 */
async function needed(act: Act, against: readonly Rule[]): Promise<string> {
  const { text } = denialOf(await perform(act));
  const restore = new Map<Rule, () => Promise<void>>();
  for (const rule of against) restore.set(rule, await disable(rule));
  try {
    await eventually('the act to succeed', () => succeeds(act));
    for (const rule of against) {
      const others = against.filter((other) => other !== rule && !restore.has(other));
      for (const other of others) restore.set(other, await disable(other));
      await restore.get(rule)?.();
      restore.delete(rule);
      await eventually(`${rule[0]} alone to refuse it, saying: ${text}`, async () =>
        isDeniedBy({ policy: rule[0], text }, await perform(act)),
      );
    }
  } finally {
    for (const undo of restore.values()) await undo();
  }
  await eventually('the act to be refused as before', async () => !(await succeeds(act)));
  return 'needed';
}

it.each(mutations)('without the rule against it, anybody can %s', (what) => {
  expect(verdicts.get(what)).toBe('needed');
});

it('every rule of every policy is among them', async () => {
  const policies = [...new Set(mutations.flatMap(([, , ...rules]) => rules.map(([policy]) => policy)))].sort();
  expect(policies).toEqual(POLICIES);
  for (const policy of policies) {
    const named = mutations.flatMap(([, , ...rules]) => rules).filter((rule) => rule[0] === policy);
    const { object } = await rulesOf(policy);
    const unnamed = object.spec.validations.filter(
      ({ messageExpression }: KubeObject) => !named.some(([, message]) => messageExpression.includes(message)),
    );
    expect(unnamed).toEqual([]);
  }
});

const POLICIES = [
  'crd',
  'generation',
  'labelling',
  'labels',
  'listed',
  'machines',
  'marked',
  'namespace',
  'node',
  'placement',
  'platform',
  'pods',
  'pool',
  'singletons',
  'start',
  'state',
  'traffic',
  'workload',
];

it('no policy has a type error', async () => {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
  await eventually(
    'the type checks',
    async () => {
      const { items } = await expectStatus(200, cluster.call('admin', 'GET', path));
      return items.every((policy: KubeObject) => policy.status?.observedGeneration === policy.metadata.generation);
    },
    120_000,
  );
  const { items } = await expectStatus(200, cluster.call('admin', 'GET', path));
  const warnings = items.map(({ metadata, status }: KubeObject) => [
    metadata.name,
    status.typeChecking.expressionWarnings ?? [],
  ]);
  expect(warnings).toEqual(POLICIES.map((name) => [`generations-guard-${name}`, []]));
});
