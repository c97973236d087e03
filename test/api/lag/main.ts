/**
 * Measures the window between a status write and the policies seeing it: 1,000 times for everything that protects, on one API server
 * and across two on one etcd. It judges nothing: lag.test.ts does.
 */
import { flips, protections, spread } from './flips.ts';
import { startGround } from './ground.ts';
import { aSite } from './site.ts';

const COUNT = Number(process.argv[2] ?? 1_000);

const ground = await startGround();
try {
  const site = await aSite(ground, 'lag');
  const row = (what: string, ...cells: string[]) =>
    console.log(what.padEnd(50) + cells.map((cell) => cell.padStart(28)).join(''));
  console.log(`${COUNT} writes each, deletions sent all the while; real ms: min / median / p99 / max`);
  row(
    'what is deleted, and what protects it',
    'sent after, let through',
    'acknowledged to last such',
    'write to first denial',
  );
  for (const protection of protections(ground)) {
    const found = await flips(site, protection, COUNT);
    const of = (key: 'open' | 'seen') =>
      spread(found.map((flip) => flip[key]))
        .map((ms) => ms.toFixed(1))
        .join(' / ');
    const wrong = found.filter(({ allowed }) => allowed > 0).length;
    row(protection.what, `in ${wrong} of ${found.length}`, of('open'), of('seen'));
  }
} finally {
  await ground.stop();
}
