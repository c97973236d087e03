import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runCommand } from '../../local/command.ts';
import { paths } from '../../local/paths.ts';

/** A copy of the tree as it stands, without what git ignores, where files can be sabotaged. `remove` takes it away. */
export async function copyTree(): Promise<{ root: string; remove(): Promise<void> }> {
  const args = ['-C', paths.root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { status, stdout, stderr } = await runCommand('git', args);
  if (status !== 0) throw new Error(`git ls-files: ${stderr}`);
  const root = await mkdtemp(join(tmpdir(), 'sabotage-'));
  const remove = () => rm(root, { recursive: true, force: true });
  try {
    for (const file of new Set(stdout.split('\0').filter(Boolean))) {
      await mkdir(join(root, dirname(file)), { recursive: true });
      // One that was deleted and is still in the index.
      await copyFile(join(paths.root, file), join(root, file)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
    await symlink(join(paths.root, 'node_modules'), join(root, 'node_modules'));
    return { root, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
