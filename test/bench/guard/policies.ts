import { pathOf, startGround } from '../../api/lag/ground.ts';
import { aSite, protects, type Site } from '../../api/lag/site.ts';
import { unbind } from './unbind.ts';

/**
 * What the policies add to a DELETE that they let pass: the same deletions, as dry runs, at the same API server, with the policies bound
 * and unbound in turns.
 */

export const SUBJECTS = ['generation', 'pool', 'node'] as const;

/** Latencies, real ms, with the policies and without. */
export type Latency = { bound: number[]; unbound: number[] };
export type Latencies = Record<(typeof SUBJECTS)[number], Latency>;

const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';

/** Measures `count` deletions of each kind in each of `rounds` rounds, with and without policies; the first round only warms up. */
export async function measurePolicies(
  { platforms, rounds, count }: { platforms: number; rounds: number; count: number },
  say: (line: string) => void,
): Promise<Latencies> {
  const ground = await startGround();
  try {
    // Nobody answers for it here, and this is about the policies.
    await ground.first.admin.call('DELETE', `${WEBHOOKS}/generations-guard`);
    const sites: Site[] = [];
    for (let number = 0; number < platforms; number++) sites.push(await aSite(ground, `site-${number}`));
    const [site, witness] = sites as [Site, Site];
    await ground.second.api.kill();
    await protects(ground.first, witness, [witness.generation]);

    const ofGuard = (name: string) => name.startsWith('generations-guard-');
    const held = async () => {
      const { status } = await ground.first.admin.call('DELETE', `${pathOf.pool(witness.pool)}?dryRun=All`);
      return status !== 200;
    };
    const found: Latencies = {
      generation: { bound: [], unbound: [] },
      pool: { bound: [], unbound: [] },
      node: { bound: [], unbound: [] },
    };
    for (let round = 0; round <= rounds; round++) {
      say(round === 0 ? 'policies: warming up' : `policies: round ${round} of ${rounds}`);
      for (const state of ['bound', 'unbound'] as const) {
        const undo = state === 'unbound' ? await unbind(ground, ofGuard, held) : async () => {};
        for (const subject of SUBJECTS) {
          const path = `${pathOf[subject](site[subject])}?dryRun=All`;
          for (let number = 0; number < count; number++) {
            const { status, body, sent, answered } = await ground.first.admin.call('DELETE', path);
            if (status !== 200) throw new Error(`DELETE ${path}: ${status} ${JSON.stringify(body)}`);
            if (round > 0) found[subject][state].push(answered - sent);
          }
        }
        await undo();
      }
    }
    return found;
  } finally {
    await ground.stop();
  }
}
