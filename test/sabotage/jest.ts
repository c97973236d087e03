import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../local/command.ts';

/** What a run of tests showed. */
export interface TestRun {
  /** Tests that passed. */
  passed: number;
  /** Full names of the tests that failed. */
  failed: string[];
  /** Why tests could not be run at all. */
  broken?: string;
}

interface JestReport {
  numPassedTests: number;
  testResults: { name: string; message: string; assertionResults: { fullName: string; status: string }[] }[];
}

/**
 * Runs tests of a tree in a process of their own. A run without an end counts as a failed one.
 *
 * @param tests paths or parts of paths, from the root of the tree
 * @param limitMs real ms
 */
export async function runTests(
  root: string,
  tests: readonly string[],
  { project, limitMs }: { project: 'unit' | 'api' | 'slow'; limitMs: number },
): Promise<TestRun> {
  const directory = await mkdtemp(join(tmpdir(), 'sabotage-report-'));
  const outputFile = join(directory, 'report.json');
  const args = [
    ...[
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(root, 'node_modules/jest/bin/jest.js'),
    ],
    ...[...tests, '--config', join(root, 'jest.config.js'), '--selectProjects', project],
    ...['--silent', '--json', `--outputFile=${outputFile}`],
  ];
  const started = Date.now();
  const { stderr } = await runCommand(process.execPath, args, { limitMs });
  const text = await readFile(outputFile, 'utf8').catch(() => undefined);
  await rm(directory, { recursive: true });
  if (text === undefined)
    return Date.now() - started >= limitMs
      ? { passed: 0, failed: [`(no end within ${limitMs / 1000} s)`] }
      : { passed: 0, failed: [], broken: stderr.slice(-600) };
  const report = JSON.parse(text) as JestReport;
  const failed = report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
  );
  const broken = report.testResults.find(({ assertionResults, message }) => assertionResults.length === 0 && message);
  return { passed: report.numPassedTests, failed, ...(broken && { broken: broken.message.slice(0, 600) }) };
}
