import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import about from '../package.json' with { type: 'json' };
import { bundle, shippedFlags } from './bundle.ts';
import { runCommand } from './command.ts';
import { paths } from './paths.ts';

let folder: string;
let shipped: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bundle-'));
  shipped = await bundle(paths.operator, folder);
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

/** Asked where no tree is around, as in an image. */
const ask = (program: string, ...args: string[]) =>
  runCommand(process.execPath, [...shippedFlags(), program, ...args], { env: { NODE_OPTIONS: '' } });

describe.each([
  ['as it is shipped', () => shipped],
  ['from its source', () => paths.operator],
])('the operator, %s', (_, program) => {
  it('prints its usage and ends well when it is asked for help', async () => {
    const help = await ask(program(), '--help');
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toMatch(/^usage: cluster-generations \[flags\]\n {2}--namespace=NAME/);
    expect(await ask(program(), '-h')).toEqual(help);
  }, 60_000);

  it(
    'prints its version, which is that of the package',
    async () =>
      expect(await ask(program(), '--version')).toEqual({
        status: 0,
        stdout: `cluster-generations ${about.version}\n`,
        stderr: '',
      }),
    60_000,
  );

  it('ends with status 2 and its usage on stderr for a wrong argument, asked for help or not', async () => {
    for (const args of [['--hepl'], ['--help', '--hepl'], ['--time-scale=0']]) {
      const { status, stdout, stderr } = await ask(program(), ...args);
      expect([status, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^cluster-generations: .*(hepl|time-scale).*\nusage: cluster-generations/);
    }
  }, 60_000);
});
