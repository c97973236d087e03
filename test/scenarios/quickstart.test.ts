import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCommand } from '../../local/command.ts';
import { type Environment, startEnvironment } from '../../local/environment.ts';

/** docs/quickstart.md, command by command: what it says is what happens. */

const root = join(import.meta.dirname, '..', '..');
/** A block of commands, and the words that its output must have; with "Forbidden" or a refusal it has to fail. */
const blocks = blocksOf(readFileSync(join(root, 'docs', 'quickstart.md'), 'utf8'));

let environment: Environment;
let folder: string;

beforeAll(async () => {
  // Four times as fast as `make up`: what is waited for is the same, sooner.
  environment = await startEnvironment({ scenario: join(root, 'local', 'scenarios', 'up.yaml'), timeScale: 4 });
  folder = mkdtempSync(join(tmpdir(), 'quickstart-'));
  const manifests = join(folder, 'docs', 'quickstart');
  cpSync(join(root, 'docs', 'quickstart'), manifests, { recursive: true });
  for (const file of readdirSync(manifests)) {
    const text = readFileSync(join(manifests, file), 'utf8');
    // The cloud of a test listens on any free port.
    writeFileSync(join(manifests, file), text.replace('http://127.0.0.1:4566', environment.simulator.url));
  }
}, 180_000);

afterAll(async () => {
  await environment?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

describe('the quickstart', () => {
  it('has commands to run', () => expect(blocks.length).toBeGreaterThan(8));

  it.each(blocks.map((block) => [block.commands, block] as const))(
    '%s',
    async (_, { commands, expected }) => {
      const { programs, kubeconfigs } = environment.controlPlane;
      const result = await runCommand('bash', ['-e', '-c', `cd "${folder}"\n${commands}`], {
        env: {
          PATH: `${dirname(programs.kubectl)}${delimiter}${process.env.PATH}`,
          KUBECONFIG: kubeconfigs.admin,
        },
        limitMs: 240_000,
      });
      const output = `${result.stdout}${result.stderr}`;
      for (const words of expected) expect(output).toContain(words);
      const refused = expected.some((words) => /Forbidden|neither shrink/.test(words));
      expect({ output, failed: result.status !== 0 }).toEqual({ output, failed: refused });
    },
    250_000,
  );
});

function blocksOf(markdown: string): { commands: string; expected: string[] }[] {
  const fences = [...markdown.matchAll(/```(sh|text)\n([\s\S]*?)```/g)].map(([, kind, text = '']) => ({
    kind,
    text: text.trim(),
  }));
  return fences.flatMap(({ kind, text }, at) => {
    if (kind !== 'sh') return [];
    const next = fences[at + 1];
    return [{ commands: text, expected: next?.kind === 'text' ? next.text.split('\n') : [] }];
  });
}
