import { describe, expect, it } from '@jest/globals';
import { aCapacity, aClass, aPool, aRefusal, at, EPOCH } from '../../../test/builders/index.ts';
import { type ClassInput, decide } from './decide.ts';

const input = (changes: Partial<ClassInput> = {}): ClassInput => ({
  generationClass: aClass(),
  capacity: aCapacity(),
  account: '111111111111',
  budgets: [],
  pools: [],
  now: EPOCH,
  scaled: (ms) => ms,
  ...changes,
});
const conditions = (changes: Partial<ClassInput>) =>
  Object.fromEntries(
    (decide(input(changes)).status.conditions ?? []).map(({ type, status, reason }) => [type, `${status} ${reason}`]),
  );

describe('a class', () => {
  it('that answers is accepted, reachable and Ready', () => {
    expect(conditions({})).toEqual({
      Accepted: 'True Accepted',
      Reachable: 'True Answered',
      Ready: 'True Accepted',
      Reconciling: 'False No',
      Stalled: 'False No',
    });
    expect(decide(input()).requeueAfter).toBe(60_000);
  });

  it('reports addresses, with those promised and not used yet, and budgets', () => {
    const pools = [aPool({ spec: { machines: 5 }, instances: ['i-1'] }), aPool({ generation: 'blue', deleting: true })];
    const budgets = [{ operation: 'RunInstances', requestsPerSecond: 2, throttledTotal: 3, lastThrottledTime: EPOCH }];
    const { status } = decide(input({ pools, budgets }));
    expect(status.subnets?.map(({ id, free, reserved }) => [id, free, reserved])).toEqual([
      ['subnet-a', 100, 4],
      ['subnet-b', 100, 0],
    ]);
    expect(status.apiBudgets).toEqual([
      { operation: 'RunInstances', requestsPerSecond: 2, throttledTotal: 3, lastThrottledTime: at(0) },
    ]);
  });

  it('says what its machines take, and reserves that much', () => {
    const pools = [aPool({ spec: { machines: 3 }, instances: ['i-1'] })];
    const capacity = aCapacity({ held: { 'i-1': { type: 'm6i.xlarge', addresses: 3 } } });
    const { status } = decide(input({ pools, capacity }));
    expect(status.subnets?.[0]).toMatchObject({ id: 'subnet-a', reserved: 6 });
    expect(status.addressesPerMachine).toEqual([
      { type: 'm6i.xlarge', needed: 3, declared: 1, observed: 3, machine: 'i-1' },
    ]);
  });

  it('whose zones are written wrong says which', () => {
    const generationClass = aClass({ spec: { subnets: [{ id: 'subnet-a', zone: 'us-east-1c' }] } });
    const { status } = decide(input({ generationClass }));
    expect(status.conditions?.find(({ type }) => type === 'Accepted')).toMatchObject({
      status: 'False',
      reason: 'ZoneMismatch',
      message: 'subnet-a is in us-east-1a, not in us-east-1c: correct spec.subnets of GenerationClass aws',
    });
  });

  it('that is wrong itself is not accepted', () => {
    expect(conditions({ capacity: aRefusal('InvalidTemplate') })).toMatchObject({
      Accepted: 'False InvalidTemplate',
      Reachable: 'True Answered',
      Ready: 'False InvalidTemplate',
      Stalled: 'True InvalidTemplate',
    });
  });

  it.each([
    ['Unauthorized', 'Unauthorized'],
    ['Throttled', 'Throttled'],
    ['Unknown', 'NoAnswer'],
  ] as const)('that cannot be asked (%s) claims nothing, and keeps what was seen', (trouble, reason) => {
    const seen = [{ id: 'subnet-a', zone: 'us-east-1a', cidr: '10.0.0.0/24', total: 251, free: 7, reserved: 0 }];
    const changes = { generationClass: aClass({ status: { subnets: seen } }), capacity: aRefusal(trouble) };
    expect(conditions(changes)).toMatchObject({
      Accepted: `Unknown ${reason}`,
      Reachable: `False ${reason}`,
      Reconciling: `True ${reason}`,
    });
    const { status, requeueAfter } = decide(input(changes));
    expect([status.subnets, requeueAfter]).toEqual([seen, 15_000]);
  });

  it('that has not changed is the same object', () => {
    const { status } = decide(input());
    expect(decide(input({ generationClass: aClass({ status }), now: EPOCH + 9e6 })).status).toEqual(status);
  });
});

describe('the account of a class', () => {
  it('is the first that its subnets were seen to belong to, and stays', () => {
    const { status } = decide(input());
    expect(status.account).toEqual({ id: '111111111111', region: 'us-east-1' });
    const later = aClass({ status: { account: { id: '111111111111', region: 'us-east-1' } } });
    expect(decide(input({ generationClass: later, account: '222222222222' })).status.account?.id).toBe('111111111111');
    expect(decide(input({ account: undefined })).status).not.toHaveProperty('account');
  });

  it('when the cloud is of another one, is what the class is not accepted for', () => {
    const capacity = aRefusal('AnotherAccount');
    expect(conditions({ capacity, account: undefined })).toMatchObject({
      Accepted: 'False AnotherAccount',
      Ready: 'False AnotherAccount',
      Stalled: 'True AnotherAccount',
    });
  });

  it('and the pools that have machines from it are counted: while there are any its endpoint stays', () => {
    expect(decide(input({ pools: [aPool(), aPool({ generation: 'blue' })] })).status.pools).toBe(2);
    expect(decide(input()).status.pools).toBe(0);
  });
});
