import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '../../../local/wait.ts';
import { aliveOf } from '../../scenarios/ledger.ts';
import {
  aClass,
  aCutover,
  aGeneration,
  aPlatform,
  aScenario,
  aWorkload,
  edgeNamespace,
  TRAFFIC,
  wwwService,
} from '../../scenarios/objects.ts';
import { condition, has, inStage, startWorld, type World } from '../../scenarios/world.ts';

/** A whole operator whose guard gets a hole: what it says of that, and what it does not do until the hole is closed. */

const SCALE = 20;
/** Real ms of a declared minute. */
const MINUTE = 60_000 / SCALE;

let world: World;

beforeAll(async () => {
  world = await startWorld({ scenario: aScenario(), timeScale: SCALE });
  const labels = { 'generations.dev/protected': 'true' };
  await world.apply('admin', { ...edgeNamespace, metadata: { ...edgeNamespace.metadata, labels } }, wwwService);
  const platform = {
    traffic: TRAFFIC,
    retention: { standby: 'Running', for: '2m' },
    destructiveBudget: { machinesPerMinute: 60 },
  };
  await world.apply('gitops', aClass('local', world.cloud), aPlatform('site', 'local', platform));
}, 120_000);
afterAll(() => world?.stop(), 30_000);

const kubectl = async (...args: string[]): Promise<string> => {
  const { status, stdout, stderr } = await world.kubectl('admin', ...args);
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
};

/** Takes a binding away; returns what puts it back. */
async function unbound(what: string): Promise<() => Promise<void>> {
  const name = `generations-guard-${what}`;
  const binding = JSON.parse(await kubectl('get', 'validatingadmissionpolicybinding', name, '-o', 'json'));
  const { labels } = binding.metadata;
  await kubectl('delete', 'validatingadmissionpolicybinding', name);
  return () => world.apply('admin', { ...binding, metadata: { name, labels } });
}

const effective = (status: 'True' | 'False', reason?: string) =>
  world.until('platforms', 'site', `GuardEffective ${status}`, (platform) => {
    const found = condition(platform, 'GuardEffective');
    return found?.status === status && (reason === undefined || found.reason === reason);
  });

const metric = async (name: string): Promise<string | undefined> => {
  const text = await (await fetch(`${world.operator.metricsUrl}/metrics`)).text();
  return text
    .split('\n')
    .find((line) => line.startsWith(`${name} `))
    ?.slice(name.length + 1);
};

/** Warnings about the guard: of one kind there is one event, with a count. */
async function warnings(): Promise<string[]> {
  const { items } = JSON.parse(await kubectl('get', 'events.events.k8s.io', '-A', '-o', 'json'));
  return items
    .filter(({ reason }: { reason: string }) => reason === 'GuardHole')
    .map(({ note, series }: { note: string; series?: { count: number } }) => `${series?.count ?? 1}: ${note}`);
}

async function staged(name: string): Promise<void> {
  await world.apply(
    'alice',
    aGeneration(name, 'site', { lb: { role: 'load-balancer', machines: 2 }, web: { machines: 2 } }),
  );
  await world.apply('admin', aWorkload('site', name, 2));
  await world.until('clustergenerations', name, 'to be staged', has('Ready', 'True'));
}

const succeeded = (name: string) =>
  world.until('cutovers', name, 'to succeed', ({ status }) => status.outcome === 'Succeeded');

