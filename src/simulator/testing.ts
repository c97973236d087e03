import type { ManualClock } from '../runtime/clock.ts';
import { manualClock } from '../runtime/clock.ts';
import { silent } from '../runtime/logger.ts';
import { isOperation } from './actions/operations.ts';
import { type Cloud, createCloud } from './cloud.ts';
import { type Outcome, performEc2 } from './perform.ts';
import { type Scenario, scenarioSchema } from './scenario/schema.ts';
import { type Answer, answerXml, isAnswer, type Value } from './wire/xml.ts';

/** What a scenario file may hold, before it is checked. */
export type ScenarioInput = (typeof scenarioSchema)['_zod']['input'];

/** A small cloud for tests: two zones, one template, two callers, everything takes exactly 10 s, no lag. */
export function aScenario(changes: Partial<ScenarioInput> = {}): Scenario {
  return scenarioSchema.parse({
    callers: [
      { accessKeyId: 'AKOPERATOR', name: 'operator' },
      { accessKeyId: 'AKLAPTOP', name: 'ops-laptop' },
    ],
    instanceTypes: [
      { name: 'm6i.large', vcpus: 2, memoryMiB: 8192 },
      { name: 'm6i.xlarge', vcpus: 4, memoryMiB: 16384 },
    ],
    images: ['ami-1'],
    launchTemplates: [
      {
        id: 'lt-1',
        name: 'machines',
        defaultVersion: 1,
        versions: [
          { version: 1, image: 'ami-1', instanceType: 'm6i.large', securityGroups: ['sg-1'] },
          { version: 2, image: 'ami-2', instanceType: 'm6i.xlarge' },
        ],
      },
    ],
    subnets: [
      { id: 'subnet-a', zone: 'us-east-1a', cidr: '10.0.0.0/28' },
      { id: 'subnet-b', zone: 'us-east-1b', cidr: '10.0.1.0/24' },
    ],
    addresses: [
      { allocationId: 'eipalloc-1', publicIp: '203.0.113.1' },
      { allocationId: 'eipalloc-2', publicIp: '203.0.113.2' },
    ],
    times: {
      boot: { median: '10s' },
      registration: { median: '10s' },
      stop: { median: '10s' },
      terminate: { median: '10s' },
      consistency: '0s',
    },
    ...changes,
  });
}

export type TestCloud = {
  cloud: Cloud;
  clock: ManualClock;
  /** Sends a request as `operator`, or another caller by name. */
  send(operation: string, parameters?: Record<string, string>, caller?: string): Outcome<Answer>;
  /** The same, and its answer; throws its error. */
  ok(operation: string, parameters?: Record<string, string>, caller?: string): Answer;
  /** The same, and the code of its error; undefined when it succeeded. */
  code(operation: string, parameters?: Record<string, string>, caller?: string): string | undefined;
  /** Launches `count` machines and returns their ids. */
  launch(count: number, parameters?: Record<string, string>): string[];
};

/** A cloud on a manual clock. */
export function aCloud(changes: Partial<ScenarioInput> = {}, scale = 1): TestCloud {
  const clock = manualClock({ scale });
  const cloud = createCloud(aScenario(changes), clock, silent);
  const send = (operation: string, parameters: Record<string, string> = {}, caller = 'operator') =>
    performEc2(cloud, { name: caller }, [['Action', operation], ...Object.entries(parameters)]);
  const ok = (operation: string, parameters?: Record<string, string>, caller?: string) => {
    const { result, call } = send(operation, parameters, caller);
    if ('error' in result) throw result.error;
    if (!isOperation(operation)) throw new Error(`no operation ${operation}`);
    // Rendering finds what no XML can carry.
    answerXml(operation, call.requestId, result.answer);
    return result.answer;
  };
  return {
    cloud,
    clock,
    send,
    ok,
    code(operation, parameters, caller) {
      const { result } = send(operation, parameters, caller);
      return 'error' in result ? result.error.code : undefined;
    },
    launch(count, parameters = {}) {
      const answer = ok('RunInstances', {
        MinCount: String(count),
        MaxCount: String(count),
        SubnetId: 'subnet-b',
        'LaunchTemplate.LaunchTemplateId': 'lt-1',
        ...parameters,
      });
      return items(answer.instancesSet).map((instance) => String(instance.instanceId));
    },
  };
}

/** The structures of a list in an answer. */
export function items(value: Value): Answer[] {
  return Array.isArray(value) ? value.filter(isAnswer) : [];
}

/** All instances of a DescribeInstances answer. */
export function instancesOf(answer: Answer): Answer[] {
  return items(answer.reservationSet).flatMap((reservation) => items(reservation.instancesSet));
}

/** `{InstanceId.1: ..., InstanceId.2: ...}`. */
export function named(ids: readonly string[]): Record<string, string> {
  return Object.fromEntries(ids.map((id, index) => [`InstanceId.${index + 1}`, id]));
}

/** `{Filter.1.Name: ..., Filter.1.Value.1: ...}`. */
export function filters(wanted: Record<string, string[]>): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const [index, [name, values]] of Object.entries(wanted).entries()) {
    parameters[`Filter.${index + 1}.Name`] = name;
    for (const [at, value] of values.entries()) parameters[`Filter.${index + 1}.Value.${at + 1}`] = value;
  }
  return parameters;
}
