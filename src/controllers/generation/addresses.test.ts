import { describe, expect, it } from '@jest/globals';
import { aCapacity, aCondition, aPool, aTemplate } from '../../../test/builders/index.ts';
import { addressesToCome, describeNeed, type Grounds, needOf } from './addresses.ts';

const grounds = (changes: Partial<Grounds> = {}): Grounds => ({
  spec: {},
  capacity: aCapacity(),
  pools: [aPool({ instances: ['i-1', 'i-2'] })],
  ...changes,
});
const held = (addresses: Record<string, number>, type = 'm6i.xlarge') =>
  aCapacity({ held: Object.fromEntries(Object.entries(addresses).map(([id, n]) => [id, { type, addresses: n }])) });
const ec2 = (changes: Partial<NonNullable<Grounds['spec']['ec2']>> = {}) => ({ region: 'us-east-1', ...changes });
const template = (changes: object) => aTemplate({ ec2: { ...aTemplate().ec2!, ...changes } });
const need = (changes: Partial<Grounds> = {}, of = aTemplate()) => needOf(of, grounds(changes));

describe('what a machine needs', () => {
  it('is one address where nobody says or sees more', () => {
    expect(need()).toMatchObject({ addresses: 1, declared: 1 });
    expect(describeNeed(need())).toBeUndefined();
  });

  it('is what the class declares, or the pool’s own template', () => {
    expect(need({ spec: { addressesPerMachine: 30 } }).addresses).toBe(30);
    expect(need({ spec: { addressesPerMachine: 30 } }, template({ addressesPerMachine: 5 })).addresses).toBe(5);
    expect(describeNeed(need({ spec: { addressesPerMachine: 30 } }))).toBe('30 each: declared 30, none observed yet');
  });

  it('is what the type can hold, where the class says how its CNI works', () => {
    expect(need({ spec: { ec2: ec2({ podAddresses: 'Secondary' }) } }).addresses).toBe(60);
    // 110 pods take 7 prefixes of 16, one more is kept warm, and the machine has its own.
    expect(need({ spec: { ec2: ec2({ podAddresses: 'Prefixes' }) } }).addresses).toBe(129);
    const small = aCapacity({ network: { 'm6i.xlarge': { interfaces: 2, addresses: 2 } } });
    expect(need({ capacity: small, spec: { ec2: ec2({ podAddresses: 'Prefixes' }) } }).addresses).toBe(34);
    const large = { ...aCapacity(), types: { 'm6i.xlarge': 32 } };
    expect(need({ capacity: large, spec: { ec2: ec2({ podAddresses: 'Prefixes' }) } }).addresses).toBe(273);
    const declared = { addressesPerMachine: 8, ec2: ec2({ podAddresses: 'Secondary' as const }) };
    expect(need({ spec: declared }).addresses).toBe(8);
  });

  it('is what one of the class’s machines holds, if that is more', () => {
    const most = need({ capacity: held({ 'i-1': 2, 'i-2': 3, 'i-9': 40 }) });
    expect(most).toMatchObject({ addresses: 3, declared: 1, observed: { addresses: 3, machine: 'i-2' } });
    expect(describeNeed(most)).toBe('3 each: declared 1, observed 3 on i-2');
    expect(need({ capacity: held({ 'i-1': 2 }), spec: { addressesPerMachine: 8 } }).addresses).toBe(8);
  });

  it('goes by other types only for one that the class has not had and nobody speaks for', () => {
    const capacity = held({ 'i-1': 12 }, 'm6i.8xlarge');
    expect(need({ capacity }).addresses).toBe(12);
    expect(need({ capacity, spec: { addressesPerMachine: 4 } }).addresses).toBe(4);
    const both = { ...capacity, held: { ...capacity.held, 'i-2': { type: 'm6i.xlarge', addresses: 3 } } };
    expect(need({ capacity: both }).addresses).toBe(3);
  });
});

describe('addresses still to be taken for a pool', () => {
  const sum = (changes: Parameters<typeof aPool>[0], capacity = held({ 'i-1': 3, 'i-2': 1 })) => {
    const pool = aPool({ instances: ['i-1', 'i-2'], ...changes });
    return addressesToCome(pool, grounds({ capacity, pools: [pool] })).reduce((total, one) => total + one.addresses, 0);
  };

  it('are those of machines to come, and those that young machines do not hold yet', () => {
    expect(sum({ spec: { machines: 3 } })).toBe(3 + 2);
    expect(sum({ spec: { machines: 2 } }, held({ 'i-1': 3, 'i-2': 3 }))).toBe(0);
    expect(sum({ spec: { machines: 2 } }, held({ 'i-1': 3 }))).toBe(2);
  });

  it('are none of a pool that goes, nor of machines that are stopped with all that they hold', () => {
    expect(sum({ deleting: true })).toBe(0);
    const stopped = { spec: { machines: 2 }, status: { conditions: [aCondition({ reason: 'StandbyStopped' })] } };
    expect(sum(stopped, held({}))).toBe(0);
  });
});
