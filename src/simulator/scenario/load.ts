import { readFileSync } from 'node:fs';
import ipaddr from 'ipaddr.js';
import { parseDocument } from 'yaml';
import type { ZodError } from 'zod';
import { isOperation, operations } from '../actions/operations.ts';
import { type Scenario, scenarioSchema } from './schema.ts';

/** A scenario that cannot be used; the message is one line that says where and why. */
export class ScenarioError extends Error {}

/** Reads a scenario file. Throws ScenarioError. */
export function loadScenario(path: string): Scenario {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ScenarioError(`scenario ${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  return parseScenario(source, path);
}

/** Parses and checks the text of a scenario. Throws ScenarioError. */
export function parseScenario(source: string, path = 'scenario'): Scenario {
  const document = parseDocument(source);
  const broken = document.errors[0];
  if (broken) throw new ScenarioError(`scenario ${path} is not YAML: ${broken.message.split('\n')[0]}`);
  const parsed = scenarioSchema.safeParse(document.toJS());
  if (!parsed.success) throw new ScenarioError(`scenario ${path}: ${firstProblem(parsed.error)}`);
  const problem = contradiction(parsed.data);
  if (problem) throw new ScenarioError(`scenario ${path}: ${problem}`);
  return parsed.data;
}

/** The first complaint of zod as `path: message`, for one line. */
export function firstProblem(error: ZodError): string {
  const issue = error.issues[0];
  if (!issue) return error.message;
  const path = issue.path.map(String).join('.');
  return path ? `${path}: ${issue.message}` : issue.message;
}

/** What no single field can say: names that must exist or be unique, subnets that must not overlap. */
function contradiction(scenario: Scenario): string | undefined {
  const callers = new Set(scenario.callers.map((caller) => caller.name));
  const types = new Set(scenario.instanceTypes.map((type) => type.name));
  return (
    repeated('subnets', scenario.subnets, (subnet) => subnet.id) ??
    repeated('callers', scenario.callers, (caller) => caller.accessKeyId) ??
    repeated('instanceTypes', scenario.instanceTypes, (type) => type.name) ??
    repeated('launchTemplates', scenario.launchTemplates, (template) => template.id) ??
    repeated('addresses', scenario.addresses, (address) => address.allocationId) ??
    repeated('faults', scenario.faults, (fault) => fault.name) ??
    badSubnet(scenario) ??
    scenario.launchTemplates
      .flatMap((template) => template.versions)
      .map(({ instanceType }) => instanceType)
      .filter((type) => type !== undefined && !types.has(type))
      .map((type) => `launchTemplates: instance type ${type} is not one of instanceTypes`)[0] ??
    Object.keys(scenario.buckets)
      .filter((operation) => !isOperation(operation))
      .map((operation) => `buckets.${operation}: not an operation; they are ${operations.join(', ')}`)[0] ??
    scenario.faults
      .flatMap((fault) => fault.operations ?? [])
      .filter((operation) => !isOperation(operation))
      .map((operation) => `faults: ${operation} is not an operation; they are ${operations.join(', ')}`)[0] ??
    scenario.people
      .filter((person) => !callers.has(person.caller))
      .map((person) => `people: ${person.name} acts as caller ${person.caller}, which is not one of callers`)[0] ??
    scenario.people
      .filter((person) => !isOperation(person.operation))
      .map((person) => `people: ${person.operation} is not an operation; they are ${operations.join(', ')}`)[0]
  );
}

function repeated<T>(field: string, items: readonly T[], key: (item: T) => string): string | undefined {
  const seen = new Set<string>();
  for (const item of items) {
    if (seen.has(key(item))) return `${field}: ${key(item)} is there twice`;
    seen.add(key(item));
  }
  return undefined;
}

function badSubnet({ subnets }: Scenario): string | undefined {
  const ranges = subnets.map((subnet) => ({ ...subnet, range: ipaddr.IPv4.parseCIDR(subnet.cidr) }));
  for (const [index, { id, cidr, range }] of ranges.entries()) {
    const [address, prefix] = range;
    // A subnet of EC2 is between /16 and /28: https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
    if (prefix < 16 || prefix > 28) return `subnets: ${id} has ${cidr}; EC2's subnets are between /16 and /28`;
    const other = ranges.slice(0, index).find((one) => {
      const shorter = Math.min(prefix, one.range[1]);
      return address.match(one.range[0], shorter);
    });
    if (other) return `subnets: ${id} (${cidr}) overlaps ${other.id} (${other.cidr})`;
  }
  return undefined;
}
