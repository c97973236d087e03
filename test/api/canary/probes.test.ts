import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '../../../local/wait.ts';
import { FAMILIES, type Family } from '../../../src/guard/canary/probe.ts';
import { expectStatus, type GuardedCluster, startGuardedCluster } from '../guard/cluster.ts';
import { aSite } from '../guard/objects.ts';
import { aWatchedSite, aWatcher, holesOf, outcomes, type Watched, type Watcher } from './watched.ts';

/** The canary on a real API server, with the operator's token and the rights that the chart gives it. */

let cluster: GuardedCluster;
let site: Watched;
let watcher: Watcher;

beforeAll(async () => {
  cluster = await startGuardedCluster();
  site = await aWatchedSite(cluster);
  // From here on the operator has the rights of the chart and no more.
  await expectStatus(200, cluster.call('admin', 'PATCH', lendingPath, { subjects: [] }));
  watcher = await aWatcher(cluster);
}, 120_000);
afterAll(() => cluster.stop());

const lendingPath = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/test-rbac-stops-nobody';
/** The mutating policy, beside those that are called by what they guard. */
const GATES = 'the gates of pods';
const admission = '/apis/admissionregistration.k8s.io/v1';
const mutating = `${admission}/mutatingadmissionpolicies/generations-placement`;
const bindingsOf = (what: string) =>
  what === GATES ? `${admission}/mutatingadmissionpolicybindings` : `${admission}/validatingadmissionpolicybindings`;
const bindingOf = (what: string) => `${bindingsOf(what)}/generations-${what === GATES ? 'placement' : `guard-${what}`}`;
const policyOf = (what: string) => `${admission}/validatingadmissionpolicies/generations-guard-${what}`;

const round = (wish: (holes: string[]) => boolean, what: string) =>
  waitFor(what, { limitMs: 20_000, everyMs: 200 }, async () => {
    const found = await watcher.probe(site);
    return found && wish(holesOf(found)) ? found : undefined;
  });

/** Runs `look` while the bindings are missing, and puts them back. */
async function without<T>(bindings: readonly string[], look: () => Promise<T>): Promise<T> {
  const restore: (() => Promise<unknown>)[] = [];
  for (const what of bindings) restore.push(await removed(bindingOf(what)));
  try {
    return await look();
  } finally {
    await restored(restore);
  }
}

/** Deletes an object; returns what puts it back. */
async function removed(path: string): Promise<() => Promise<unknown>> {
  const { metadata, ...rest } = await expectStatus(200, cluster.call('admin', 'GET', path));
  await expectStatus(200, cluster.call('admin', 'DELETE', path));
  const object = { ...rest, metadata: { name: metadata.name, labels: metadata.labels } };
  return () => expectStatus(201, cluster.call('admin', 'POST', path.replace(/\/[^/]+$/, ''), object));
}

/** Changes the spec of an object; returns what makes it as before. */
async function changed(path: string, spec: object): Promise<() => Promise<unknown>> {
  const { spec: before } = await expectStatus(200, cluster.call('admin', 'GET', path));
  const write = (value: object) =>
    expectStatus(
      200,
      cluster.call('admin', 'PATCH', path, [{ op: 'replace', path: '/spec', value }], 'application/json-patch+json'),
    );
  await write({ ...before, ...spec });
  return () => write(before);
}

async function restored(restore: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const one of restore) await one();
  await round((holes) => holes.length === 0, 'the policies to be in force again');
}

/** Which policies may answer first: some acts are refused by two. */
const EXPECTED: Record<Family, RegExp> = {
  'delete-generation': /^generations-guard-(generation|state)$/,
  'delete-pool': /^generations-guard-(generation|pool|machines)$/,
  'delete-platform': /^generations-guard-platform$/,
  'delete-class': /^generations-guard-(generation|pool)$/,
  'delete-cutover': /^generations-guard-state$/,
  'delete-node': /^generations-guard-(node|machines)$/,
  'delete-crd': /^generations-guard-crd$/,
  'strip-finalizer': /^generations-guard-(generation|state)$/,
  'retire-generation': /^generations-guard-(generation|state)$/,
  'take-down-platform': /^generations-guard-platform$/,
  'forge-approval': /^generations-guard-(platform|state)$/,
  'relabel-pool': /^generations-guard-(generation|pool|state)$/,
  'relabel-node': /^generations-guard-labels$/,
  'cordon-node': /^generations-guard-(node|machines)$/,
  'unlabel-namespace': /^generations-guard-namespace$/,
  'unlabel-service': /^generations-guard-traffic$/,
  'delete-workload': /^generations-guard-(listed|workload)$/,
  'empty-workload': /^generations-guard-listed$/,
  'unmark-workload': /^generations-guard-marked$/,
  'create-pod': /^generations-guard-placement$/,
  'bind-pod': /^generations-guard-start$/,
  'ungate-pod': /^generations-placement$/,
  'pin-pod': /^generations-guard-start$/,
  'start-pod': /^generations-guard-start$/,
  'delete-pod': /^generations-guard-pods$/,
};

