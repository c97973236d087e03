import { afterEach, describe, expect, it } from '@jest/globals';
import { LABEL, LIVE_TIME_TAG } from '../../src/api/v1alpha1/index.ts';
import type { Fate } from '../builders/index.ts';
import { aCutover } from '../builders/index.ts';
import './golden.ts';
import { hasEnded, irreversible, migration, plain, type Site, smoke, whole, withGreenStaged } from './site.ts';

/** Wherever the operator dies in a cutover, the next one ends it the same. */

let site: Site;
afterEach(() => site.world.operator.crash());

interface Way {
  name: string;
  /** Makes the world in which it begins. */
  begin(): Promise<Site>;
  cutover: ReturnType<typeof aCutover>;
}

const ways: Way[] = [
  {
    name: 'a plain cutover, to retirement',
    begin: () => withGreenStaged(plain({ retention: { standby: 'Running', for: '1m' } })),
    cutover: aCutover({ from: 'blue', to: 'green' }),
  },
  {
    name: 'a cutover with everything that it has steps for',
    begin: () => withGreenStaged(whole()),
    cutover: aCutover({
      from: 'blue',
      to: 'green',
      spec: { migrations: [migration('schema'), irreversible('drop')], verify: [smoke], soak: '20s' },
    }),
  },
  {
    name: 'a cutover that goes back from its soak',
    begin: async () => {
      const made = await withGreenStaged(whole());
      made.world.jobs.fate = (name) => (name.includes('-soak-') ? { seconds: 3, fails: ['no'] } : { seconds: 3 });
      return made;
    },
    cutover: aCutover({
      from: 'blue',
      to: 'green',
      spec: { migrations: [migration('schema')], verify: [{ name: 'orders', jobTemplate: jobTemplate() }], soak: '1m' },
    }),
  },
  {
    name: 'a rollback to stopped machines',
    begin: async () => {
      const made = await withGreenStaged(whole({ retention: { standby: 'Stopped', for: '1h' } }));
      made.world.apply(aCutover({ from: 'blue', to: 'green' }));
      await made.world.until('green is live', hasEnded(made, 'to-green'));
      await made.world.run(45);
      return made;
    },
    cutover: aCutover({ name: 'back-to-blue', from: 'green', to: 'blue', spec: { mode: 'Rollback', verify: [smoke] } }),
  },
];

function jobTemplate() {
  return { spec: { template: { spec: { containers: [{ name: 'main', image: 'app' }] } } } };
}

/** Goes all the way with a process that dies after its `at`-th write, and again after each further `every`. Returns the number of writes. */
async function go({ begin, cutover }: Way, { at, every = Number.POSITIVE_INFINITY }: { at: number; every?: number }) {
  site = await begin();
  const { world } = site;
  let writes = 0;
  let next = at;
  const fate: Fate = {
    after(request, changed) {
      if (!changed || request.method === 'GET') return;
      writes++;
      if (writes < next) return;
      next += every;
      world.operator.crash();
    },
  };
  await world.restart(fate);
  world.apply(cutover);
  const { name } = cutover.metadata;
  const settles = 120;
  for (let left = settles, second = 0; left > 0; second++) {
    if (second === 900) throw new Error(`${name} does not end:\n${world.log.slice(-30).join('\n')}`);
    if (world.operator.dead()) await world.restart(fate);
    await world.run(1);
    left = site.cutover(name).status.outcome === undefined ? settles : left - 1;
  }
  return writes;
}

/** All that a reader could tell two ends apart by, but for the times at which things happened. */
function end({ cutover: { metadata } }: Way): object {
  const { cloud, jobs, tasks } = site.world;
  const { outcome, steps, switches, migrations, checks, undo } = site.cutover(metadata.name).status;
  const live = site.generation(site.platform().status.live?.name ?? '');
  const text = JSON.stringify({
    ...site.state(),
    outcome,
    undo: undo?.reason,
    finalizers: site.cutover(metadata.name).metadata.finalizers,
    steps: steps?.map(({ name, state }) => `${name} ${state}`),
    switches: switches?.map(({ target, state }) => `${target} ${state}`),
    migrations: migrations?.map(({ name, state }) => `${name} ${state}`),
    checks: checks?.map(({ name, state }) => `${name} ${state}`),
    jobs: ['migrate-schema', 'migrate-drop', 'undo-schema'].map((part) => jobs.runs(part)),
    most: tasks.most,
    // The cloud says the same as the cluster.
    live: site.platform().status.live?.time === live?.status.liveTime,
    tags: cloud
      .alive()
      .filter(({ tags }) => tags[LABEL.generation] === live?.metadata.name)
      .every(({ tags }) => tags[LIVE_TIME_TAG] === live?.status.liveTime),
  });
  return JSON.parse(text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')) as object;
}

/** Of all places at which it may die: a few, each in a run of its own. */
const SAMPLED = 5;

describe.each(ways)('$name, during which the operator dies', (way) => {
  it('ends the same, after whichever of its writes', async () => {
    const writes = await go(way, { at: Number.POSITIVE_INFINITY });
    const expected = end(way);
    expect(expected).toMatchObject({ live: true, tags: true });
    site.world.operator.crash();
    const once = Array.from({ length: SAMPLED }, (_, n) => ({ at: 1 + Math.floor(((n + 0.5) * writes) / SAMPLED) }));
    // Of each process the first writes are about the class and the guard: with those alone it would get nowhere.
    for (const deaths of [{ at: 3, every: 3 }, { at: 4, every: 4 }, { at: 2, every: 7 }, ...once]) {
      await go(way, deaths);
      expect({ deaths, ...end(way) }).toEqual({ deaths, ...expected });
      expect(site.world.log.filter((line) => line.includes('reaches nobody'))).toEqual([]);
      site.world.operator.crash();
    }
  });
});
