/**
 * Explores, to the end, what cutovers, the clock of retirement and the interlock can do together: the real decide functions of
 * controllers/cutover and controllers/retirement, the real holdOf and freezeOf that guard/destroy.ts asks, in a small world in
 * which operators lose their lease and go on, die between any two writes and read at different times, people act whenever they
 * may, and caches are of any age. Then takes the protections out in turn, and requires that each is missed. Exit status 1 when
 * something is wrong with everything in place, when a protection is not missed, or when an exploration was not finished.
 *
 * Then the life of one migration, by the real step and the real view of Jobs: its Job is deleted, or vanishes, at any time.
 *
 * What is taken for granted, because the model has no other way to say it:
 * - A write to the API server is refused when the object has changed since it was read; no policy is counted on but the rules
 *   of the CRDs, which see the object itself. What a person may delete is asked of holdOf.
 * - A former leader makes no more calls to the cloud or to a traffic target, which know no versions: the age of the lease is
 *   looked at just before the call, and a call takes less time than a lease. This is one of the protections taken out below.
 * - Between the interlock's live read and its call any time may pass, except for a machine that is too many in a pool of a
 *   generation that never was live: there the same bounds make it one instant. S2 counts from the moment that Reserve is done.
 * - All targets of one effect move one after the other. Clocks only go forward, by nothing or to the next thing that is due.
 *
 * What holds a generation twice, so that one alone is missed only in a corner: `status.protected` repeats what the generation's
 * own status says (reservedBy, liveTime); without it the pointer that a former leader moves late finds the generation gone.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Exploration, explore } from './explore.ts';
import { KEEPERS, LIVES, lifeOf } from './migrations.ts';
import { reportRemovals, reportScenarios } from './report.ts';
import { REMOVALS, SCENARIOS, type Scenario } from './scenarios.ts';

/** Four times what the largest of them has; beyond that its bounds are wrong. */
const LIMIT = 6_000_000;

/** Two, for two cores. The scenarios stand in no order of size: whoever is free takes the next one. */
async function exploreAll(scenarios: readonly Scenario[]): Promise<Exploration[]> {
  const results: Exploration[] = [];
  const waiting = [...scenarios.entries()];
  const workers = [1, 2].map(() => new Worker(new URL('./worker.ts', import.meta.url)));
  await Promise.all(
    workers.map(async (worker) => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [index, scenario] = next;
        const answer = once(worker, 'message');
        worker.postMessage({ scenario, limit: LIMIT });
        [results[index]] = (await answer) as [Exploration];
      }
      await worker.terminate();
    }),
  );
  return results;
}

const started = performance.now();
const scenarios = Object.values(SCENARIOS);
const results = await exploreAll([...scenarios, ...REMOVALS]);
const whole = reportScenarios(Object.keys(SCENARIOS), results.slice(0, scenarios.length));
const missed = reportRemovals(REMOVALS, results.slice(scenarios.length));
const removals = KEEPERS.map((without) => ({ reversible: false, force: true, without }));
const lives = reportScenarios(
  Object.keys(LIVES),
  Object.values(LIVES).map((life) => explore(lifeOf(life), LIMIT)),
);
const twice = reportRemovals(
  removals.map(({ without }) => ({ without: [without] })),
  removals.map((life) => explore(lifeOf(life), LIMIT)),
);
console.log(
  `${whole.text}\n\n${missed.text}\n\nmigrations, ${lives.text}\n\nmigrations, ${twice.text}\n\n${((performance.now() - started) / 1000).toFixed(0)} s in all`,
);
process.exitCode = whole.good && missed.good && lives.good && twice.good ? 0 : 1;
