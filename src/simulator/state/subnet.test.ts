import { describe, expect, it } from '@jest/globals';
import { Subnet } from './subnet.ts';

const all = (subnet: Subnet) => {
  const taken = [];
  for (let address = subnet.take(); address !== undefined; address = subnet.take()) taken.push(address);
  return taken;
};

describe('a subnet', () => {
  it('keeps five addresses for EC2: the first four and the last', () => {
    const subnet = new Subnet({ id: 's', zone: 'z', cidr: '10.0.0.16/28' });
    expect(subnet.total).toBe(11);
    expect(subnet.free).toBe(11);
    const taken = all(subnet);
    expect(taken).toHaveLength(11);
    expect(taken[0]).toBe('10.0.0.20');
    expect(taken.at(-1)).toBe('10.0.0.30');
    expect(subnet.free).toBe(0);
  });

  it('gives out a returned address only when the unused ones are gone', () => {
    const subnet = new Subnet({ id: 's', zone: 'z', cidr: '10.0.0.0/28' });
    const first = subnet.take();
    subnet.release(first!);
    expect(subnet.free).toBe(11);
    const taken = all(subnet);
    expect(taken).toHaveLength(11);
    expect(taken.at(-1)).toBe(first);
  });

  it('cuts prefixes in one piece, and counts what is left', () => {
    const subnet = new Subnet({ id: 's', zone: 'z', cidr: '10.0.0.0/26' });
    expect([subnet.takePrefix(), subnet.free]).toEqual(['10.0.0.32/28', 43]);
    subnet.take();
    expect([subnet.takePrefix(), subnet.free]).toEqual(['10.0.0.16/28', 26]);
    expect([subnet.takePrefix(), subnet.free]).toEqual([undefined, 26]);
    subnet.releasePrefix('10.0.0.32/28');
    expect([subnet.free, subnet.takePrefix()]).toEqual([42, '10.0.0.32/28']);
    expect(all(subnet)).toHaveLength(26);
  });

  it('knows its own addresses', () => {
    const subnet = new Subnet({ id: 's', zone: 'z', cidr: '10.0.0.16/28' });
    const addresses = ['10.0.0.15', '10.0.0.16', '10.0.0.31', '10.0.0.32', 'x'];
    expect(addresses.filter((address) => subnet.holds(address))).toEqual(['10.0.0.16', '10.0.0.31']);
  });

  it('counts across octets', () => {
    const subnet = new Subnet({ id: 's', zone: 'z', cidr: '10.1.0.0/22' });
    const taken = all(subnet);
    expect(taken).toHaveLength(1019);
    expect(new Set(taken).size).toBe(1019);
    expect(taken).toContain('10.1.3.254');
    expect(taken).not.toContain('10.1.3.255');
  });
});
