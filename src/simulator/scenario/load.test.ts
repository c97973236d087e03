import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseDocument } from 'yaml';
import { loadScenario, parseScenario } from './load.ts';

const up = new URL('../../../local/scenarios/up.yaml', import.meta.url).pathname;
const changed = (path: (string | number)[], value: unknown) => {
  const document = parseDocument(readFileSync(up, 'utf8'));
  document.setIn(path, document.createNode(value));
  return document.toString();
};

describe('a scenario', () => {
  it('is read with durations in ms and defaults filled in', () => {
    const scenario = loadScenario(up);
    expect(scenario.times.terminatedVisible).toBe(3_600_000);
    expect(scenario.times.consistency).toBe(500);
    expect(scenario.account).toBe('123456789012');
  });

  it.each([
    ['an unknown field', ['subnetz'], [], 'Unrecognized key: "subnetz"'],
    ['an unknown field within', ['subnets', 0, 'az'], 'x', 'subnets.0: Unrecognized key: "az"'],
    ['a duration without a unit', ['times', 'boot'], { median: '3' }, 'times.boot.median: must be a number and a unit'],
    ['a subnet too small for EC2', ['subnets', 0, 'cidr'], '10.0.0.0/29', 'between /16 and /28'],
    [
      'subnets that overlap',
      ['subnets', 1, 'cidr'],
      '10.0.0.0/20',
      'subnets: subnet-b (10.0.0.0/20) overlaps subnet-a (10.0.0.0/26)',
    ],
    ['a subnet twice', ['subnets', 1, 'id'], 'subnet-a', 'subnets: subnet-a is there twice'],
    ['a template of an unknown type', ['launchTemplates', 0, 'versions', 0, 'instanceType'], 'x1', 'instance type x1'],
    ['a bucket of no operation', ['buckets'], { RunInstance: {} }, 'buckets.RunInstance: not an operation'],
    [
      'a fault with two effects',
      ['faults'],
      [{ name: 'f', effect: { hang: true, slow: '1s' } }],
      'faults.0.effect: must have exactly one of',
    ],
    [
      'a fault of no operation',
      ['faults'],
      [{ name: 'f', operations: ['Run'], effect: { hang: true } }],
      'faults: Run is not an operation',
    ],
    [
      'a person who is no caller',
      ['people'],
      [{ name: 'p', at: '1m', caller: 'nobody', operation: 'TerminateInstances' }],
      'people: p acts as caller nobody',
    ],
  ])('is refused for %s, in one line that names it', (_what, path, value, message) => {
    const source = changed(path, value);
    expect(() => parseScenario(source, 'x.yaml')).toThrow(message);
    expect(() => parseScenario(source, 'x.yaml')).toThrow(/^scenario x\.yaml: [^\n]*$/);
  });

  it('is refused when it is no YAML, or no file', () => {
    expect(() => parseScenario('a: [', 'x.yaml')).toThrow('scenario x.yaml is not YAML');
    expect(() => loadScenario('/nowhere/x.yaml')).toThrow('scenario /nowhere/x.yaml cannot be read');
  });
});
