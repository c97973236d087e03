import type { CommandResult } from '../../local/command.ts';
import type { IdentityName } from '../../local/identities.ts';
import type { ClusterGeneration } from '../../src/api/v1alpha1/index.ts';
import { aCutover, aGeneration, type Pools } from './objects.ts';
import { has, inStage, type World } from './world.ts';

/** What people do in these tests, by the real kubectl, each in their own name. */

/** The people of the local control plane may write Platforms as well: break-glass is theirs. */
export const peopleMayWritePlatforms = {
  values: { 'access.platformEditors': '{generations:gitops,generations:operators}' },
};

export const ALICE = 'alice@example.com';
export const BOB = 'bob@example.com';

type PersonName = Extract<IdentityName, 'alice' | 'bob' | 'admin' | 'gitops'>;

/** A merge patch of spec of a Platform. */
export const patchPlatform = (world: World, who: PersonName, name: string, spec: object): Promise<CommandResult> =>
  world.kubectl(who, 'patch', 'platform', name, '--type=merge', '-p', JSON.stringify({ spec }));

/** Alice asks, Bob approves; throws what kubectl said when either is refused. */
export async function byTwoPeople(
  world: World,
  platform: string,
  field: 'override' | 'rebind',
  wanted: object,
): Promise<void> {
  for (const [who, value] of [
    ['alice', { ...wanted, requestedBy: ALICE }],
    ['bob', { approvedBy: BOB }],
  ] as const) {
    const { status, stderr } = await patchPlatform(world, who, platform, { [field]: value });
    if (status !== 0) throw new Error(`spec.${field} by ${who}: ${stderr}`);
  }
}

/** Applies a generation and waits until it is complete. */
export async function staged(world: World, name: string, platform: string, pools: Pools): Promise<ClusterGeneration> {
  await world.apply('alice', aGeneration(name, platform, pools));
  return world.until('clustergenerations', name, 'to be staged', has('Ready', 'True'));
}

/** Makes a generation live by a cutover, and waits until it is. */
export async function cutOver(world: World, platform: string, from: string, to: string): Promise<ClusterGeneration> {
  await world.apply('alice', aCutover(`to-${to}`, platform, from, to));
  await world.until('cutovers', `to-${to}`, 'to succeed', ({ status }) => status.outcome === 'Succeeded');
  return world.until('clustergenerations', to, 'to be live', inStage('Live'));
}
