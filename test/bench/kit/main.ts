/**
 * Measures the operator kit against its targets, on a control plane of its own with 5,000 Nodes of 3 KB: the time of a
 * list, indexed, beside the least that such a list can cost, and peak memory, beside a controller-runtime cache in Go.
 * Every run is a process of its own, of a bundle and with the flags that are shipped; the runs alternate, and medians count.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureBinaries } from '../../../local/binaries/build.ts';
import { bundle, shippedFlags } from '../../../local/bundle.ts';
import { type ControlPlane, startControlPlane } from '../../../local/control-plane.ts';
import { connect } from '../../../src/kube/client.ts';
import { fill } from './fill.ts';
import { buildGo } from './go.ts';
import type { Sample } from './measure.ts';
import { type Results, report } from './report.ts';

const NODES = 5_000;
const ROUNDS = 15;
/** Longest that one run may take, ms. */
const RUN_LIMIT = 60_000;

const say = (line: string) => console.error(line);
const directory = await mkdtemp(join(tmpdir(), 'bench-kit-'));
let controlPlane: ControlPlane | undefined;
try {
  const binaries = await ensureBinaries({ log: say });
  const goBinary = await buildGo(say);
  say('starting a control plane');
  controlPlane = await startControlPlane({
    binaries,
    run: { controllerManager: false, scheduler: false, kwok: false },
  });
  const { kubeconfigs, server, certificateAuthority, tokens } = controlPlane;
  const kubeconfig = kubeconfigs.admin;
  const client = await connect({ name: 'bench-kit', kubeconfig });
  say(`creating ${NODES} nodes`);
  const nodeBytes = await fill(client, NODES);
  await client.transport.close();

  const access = join(directory, 'access.json');
  await writeFile(access, JSON.stringify({ server, certificateAuthority, token: tokens.admin, kubeconfig }));
  const program = (name: string) => bundle(join(import.meta.dirname, `${name}.ts`), join(directory, name));
  const [baseline, subject] = await Promise.all([program('baseline'), program('subject')]);
  const flags = shippedFlags();
  const commands: Record<keyof Results, [string, string[]]> = {
    baseline: [process.execPath, [...flags, baseline, access]],
    kit: [process.execPath, [...flags, subject, access]],
    go: [goBinary, [kubeconfig]],
  };
  const results: Results = { baseline: [], kit: [], go: [] };
  // The first round only warms the API server's caches.
  for (let round = 0; round <= ROUNDS; round++) {
    say(round === 0 ? 'warming up' : `round ${round} of ${ROUNDS}`);
    for (const name of Object.keys(results) as (keyof Results)[]) {
      const sample = await run(...commands[name]);
      if (sample.items !== NODES) throw new Error(`${name} read ${sample.items} nodes instead of ${NODES}`);
      if (round > 0) results[name].push(sample);
    }
  }
  const { text, met } = report(results, { nodes: NODES, nodeBytes, flags });
  console.log(text);
  process.exitCode = met ? 0 : 1;
} finally {
  await controlPlane?.stop();
  await rm(directory, { recursive: true, force: true });
}

async function run(command: string, args: string[]): Promise<Sample> {
  const { stdout } = await promisify(execFile)(command, args, { timeout: RUN_LIMIT });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Sample;
}
