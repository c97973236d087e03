import { describe, expect, it } from '@jest/globals';
import {
  aClass,
  aCondition,
  aGeneration,
  aPlatform,
  aPoolSpec,
  aRefusal,
  aTemplate,
} from '../../../test/builders/index.ts';
import { type AcceptInput, objectionTo } from './accept.ts';

const input = (changes: Partial<AcceptInput> = {}): AcceptInput => ({
  generation: aGeneration(),
  platform: aPlatform(),
  className: 'aws',
  generationClass: aClass(),
  templateErrors: new Map(),
  ...changes,
});
const pools = (...list: Parameters<typeof aPoolSpec>[0][]) =>
  aGeneration({ spec: { pools: list.map((pool) => aPoolSpec(pool)) } });
const rejected = (message: string) =>
  aClass({ status: { conditions: [aCondition({ type: 'Accepted', status: 'False', message })] } });

/** Each row is wrong in its own way and in that of every row below it: the first counts. */
const ROWS: [string, Partial<AcceptInput>, string, string][] = [
  [
    'NotImplemented',
    { generation: aGeneration({ spec: { adopt: true } }) },
    'NotImplemented',
    'ClusterGeneration green asks for what this version does not do yet: spec.adopt. Nothing is done until these are left out',
  ],
  [
    'no Platform',
    { platform: undefined },
    'PlatformNotFound',
    'Platform us does not exist: create it, or delete this generation and name another',
  ],
  ['no class', { generationClass: undefined }, 'ClassNotFound', 'GenerationClass aws does not exist: create it'],
  [
    'a role that the platform does not have',
    { generation: pools({}, { name: 'db', role: 'database', template: aTemplate({ ec2: undefined as never }) }) },
    'UnknownRole',
    'pool db has role database; Platform us has web: add the role there, or correct the pool',
  ],
  [
    'a template of another provider',
    { generation: pools({ template: {} }, { name: 'api', template: {} }) },
    'InvalidTemplate',
    'the template of pool web, pool api has no ec2 block, and GenerationClass aws is of provider ec2: add spec.pools[].template.ec2',
  ],
  [
    'a class that is not accepted',
    { generationClass: rejected('subnet-x does not exist') },
    'ClassNotAccepted',
    'GenerationClass aws is not accepted: subnet-x does not exist',
  ],
  [
    'what the provider says of a template',
    { templateErrors: new Map([['web', aRefusal('InvalidTemplate', { message: 'lt-0abc has no version 7' })]]) },
    'InvalidTemplate',
    'the template of pool web: lt-0abc has no version 7',
  ],
];

describe('a generation is refused for', () => {
  it.each(ROWS)('%s', (_, changes, reason, message) => {
    expect(objectionTo(input(changes))).toEqual({ reason, message });
  });

  it('the first of several in this order', () => {
    for (const [n, [, changes, reason]] of ROWS.entries()) {
      const below = Object.assign(
        {},
        ...ROWS.slice(n)
          .reverse()
          .map(([, changes]) => changes),
      ) as Partial<AcceptInput>;
      expect(objectionTo(input({ ...below, ...changes }))?.reason).toBe(reason);
    }
  });

  it('nothing, when nothing is wrong; a class that was not looked at yet is not wrong', () => {
    expect(objectionTo(input())).toBeUndefined();
    const unknown = aClass({ status: { conditions: [aCondition({ type: 'Accepted', status: 'Unknown' })] } });
    expect(objectionTo(input({ generationClass: unknown }))).toBeUndefined();
  });
});