describe('a guard with a hole', () => {
  it('is effective before anything is live, as far as it can be tried', async () => {
    const { status } = await effective('True', 'NothingLive');
    expect(status.guard).toMatchObject({ effective: true });
    expect(status.guard?.probes).toContainEqual({
      target: 'CustomResourceDefinition clustergenerations.generations.dev',
      verb: 'delete',
      outcome: 'Denied',
      policy: 'generations-guard-crd',
    });
    expect(condition({ status }, 'GuardEffective')?.message).toContain(
      'delete ClusterGeneration (no live generation is there)',
    );
  });

  it('is found within a declared minute, once, and lets no cutover begin until it is closed', async () => {
    await staged('ga-1');
    const rebind = await unbound('crd');
    const opened = await waitFor('the API server to let the CRD go', { limitMs: 20_000, everyMs: 20 }, async () => {
      const { status } = await world.kubectl(
        'admin',
        ...['delete', 'crd', 'clustergenerations.generations.dev', '--dry-run=server'],
      );
      return status === 0 ? Date.now() : undefined;
    });
    const { status } = await effective('False', 'Hole');
    expect(Date.now() - opened).toBeLessThan(MINUTE);
    expect(condition({ status }, 'GuardEffective')?.message).toMatch(
      /^not refused by a policy: delete CustomResourceDefinition clustergenerations.generations.dev\. Install the policies/,
    );
    expect(await metric('generations_guard_effective{platform="site"}')).toBe('0');

    await world.apply('alice', aCutover('to-1', 'site', '', 'ga-1'));
    const cutover = await world.until('cutovers', 'to-1', 'to be blocked', has('Blocked', 'True', 'GuardNotEffective'));
    expect(condition(cutover, 'Blocked')?.message).toContain(
      'the guard of Platform site has a hole: delete CustomResource',
    );
    expect((await world.get('platforms', 'site'))?.status.protected).toEqual([]);

    await rebind();
    await effective('True');
    await succeeded('to-1');
    await effective('True', 'Refused');
    expect(await metric('generations_guard_effective{platform="site"}')).toBe('1');
    expect(Number(await metric('generations_guard_probes_total{family="delete-crd",outcome="Hole"}'))).toBeGreaterThan(
      0,
    );
    expect(await warnings()).toEqual([expect.stringMatching(/^1: not refused by a policy: delete CustomResource/)]);
  }, 90_000);

  it('keeps a generation that is due for retirement, and all its machines, until it is closed', async () => {
    await staged('ga-2');
    await world.apply('alice', aCutover('to-2', 'site', 'ga-1', 'ga-2'));
    const { status } = await succeeded('to-2');
    const rebind = await unbound('traffic');
    await effective('False', 'Hole');
    const due = Date.parse(status.retainUntil ?? '');
    await waitFor('the end of the retention and two rounds more', { limitMs: 60_000 }, async () => {
      const platform = await world.get('platforms', 'site');
      return Date.parse(platform?.status.guard?.lastProbeTime ?? '') > due + 2 * MINUTE || undefined;
    });
    const kept = (await world.get('clustergenerations', 'ga-1'))!;
    expect(kept.status.retiredTime).toBeUndefined();
    expect(inStage('Retained')(kept)).toBe(true);
    expect(aliveOf(await world.ledger(), 'ga-1')).toHaveLength(4);

    await rebind();
    await effective('True');
    await world.until('clustergenerations', 'ga-1', 'to be retired', inStage('Retired'));
    await waitFor('its machines to go', { limitMs: 60_000, everyMs: 200 }, async () =>
      aliveOf(await world.ledger(), 'ga-1').length === 0 ? true : undefined,
    );
    expect(aliveOf(await world.ledger(), 'ga-2')).toHaveLength(4);
  }, 120_000);

  it('does not stop anybody from deleting what never was live', async () => {
    await staged('ga-typo');
    const rebind = await unbound('crd');
    await effective('False', 'Hole');
    await kubectl('delete', 'clustergeneration', 'ga-typo', '--wait=false');
    await world.untilGone('clustergenerations', 'ga-typo');
    await rebind();
    await effective('True');
  }, 90_000);

  it('costs a dozen or two requests a round', async () => {
    const deletes = async () => Number(await metric('generations_kube_api_requests_total{verb="DELETE",code="403"}'));
    const rounds = async () =>
      Number(await metric('generations_guard_probes_total{family="delete-crd",outcome="Denied"}'));
    const before = [await deletes(), await rounds()];
    const after = await waitFor('five more rounds', { limitMs: 30_000, everyMs: 200 }, async () => {
      const now = [await deletes(), await rounds()];
      return (now[1] ?? 0) >= (before[1] ?? 0) + 5 ? now : undefined;
    });
    const perRound = ((after[0] ?? 0) - (before[0] ?? 0)) / ((after[1] ?? 0) - (before[1] ?? 0));
    expect(perRound).toBeGreaterThan(4);
    expect(perRound).toBeLessThan(9);
  }, 60_000);
});
