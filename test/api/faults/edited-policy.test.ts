import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { waitFor } from '../../../local/wait.ts';
import { aliveOf } from '../../scenarios/ledger.ts';
import {
  aClass,
  aCutover,
  aPlatform,
  aScenario,
  aWorkload,
  edgeNamespace,
  TRAFFIC,
  wwwService,
} from '../../scenarios/objects.ts';
import { cutOver, staged } from '../../scenarios/people.ts';
import { condition, has, startWorld, type World } from '../../scenarios/world.ts';

/** A cluster admin edits a policy of the guard: the operator notices, stops what is dangerous, and goes on when it is as before. */

const SCALE = 12;
/** Real ms of a declared minute. */
const MINUTE = 60_000 / SCALE;
/** What probes and writes may take on a busy machine, real ms. */
const SLACK = 4_000;

const POOLS = { lb: { role: 'load-balancer', machines: 2 }, web: { machines: 2 } };
const SIZE = 4;

let world: World;

beforeAll(async () => {
  world = await startWorld({ scenario: aScenario(), timeScale: SCALE, operator: { leaderElect: false } });
  await world.apply('admin', edgeNamespace, wwwService);
  await world.apply('gitops', aClass('local', world.cloud), aPlatform('site', 'local', { traffic: TRAFFIC }));
  await complete('blue');
  await cutOver(world, 'site', '', 'blue');
  await complete('green');
}, 240_000);
afterAll(() => world?.stop(), 30_000);

async function complete(name: string): Promise<void> {
  await world.apply('admin', aWorkload('site', name, 2));
  await staged(world, name, 'site', POOLS);
}

async function admin(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await world.kubectl('admin', ...args);
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** An object without what a restored one must not have. */
async function manifestOf(kind: string, name: string): Promise<object> {
  const { apiVersion, kind: of, metadata, spec } = JSON.parse(await admin('get', kind, name, '-o', 'json'));
  const { labels, annotations } = metadata;
  return { apiVersion, kind: of, metadata: { name, labels, annotations }, spec };
}

/** Waits until `act` is let through as a dry run: the API server has taken the change up. Returns when, real ms. */
async function openSince(...act: string[]): Promise<number> {
  await waitFor(`kubectl ${act.join(' ')} to be let through`, { limitMs: 30_000 }, async () => {
    const { status } = await world.kubectl('admin', ...act, '--dry-run=server');
    return status === 0 || undefined;
  });
  return Date.now();
}

const effective = (status: 'True' | 'False') =>
  world.until('platforms', 'site', `to have a guard that is ${status}`, has('GuardEffective', status));

/** Waits until two more rounds of probes are over. */
async function probedTwice(): Promise<void> {
  const times = new Set<string>();
  await world.until('platforms', 'site', 'to be probed twice more', ({ status }) => {
    times.add(status.guard?.lastProbeTime ?? '');
    return times.size > 2;
  });
}

const POLICY = ['validatingadmissionpolicy', 'generations-guard-crd'] as const;

/** Makes every rule of a policy say yes. */
async function editedPolicy() {
  const manifest = await manifestOf(...POLICY);
  const { spec } = manifest as { spec: { validations: { expression: string }[] } };
  const rules = spec.validations.map((rule) => ({ ...rule, expression: 'true' }));
  await admin('patch', ...POLICY, '--type=merge', '-p', JSON.stringify({ spec: { validations: rules } }));
  const open = await openSince('delete', 'crd', 'clustergenerations.generations.dev');
  return { open, restore: () => world.apply('admin', manifest) };
}

it('a policy that says yes to everything shows within a declared minute, and nothing moves until it is back', async () => {
  const { open, restore } = await editedPolicy();
  const holed = await effective('False');
  expect(Date.now() - open).toBeLessThan(MINUTE + SLACK);
  expect(condition(holed, 'GuardEffective')?.message).toMatch(/delete CustomResourceDefinition/);

  await world.apply('alice', aCutover('to-green', 'site', 'blue', 'green'));
  await world.until('cutovers', 'to-green', 'to be blocked', has('Blocked', 'True', 'GuardNotEffective'));
  await probedTwice();
  expect((await world.get('platforms', 'site'))?.status.live?.name).toBe('blue');
  expect((await world.get('clustergenerations', 'green'))?.status.reservedBy).toBeUndefined();
  for (const name of ['blue', 'green']) expect(aliveOf(await world.ledger(), name)).toHaveLength(SIZE);

  await restore();
  await effective('True');
  await world.until('cutovers', 'to-green', 'to succeed', ({ status }) => status.outcome === 'Succeeded');
  expect((await world.get('platforms', 'site'))?.status.live?.name).toBe('green');
}, 180_000);