/** What opens when these bindings are gone: two layers stop most acts, and only both together open them. */
const LAYERS: [bindings: string[], families: Family[]][] = [
  [['platform'], ['delete-platform', 'take-down-platform']],
  [['crd'], ['delete-crd']],
  [['labels'], ['relabel-node']],
  [['namespace'], ['unlabel-namespace']],
  [['traffic'], ['unlabel-service']],
  [['placement'], ['create-pod']],
  [['start'], ['bind-pod', 'pin-pod', 'start-pod']],
  [[GATES], ['ungate-pod']],
  [['pods'], ['delete-pod']],
  [['marked'], ['unmark-workload']],
  [['listed'], ['empty-workload']],
  [
    ['listed', 'workload'],
    ['delete-workload', 'empty-workload'],
  ],
  [['state'], ['delete-cutover', 'relabel-pool']],
  [['generation'], ['delete-class']],
  [
    ['platform', 'state'],
    ['delete-cutover', 'delete-platform', 'forge-approval', 'relabel-pool', 'take-down-platform'],
  ],
  [
    ['node', 'machines'],
    ['cordon-node', 'delete-node'],
  ],
  [
    ['generation', 'state'],
    ['delete-class', 'delete-cutover', 'delete-generation', 'relabel-pool', 'retire-generation', 'strip-finalizer'],
  ],
  [
    ['generation', 'pool', 'machines'],
    ['delete-class', 'delete-pool'],
  ],
];

describe('the canary over a live platform', () => {
  it('sees every family refused by a policy, with the rights of the chart', async () => {
    const found = outcomes(await watcher.probe(site));
    expect(Object.keys(found).toSorted()).toEqual([...FAMILIES].toSorted());
    for (const family of FAMILIES)
      expect([family, found[family]]).toEqual([family, expect.stringMatching(EXPECTED[family])]);
  });

  it('changes nothing', async () => {
    const objects = [
      site.platform,
      site.generation,
      site.pool,
      site.node,
      site.cutover,
      site.namespace,
      site.service,
      site.workload,
      site.marked,
      site.gated,
    ];
    const versions = () =>
      Promise.all([...objects, site.generationClass, crd].map(async (object) => (await cluster.get(object)).metadata));
    const before = await versions();
    const found = await watcher.probe(site);
    expect(found?.results.filter(({ outcome }) => outcome === 'Denied')).toHaveLength(FAMILIES.length);
    expect(await versions()).toEqual(before);
  });

  it.each(LAYERS)('finds the holes of a cluster without the bindings %s', async (bindings, families) => {
    const before = (await cluster.get(site.generation)).metadata;
    const found = await without(bindings, () =>
      round((holes) => families.every((family) => holes.includes(family)), `holes: ${families.join(', ')}`),
    );
    expect(holesOf(found).toSorted()).toEqual([...families].toSorted());
    expect((await cluster.get(site.generation)).metadata).toEqual(before);
  });

  it('finds all of them when all bindings are gone, and still changes nothing', async () => {
    const all = [...new Set(LAYERS.flatMap(([bindings]) => bindings))];
    const objects = [
      site.platform,
      site.generation,
      site.pool,
      site.node,
      site.cutover,
      site.namespace,
      site.service,
      site.workload,
      site.marked,
      site.gated,
    ];
    const versions = () => Promise.all(objects.map(async (object) => (await cluster.get(object)).metadata));
    const before = await versions();
    await without(all, async () => {
      const found = await round((holes) => holes.length === FAMILIES.length, 'a hole of every family');
      expect(holesOf(found)).toEqual([...FAMILIES]);
      expect(await versions()).toEqual(before);
    });
  });

  it.each<[what: string, family: Family, act: () => Promise<() => Promise<unknown>>]>([
    ['whose policy is gone', 'create-pod', () => removed(policyOf('placement'))],
    ['whose policy is gone', 'delete-pod', () => removed(policyOf('pods'))],
    ['whose policy is gone', 'ungate-pod', () => removed(mutating)],
    ['that only audits', 'create-pod', () => changed(bindingOf('placement'), { validationActions: ['Audit'] })],
    ['that only audits', 'start-pod', () => changed(bindingOf('start'), { validationActions: ['Audit'] })],
    ['that only audits', 'delete-pod', () => changed(bindingOf('pods'), { validationActions: ['Audit'] })],
    ['for other Platforms only', 'bind-pod', () => changed(bindingOf('start'), elsewhere)],
    ['for other Platforms only', 'ungate-pod', () => changed(bindingOf(GATES), elsewhere)],
  ])('finds a binding %s by %s', async (_, family, act) => {
    const restore = await act();
    try {
      await round((holes) => holes.includes(family), `the hole ${family}`);
    } finally {
      await restored([restore]);
    }
  });

  it('makes no report of a policy for pods that cannot be evaluated', async () => {
    const restore = await changed(mutating, { paramKind: { apiVersion: 'generations.dev/v1alpha1', kind: 'Unknown' } });
    try {
      await waitFor('a round without an answer', { limitMs: 20_000, everyMs: 200 }, async () =>
        (await watcher.probe(site)) === undefined ? true : undefined,
      );
    } finally {
      await restored([restore]);
    }
  });

  it('finds one rule that is gone from a policy', async () => {
    const { spec } = await expectStatus(200, cluster.call('admin', 'GET', policyOf('crd')));
    const change = (validations: object[]) =>
      expectStatus(200, cluster.call('admin', 'PATCH', policyOf('crd'), { spec: { validations } }));
    await change(spec.validations.slice(1));
    try {
      expect(holesOf(await round((holes) => holes.length > 0, 'a hole'))).toEqual(['delete-crd']);
    } finally {
      await change(spec.validations);
      await round((holes) => holes.length === 0, 'the rule to be in force again');
    }
  });
});

