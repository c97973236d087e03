import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { manualClock } from '../../src/runtime/clock.ts';
import { type Kind, type Point, pointOf } from './round.ts';
import { anonymous, baselines, drawn, pointsOf, type Result, resultLine, type Stage, startStage } from './run.ts';
import { featuresOf } from './site.ts';
import { lineOf } from './writes.ts';

/**
 * `make sweep`: kills the operator before and after each write of a whole cutover and of a rollback, and has the cloud show no machines
 * for a while from each; of a cutover it also closes the quota of Jobs there, and deletes the Jobs while the operator is away. Prints a
 * line for each point, then how many there were. Exit status 1: something was left otherwise, or an invariant did not hold.
 */
const USAGE = `usage: npm run sweep -- [options]
  --point=NAME        only this point, for example cutover:17:before, or :after, :jobless, :empty, :quota; may be given several times
  --only=KIND         cutover or rollback
  --stages=N          installations side by side (${Math.max(1, cpus().length - 1)})
  --features=LIST     what the site has: hold,jobs,tasks (all)
  --tree=PATH         another checkout, whose operator is swept
  --sample=N          only N points of each kind, drawn at random
  --seed=N            of the draw; a new one unless told
  --list              print the writes of a round without a death, and end`;

const { values } = parseArgs({
  options: {
    point: { type: 'string', multiple: true },
    only: { type: 'string' },
    stages: { type: 'string' },
    features: { type: 'string' },
    tree: { type: 'string' },
    sample: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    list: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const chosen = values.point?.map(pointOf);
const kinds = (['cutover', 'rollback'] as const).filter((kind) =>
  chosen ? chosen.some((point) => point.kind === kind) : values.only === undefined || values.only === kind,
);
const count = Math.min(
  chosen?.length ?? Number.POSITIVE_INFINITY,
  Number(values.stages ?? Math.max(1, cpus().length - 1)),
);
const options = { features: featuresOf(values.features), tree: values.tree };
const { random } = manualClock({ seed: Number(values.seed) });
if (values.sample) console.log(`seed ${values.seed}`);
const began = Date.now();
const stages: Stage[] = [];
const results: Result[] = [];
try {
  const [first = await startStage(options)] = stages;
  stages.push(first);
  const found = await baselines(first, kinds);
  const todo: Point[] = [];
  for (const kind of kinds) {
    const round = found[kind];
    if (!round) continue;
    console.log(`a ${kind} without a death: ${round.writes.length} writes, ${(round.ms / 1000).toFixed(1)} s`);
    for (const write of round.writes) console.log(`  ${String(write.number).padStart(3)} ${anonymous(lineOf(write))}`);
    const all = chosen?.filter((point) => point.kind === kind) ?? pointsOf(kind, round.writes.length);
    todo.push(...(values.sample ? drawn(all, Number(values.sample), random) : all));
  }
  if (values.list) process.exitCode = 0;
  else {
    const work = async (stage: Stage) => {
      for (let point = todo.shift(); point; point = todo.shift()) {
        const expected = found[point.kind]?.left ?? {};
        const result = await stage.play(point, expected).catch((error: unknown) => failed(point, error));
        results.push(result);
        console.log(resultLine(result));
      }
    };
    const others = Array.from({ length: count - 1 }, async () => {
      const stage = await startStage(options);
      stages.push(stage);
      await work(stage);
    });
    await Promise.all([work(first), ...others]);
    console.log(summary(kinds));
    process.exitCode = results.some(({ problems }) => problems.length > 0) ? 1 : 0;
  }
} finally {
  await Promise.all(stages.map((stage) => stage.stop()));
}

/** A point that could not even be played is one that failed. */
function failed(point: Point | undefined, error: unknown): Result {
  if (!point) throw error;
  return { point, problems: [error instanceof Error ? error.message : String(error)], ms: 0 };
}

function summary(swept: readonly Kind[]): string {
  const lines = swept.map((kind) => {
    const own = results.filter(({ point }) => point.kind === kind);
    const reached = own.filter(({ killedAt }) => killedAt !== undefined);
    const bad = own.filter(({ problems }) => problems.length > 0);
    return `${kind}: ${own.length} points, ${reached.length} reached, ${bad.length} failed`;
  });
  return [...lines, `${((Date.now() - began) / 60_000).toFixed(1)} min`].join('\n');
}
