import { spawnSync } from 'node:child_process';
import { ensureBinaries } from '../binaries/build.ts';
import { describeFailure, SetupError } from '../errors.ts';
import { paths } from '../paths.ts';
import { writeCrds } from './crds.ts';
import { writeManifests } from './manifests.ts';

/**
 * Everything in the tree that is made from something else: zod schemas -> crds/ -> the chart's templates/crds/ -> manifests/, which
 * Helm renders from the chart. `node local/generate/main.ts` writes it; with `--verify` it fails afterwards when Git sees a difference.
 */
const generated = ['crds', 'charts', 'manifests'];

async function main(verify: boolean): Promise<void> {
  const { helm } = await ensureBinaries({ log: (line) => process.stderr.write(`${line}\n`) });
  await writeCrds(paths.root);
  await writeManifests(paths.root, helm);
  if (verify) refuseDifferences(paths.root);
}

function refuseDifferences(root: string): void {
  const git = spawnSync('git', ['status', '--porcelain', '--', ...generated], { cwd: root, encoding: 'utf8' });
  if (git.status !== 0) throw new SetupError(`git status failed: ${git.stderr || git.error?.message}`);
  if (git.stdout === '') return;
  throw new Error(
    `Generated files differ from what is committed. Run make generate and commit:\n${git.stdout.trimEnd()}`,
  );
}

try {
  await main(process.argv.includes('--verify'));
} catch (error) {
  const { message, status } = describeFailure(error);
  process.stderr.write(`${message}\n`);
  process.exitCode = status;
}
