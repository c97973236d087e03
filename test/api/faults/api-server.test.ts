import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { uniqueName } from '../../../local/testing.ts';
import { eventually, type Ground, must, pathOf, startGround } from '../lag/ground.ts';
import { aSite, letsGo, protects, reserved, type Site } from '../lag/site.ts';

/** An API server that is killed and comes back, while everybody tries to delete what is live. */

const KILLS = 4;
const HAMMERERS = 6;
/** Denials by a policy after which a restarted server counts as being at work again. */
const ENOUGH = 30;

let ground: Ground;
let site: Site;

beforeAll(async () => {
  ground = await startGround();
  site = await aSite(ground, uniqueName('fault'));
  const { first, second } = ground;
  await protects(first, site, [site.generation]);
  await reserved(first, site.generation, 'to-next');
  for (const path of paths()) await eventually(`${path} to be held`, async () => !(await letsGo(first, path)));
  // What is asked is the one server that comes and goes.
  await second.api.kill();
}, 240_000);
afterAll(() => ground?.stop());

const paths = () => [
  pathOf.generation(site.generation),
  pathOf.pool(site.pool),
  pathOf.node(site.node),
  pathOf.platform(site.platform),
];

it('never lets go of anything, before it knows its policies and their parameters as well', async () => {
  const { api, admin } = ground.first;
  const uids = async () =>
    Promise.all(paths().map(async (path) => (await must(200, admin.call('GET', path))).metadata.uid));
  const before = await uids();
  const successes: string[] = [];
  const statuses = new Map<number, number>();
  for (let kill = 0; kill < KILLS; kill++) {
    let denied = 0;
    const hammer = async (path: string) => {
      while (denied < ENOUGH) {
        // Not a dry run: should it be let go, it is gone.
        const answer = await admin.call('DELETE', path).catch(() => undefined);
        if (answer === undefined) continue;
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        if (answer.status < 300) successes.push(path);
        if (answer.status === 403 && String(answer.body.message).includes('generations-guard-')) denied += 1;
      }
    };
    await api.restart();
    await Promise.all(Array.from({ length: HAMMERERS }, (_, index) => hammer(paths()[index % paths().length] ?? '')));
  }
  expect(successes).toEqual([]);
  expect(statuses.get(403)).toBeGreaterThanOrEqual(KILLS * ENOUGH);
  await api.ready();
  expect(await uids()).toEqual(before);
}, 240_000);
