import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../bundle.ts';
import { type Environment, startEnvironment } from '../environment.ts';
import { describeFailure } from '../errors.ts';
import { paths } from '../paths.ts';
import { cutOver } from './acts/cutover.ts';
import { failRelease } from './acts/failed-release.ts';
import { halfStart } from './acts/half-started.ts';
import { mistake } from './acts/mistake.ts';
import { moveAddress } from './acts/moved-address.ts';
import { refusal } from './acts/refusal.ts';
import { placeRelease } from './acts/release.ts';
import { removal } from './acts/removal.ts';
import { retire } from './acts/retirement.ts';
import { rollBack } from './acts/rollback.ts';
import { september } from './acts/september.ts';
import { narrator, wrapped } from './narration.ts';
import { type Site, startSite } from './site.ts';
import { stageOn } from './stage.ts';
import { gather } from './table/evidence.ts';
import { linesOf } from './table/lines.ts';
import { printTable } from './table/print.ts';
import { watchTasks } from './tasks.ts';
import { watchWebsites } from './websites.ts';

/**
 * `make demo`: the outage of 9 October 2023, replayed on the real parts: a real API server, the operator with the rights that the
 * chart gives it, a cloud that pushes back. Out: a story, then a table whose every line is checked against the API server and the
 * cloud's ledger. Exit status 0 when all of it holds, 1 when a line does not or an act fails, 130 after Ctrl-C.
 */

/** Declared seconds in a real one: an hour passes in five minutes. */
const scale = 12;

/** Characters in a line: a wide terminal's, but no more than reads well. */
const columns = Math.min(118, Math.max(80, process.stdout.columns ?? 118));

const tell = narrator({
  write: (text) => process.stdout.write(text),
  scale,
  colour: process.stdout.isTTY && (process.env.NO_COLOR ?? '') === '',
  columns,
  now: () => performance.now(),
});

const opening = `On 9 October 2023 a release of PythonAnywhere did not fit beside the live one. Its operators meant to terminate the half-started new machines, and terminated the live ones: 128 minutes without websites, 380 until every task ran again. Here is that day once more, with Cluster Generations. API server, operator and kubectl are real; the machines are a simulated EC2's, and ${scale} of its seconds pass in one.`;

let environment: Environment | undefined;
let site: Site | undefined;
const bundled = mkdtempSync(join(tmpdir(), 'generations-demo-'));
process.once('exit', () => rmSync(bundled, { recursive: true, force: true }));

async function play(): Promise<boolean> {
  for (const text of wrapped(opening, columns)) tell.print(text);
  tell.print('');
  const scenario = join(paths.root, 'local', 'scenarios', 'outage-2023.yaml');
  const log = (line: string) => tell.print(`  ${line}`);
  log('bundling the operator as it is shipped');
  const program = await bundle(paths.operator, bundled);
  site = await startSite();
  const env = { http_proxy: site.proxy };
  environment = await startEnvironment({
    scenario,
    timeScale: scale,
    operator: { program, env },
    keepOperator: true,
    log,
  });
  const stage = stageOn(environment, tell, scale);
  const since = await september(stage);
  const tasks = watchTasks(stage);
  const websites = watchWebsites(environment.controlPlane);
  try {
    const refused = await refusal(stage);
    const half = await halfStart(stage);
    const mistaken = await mistake(stage);
    const removed = await removal(stage);
    const released = await placeRelease(stage);
    const failed = await failRelease(stage);
    const cut = await cutOver(stage, site);
    const rolledBack = await rollBack(stage);
    const moved = await moveAddress(stage);
    const retired = await retire(stage, rolledBack.forth.name);
    const { looks, unanswered } = await websites.stop();
    const counts = await tasks.stop();
    const played = {
      since,
      refused,
      half,
      mistaken,
      removed,
      released,
      failed,
      cut,
      rolledBack,
      moved,
      retired,
      looks,
      unanswered,
      counts,
    };
    const lines = linesOf(await gather(stage, played));
    return printTable(tell, lines, { scale, columns });
  } finally {
    await Promise.all([websites.stop(), tasks.stop()]);
  }
}

/** What went wrong, and what the cluster looks like now: it is about to be stopped. */
async function report(error: unknown): Promise<void> {
  tell.print(`\nFAILED: ${describeFailure(error).message}`);
  if (environment === undefined) return;
  const stage = stageOn(environment, tell, scale);
  const { stdout } = await stage.kubectl('admin', ['get', 'gclass,plat,cg,gpool,cut', '-o', 'wide']);
  tell.print(stdout);
  tell.print(`The end of the operator's log:\n${environment.operator?.process().lastLines(20)}`);
}

let stopping: Promise<never> | undefined;

/** Ctrl-C: nothing is worth saving, so everything is killed. Comes twice when a terminal and npm both pass it on. */
async function interrupted(): Promise<never> {
  tell.print('\nStopping everything.');
  environment?.keeper?.stop();
  await environment?.controlPlane.stop();
  process.exit(130);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    stopping ??= interrupted();
  });

let status: number;
try {
  status = (await play()) ? 0 : 1;
} catch (error) {
  // What failed then is what was just killed.
  await stopping;
  ({ status } = describeFailure(error));
  await report(error).catch(() => {});
}
await environment?.stop();
await site?.close();
process.exit(status);
