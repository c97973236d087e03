import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aNode, at } from '../../test/builders/index.ts';
import { nodeOfMachine } from './nodes.ts';

const node = (name: string, changes: Parameters<typeof aNode>[0] = {}) => aNode({ name, ...changes });
const bare = { labels: {} };
const chosen = (...nodes: ReturnType<typeof node>[]) => nodeOfMachine(nodes)?.name;

describe('of several Nodes of a machine, its own', () => {
  it('is the Ready one, whoever was there first', () => {
    expect(chosen(node('a', { ready: false }), node('b', { ...bare, created: at(9) }))).toBe('b');
    expect(chosen(node('a', { ...bare, ready: false, created: at(9) }), node('b'))).toBe('b');
  });

  it('is the newest of those that are Ready', () =>
    expect(chosen(node('a', { created: at(1) }), node('b', { ...bare, created: at(2) }))).toBe('b'));

  it('stays what it was while none is Ready', () => {
    const old = node('b', { ready: false, created: at(1) });
    expect(chosen(node('a', { ...bare, ready: false, created: at(9) }), old)).toBe('b');
    const stale = node('b', { ready: false, created: at(9), stale: 'a' });
    expect(chosen(stale, node('a', { ready: false, created: at(1) }))).toBe('a');
  });

  it('does not depend on the order in which they are seen', () => {
    const any = fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      ready: fc.boolean(),
      created: fc.constantFrom(at(0), at(1)),
      labels: fc.constantFrom({}, node('a').labels),
      stale: fc.constantFrom(undefined, 'x'),
    });
    fc.assert(
      fc.property(fc.uniqueArray(any, { selector: ({ name }) => name, minLength: 1 }), (all) => {
        const nodes = all.map(({ name, ...changes }) => node(name, changes));
        expect(nodeOfMachine(nodes.toReversed())).toBe(nodeOfMachine(nodes));
        if (nodes.some(({ ready }) => ready)) expect(nodeOfMachine(nodes)?.ready).toBe(true);
      }),
    );
  });

  it('is none where there is none', () => expect(nodeOfMachine([])).toBeUndefined());
});