const elsewhere = {
  paramRef: { selector: { matchLabels: { 'example.com/other': '' } }, parameterNotFoundAction: 'Allow' },
};

describe('the canary without something to try', () => {
  it('skips the family, and says why', async () => {
    await expectStatus(200, cluster.call('admin', 'PATCH', lendingPath, { subjects }));
    const idle = await aSite(cluster, 'neverLive');
    await expectStatus(200, cluster.call('admin', 'PATCH', lendingPath, { subjects: [] }));
    const found = outcomes(await watcher.probe(idle));
    expect(found).toMatchObject({
      'delete-crd': 'generations-guard-crd',
      'delete-generation': 'Skipped: no live generation is there',
      'delete-pool': 'Skipped: no live generation is there',
      'delete-platform': 'Skipped: it protects nothing',
      'delete-cutover': 'Skipped: none is under way',
      'cordon-node': 'Skipped: no live generation is there',
      'unlabel-service': 'Skipped: no traffic target has a Service labelled generations.dev/traffic',
      'create-pod': 'generations-guard-placement',
      'bind-pod': 'Skipped: no role is Follow or Singleton',
      'ungate-pod': 'Skipped: no role is Follow or Singleton',
      'pin-pod': 'Skipped: no role is Follow or Singleton',
      'start-pod': 'Skipped: none waits at its gate',
    });
  });

  it('skips what RBAC forbids: that proves nothing', async () => {
    const found = outcomes(await (await aWatcher(cluster, { who: 'alice' })).probe(site));
    expect(found['delete-platform']).toMatch(/^Skipped: refused, but by no policy of ours: .*cannot delete resource/);
    expect(found['delete-crd']).toBe('Skipped: it cannot be read');
    expect(found['cordon-node']).toMatch(/^Skipped/);
    expect(found['create-pod']).toMatch(/^Skipped: refused, but by no policy of ours: .*cannot create resource/);
  });
});

const subjects = [
  {
    kind: 'ServiceAccount',
    namespace: 'generations-system',
    name: 'generations-operator',
  },
];
const crd = {
  kind: 'CustomResourceDefinition',
  metadata: { name: 'clustergenerations.generations.dev' },
};
