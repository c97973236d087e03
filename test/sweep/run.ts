import { startInstallation } from './installation.ts';
import { judge } from './judge.ts';
import { observe } from './observer.ts';
import { type Kind, nameOf, type Point, playRound, type Round, replay, type Scene } from './round.ts';
import { clearAway, type Features, furnish, openSite, type Site, sweepScenario } from './site.ts';
import { differences, type Snapshot } from './snapshot.ts';
import { lineOf } from './writes.ts';

/**
 * The sweep: which points there are is taken from a round without a death; each point is played on a real API server and the simulated
 * cloud, one after the other on the same site for as long as nothing is wrong with it.
 */

/** Declared seconds in a real one: waits of declared minutes must still outlast the restart of an operator. */
const SCALE = 10;

export interface Stage {
  /** Rounds without a death: what is written, and how the site is left. */
  baseline(kind: Kind): Promise<Round>;
  play(point: Point, expected: Snapshot): Promise<Result>;
  stop(): Promise<void>;
}

export interface Result {
  point: Point;
  /** `PUT cutovers/CUTOVER/status`; absent when there was no write of that number. */
  killedAt?: string;
  problems: string[];
  ms: number;
}

export interface StageOptions {
  features: Features;
  tree?: string | undefined;
  log?: ((line: string) => void) | undefined;
}

export async function startStage({ features, tree, log }: StageOptions): Promise<Stage> {
  const installation = await startInstallation({
    scenario: sweepScenario(),
    timeScale: SCALE,
    ...(tree && { tree }),
    ...(log && { log }),
  });
  const observer = await observe(installation.environment.controlPlane);
  const scene: Scene = { installation, observer, judge: judge(), told: new Set() };
  await replay(scene);
  await furnish(installation);
  let site: Site | undefined;
  let opened = 0;

  /** The site as a round of this kind needs it: with one generation, or with another one to go back to. */
  const siteFor = async (kind: Kind): Promise<Site> => {
    site ??= await openSite(installation, opened++, features);
    if (kind === 'cutover') await clearAway(installation, site);
    else if (!site.retained) {
      const { problems } = await playRound(scene, site, 'cutover');
      if (problems.length > 0) throw new Error(`the cutover before the first rollback: ${problems.join('; ')}`);
    }
    return site;
  };
  const play = async (kind: Kind, point?: Point, expected?: Snapshot): Promise<Round> => {
    try {
      const round = await playRound(scene, await siteFor(kind), kind, point, expected);
      // What is wrong with one round must not be found again in the next.
      if (round.problems.length > 0 || round.wentBack) site = undefined;
      return round;
    } catch (error) {
      site = undefined;
      throw error;
    }
  };
  return {
    baseline: (kind) => play(kind),
    async play(point, expected) {
      const { killedAt, problems, ms } = await play(point.kind, point, expected);
      return { point, problems, ms, ...(killedAt && { killedAt: anonymous(lineOf(killedAt)) }) };
    },
    async stop() {
      await observer.stop();
      await installation.stop();
    },
  };
}

/** The same write has the same words in every round. */
export const anonymous = (line: string): string =>
  line
    .replaceAll(/site-\d+-c\d+/g, 'CUTOVER')
    .replaceAll(/site-\d+-g\d+/g, 'GENERATION')
    .replaceAll(/site-\d+/g, 'SITE')
    .replaceAll(/\beni-[0-9a-f]{17}/g, 'INTERFACE')
    .replaceAll(/\bi-[0-9a-f]{17}/g, 'MACHINE');

/** All that can happen at each write of a round; only a cutover makes Jobs. */
export const pointsOf = (kind: Kind, writes: number): Point[] =>
  Array.from({ length: writes }, (_, n) => n + 1).flatMap((number) =>
    WHEN[kind].map((when) => ({ kind, number, when })),
  );

const WHEN: Record<Kind, Point['when'][]> = {
  cutover: ['before', 'after', 'jobless', 'empty', 'quota'],
  rollback: ['before', 'after', 'empty'],
};

/** `count` of the points, each once, in the order in which they were drawn. */
export function drawn(points: readonly Point[], count: number, random: () => number): Point[] {
  const left = [...points];
  return Array.from({ length: Math.min(count, left.length) }, () =>
    left.splice(Math.floor(random() * left.length), 1),
  ).flat();
}

/** A line for people: what happened at a point. */
export function resultLine({ point, killedAt, problems, ms }: Result): string {
  const verdict = killedAt === undefined ? 'not reached' : problems.length === 0 ? 'ok' : 'FAILED';
  const head = `${nameOf(point).padEnd(20)} ${verdict.padEnd(11)} ${(ms / 1000).toFixed(1).padStart(5)} s  ${killedAt ?? ''}`;
  return [head, ...problems.map((problem) => `    ${problem}`)].join('\n');
}

/** Plays rounds without a death and requires that they are left alike: else nothing could be compared with them. */
export async function baselines(stage: Stage, kinds: readonly Kind[]): Promise<Record<Kind, Round | undefined>> {
  const found: Record<Kind, Round | undefined> = { cutover: undefined, rollback: undefined };
  for (const kind of kinds) {
    const first = await stage.baseline(kind);
    if (first.problems.length > 0) throw new Error(`a ${kind} without a death: ${first.problems.join('\n')}`);
    const second = await stage.baseline(kind);
    const problems = [...second.problems, ...differences(first.left, second.left)];
    if (problems.length > 0) throw new Error(`a second ${kind} without a death: ${problems.join('\n')}`);
    found[kind] = second;
  }
  return found;
}
