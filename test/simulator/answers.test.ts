import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { operations } from '../../src/simulator/actions/operations.ts';
import { parseScenario } from '../../src/simulator/scenario/load.ts';
import { fidelity, fidelityTables } from './fidelity.ts';
import { PYTHON_LIMIT, runPython } from './python.ts';
import { allAnswers, type RawAnswer } from './situations.ts';

type Walked = { situation: string; operation: string; problems: string[]; parsed: unknown };

let folder: string;
let answers: RawAnswer[];
let walked: Walked[];

async function walk(raw: RawAnswer[]): Promise<Walked[]> {
  const file = join(folder, 'answers.json');
  await writeFile(file, JSON.stringify(raw));
  return runPython<Walked[]>('walk_answers.py', [file]);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'answers-'));
  answers = await allAnswers();
  walked = await walk(answers);
}, PYTHON_LIMIT);
afterAll(() => rm(folder, { recursive: true }));

const inSituation = <T extends { operation: string; situation: string }>(
  all: T[],
  operation: string,
  situation: string,
) => all.filter((one) => one.operation === operation && one.situation === situation);

/** The values at a path such as `Reservations[].Instances[].State.Name`; undefined where one is missing. */
function valuesAt(value: unknown, path: string): unknown[] {
  let values = [value];
  for (const part of path.split('.')) {
    const name = part.replace('[]', '');
    values = values.map((one) => (one && typeof one === 'object' ? (one as Record<string, unknown>)[name] : undefined));
    if (part.endsWith('[]')) values = values.flatMap((one) => (Array.isArray(one) ? one : [undefined]));
  }
  return values;
}

describe('every answer', () => {
  it('holds nothing that EC2’s service model does not, under the names and of the types that it has', () => {
    expect(walked.filter(({ problems }) => problems.length > 0)).toEqual([]);
    expect(walked).toHaveLength(answers.length);
  });

  it('comes from an operation that the situations cover, in success and, where it can fail, in failure', () => {
    const succeeded = new Set(answers.filter(({ status }) => status === 200).map(({ operation }) => operation));
    expect(operations.filter((operation) => operation !== 'GetServiceQuota' && !succeeded.has(operation))).toEqual([]);
  });

  it.each([
    [
      'a misspelt element',
      '<instanceId>',
      '<instanceID>',
      'DescribeInstances.reservationSet[].instancesSet[].instanceID is no member',
    ],
    ['a wrong list item', '<item><reservationId>', '<member><reservationId>', 'list item is called member, not item'],
    ['an unknown enum value', '<name>pending</name>', '<name>starting</name>', "'starting' is no InstanceStateName"],
    ['a number that is none', '<code>0</code>', '<code>zero</code>', "'zero' is no Integer"],
    [
      'an element of another level',
      '<instanceId>',
      '<nextToken>x</nextToken><instanceId>',
      'instancesSet[].nextToken is no member',
    ],
  ])('would be caught with %s', async (_what, right, wrong, problem) => {
    const [good] = inSituation(answers, 'DescribeInstances', 'machines are pending');
    const close = (tag: string) => tag.replaceAll('<', '</');
    const body = good!.body
      .replaceAll(right, wrong)
      .replaceAll(wrong === '<instanceID>' ? close(right) : '\u0000', close(wrong))
      .replaceAll(wrong.startsWith('<member>') ? '</instancesSet></item>' : '\u0000', '</instancesSet></member>');
    const [result] = await walk([{ ...good!, body }]);
    expect(result!.problems).toEqual(expect.arrayContaining([expect.stringContaining(problem)]));
  });
});

describe('errors', () => {
  it.each(fidelity.errors.map((row) => [row.operation, row.situation, row] as const))(
    '%s, %s',
    (operation, situation, row) => {
      const [raw] = inSituation(answers, operation, situation);
      expect(raw).toBeDefined();
      expect({ code: /<Code>(.*)<\/Code>/.exec(raw!.body)?.[1], status: raw!.status }).toEqual({
        code: row.code,
        status: row.status,
      });
    },
  );

  it('all have a row in the table', () => {
    const failed = answers.filter(({ status }) => status !== 200);
    const rowless = failed.filter(
      ({ operation, situation }) => inSituation(fidelity.errors, operation, situation).length === 0,
    );
    expect(rowless).toEqual([]);
  });
});

describe('members that must be there', () => {
  it.each(fidelity.members.map((row) => [row.operation, row.situations.join(', '), row] as const))(
    '%s, %s',
    (operation, _situations, row) => {
      for (const situation of row.situations) {
        const found = inSituation(walked, operation, situation);
        expect(found.length).toBeGreaterThan(0);
        // Strings, because toEqual takes [undefined] for [].
        const missing = row.members.filter((member) =>
          found.some(({ parsed }) => {
            const values = valuesAt(parsed, member);
            return values.length === 0 || values.some((value) => value === undefined || value === null);
          }),
        );
        expect({ situation, missing }).toEqual({ situation, missing: [] });
      }
    },
  );
});

describe('docs/simulator.md', () => {
  it('has an example that is a valid scenario', async () => {
    const docs = await readFile(join(import.meta.dirname, '../../docs/simulator.md'), 'utf8');
    const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(docs) ?? [];
    expect(parseScenario(example).people).toHaveLength(1);
  });

  it('shows the tables as they are tested, with their sources', async () => {
    const docs = await readFile(join(import.meta.dirname, '../../docs/simulator.md'), 'utf8');
    expect(docs).toContain(fidelityTables());
  });
});
