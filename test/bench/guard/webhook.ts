import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundle, shippedFlags } from '../../../local/bundle.ts';
import { freePorts } from '../../../local/ports.ts';
import { ProcessGroup, type RunningProcess, waitUntilReady } from '../../../local/process-group.ts';
import { makeAuthority, makeLeaf } from '../../../src/guard/webhook/certificates/make.ts';
import { buildGo } from './go.ts';
import { reviews, worldForGo } from './world.ts';

/**
 * The guard's webhook beside one of controller-runtime that makes the same check: the same reviews, the same certificate, the same client,
 * in turns. One of them works at a time; both stay up.
 */

/** What one turn of the client measured: latencies in ms. */
export interface Turn {
  requests: number;
  perSecond: number;
  p50: number;
  p99: number;
}

export const CONCURRENCIES = [1, 16] as const;
export type Turns = Record<'node' | 'go', Record<(typeof CONCURRENCIES)[number], Turn[]>>;

/** `seconds`: how long each turn is; the first round only warms up. */
export async function measureWebhooks(rounds: number, seconds: number, say: (line: string) => void): Promise<Turns> {
  const program = await buildGo(say);
  const directory = await mkdtemp(join(tmpdir(), 'bench-guard-'));
  const group = new ProcessGroup(directory, [directory]);
  try {
    const certificates = join(directory, 'certificates');
    await mkdir(certificates);
    const now = Date.now();
    const authority = await makeAuthority(now);
    const leaf = await makeLeaf(authority, ['localhost', '127.0.0.1'], now);
    const [world, questions, ca] = ['world.json', 'reviews.json', 'ca.crt'].map((file) => join(directory, file));
    if (!world || !questions || !ca) throw new Error('three files have three paths');
    await writeFile(join(certificates, 'tls.crt'), leaf.cert);
    await writeFile(join(certificates, 'tls.key'), leaf.key, { mode: 0o600 });
    await writeFile(ca, authority.cert);
    await writeFile(world, JSON.stringify(worldForGo()));
    await writeFile(questions, JSON.stringify(reviews(300)));

    const subject = await bundle(join(import.meta.dirname, 'subject.ts'), join(directory, 'subject'));
    const [nodePort = 0, goPort = 0] = await freePorts(2);
    const servers = {
      node: {
        port: nodePort,
        command: process.execPath,
        args: [...shippedFlags(), subject, `${nodePort}`, certificates],
      },
      go: { port: goPort, command: program, args: ['serve', `${goPort}`, certificates, world] },
    };
    const load = async (port: number, concurrency: number, duration: string): Promise<Turn> => {
      const args = ['load', `https://127.0.0.1:${port}/validate`, ca, questions, `${concurrency}`, duration];
      const { stdout } = await promisify(execFile)(program, args);
      return JSON.parse(stdout);
    };
    for (const [name, { port, command, args }] of Object.entries(servers)) {
      const running: RunningProcess = group.start({ name, command, args });
      await waitUntilReady(running, 30_000, async () => {
        if (!running.running()) return undefined;
        return load(port, 1, '10ms').then(
          () => true,
          () => undefined,
        );
      });
    }
    const turns: Turns = { node: { 1: [], 16: [] }, go: { 1: [], 16: [] } };
    for (let round = 0; round <= rounds; round++) {
      say(round === 0 ? 'webhooks: warming up' : `webhooks: round ${round} of ${rounds}`);
      // Whoever comes first in one round comes second in the next.
      for (const concurrency of CONCURRENCIES)
        for (const name of round % 2 === 0 ? (['node', 'go'] as const) : (['go', 'node'] as const)) {
          const turn = await load(servers[name].port, concurrency, `${seconds}s`);
          if (round > 0) turns[name][concurrency].push(turn);
        }
    }
    return turns;
  } finally {
    await group.killAll();
  }
}
