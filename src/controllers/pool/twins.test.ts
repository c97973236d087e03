import { describe, expect, it } from '@jest/globals';
import { aGeneration, aNode, aPool } from '../../../test/builders/index.ts';
import type { NodeView } from '../nodes.ts';
import { describeTwin, marksFor, twinNames } from './twins.ts';

const own = (changes: Partial<NodeView> = {}) => aNode({ name: 'own', ...changes });
const twin = (changes: Partial<NodeView> = {}) => aNode({ name: 'aaa-renamed', ready: false, ...changes });
const input = (node: NodeView, ...twins: NodeView[]) =>
  ({ pool: aPool(), generation: aGeneration(), nodes: new Map([[node.providerID, node]]), twins }) as never;

describe('a second Node of a machine', () => {
  it('is called stale where it has the labels of the pool, and the machine’s own Node is Ready', () => {
    expect(marksFor(input(own(), twin()))).toEqual([{ node: 'aaa-renamed', stale: 'own' }]);
    expect(marksFor(input(own(), twin({ stale: 'own' })))).toEqual([]);
  });

  it('is guarded again when the machine’s own Node is not Ready', () => {
    expect(marksFor(input(own({ ready: false }), twin({ stale: 'own' })))).toEqual([
      { node: 'aaa-renamed', stale: null },
    ]);
    expect(marksFor(input(own({ ready: false }), twin()))).toEqual([]);
  });

  it('is left alone without these labels, and with another generation’s', () => {
    expect(marksFor(input(own(), twin({ labels: {} })))).toEqual([]);
    expect(marksFor(input(own(), aNode({ pool: aPool({ generation: 'blue' }), name: 'x' })))).toEqual([]);
  });

  it('is not stale any more once it is the machine’s Node', () =>
    expect(marksFor(input(own({ stale: 'b' })))).toEqual([{ node: 'own', stale: null }]));

  it('is named, with what to do', () => {
    expect(twinNames(input(own(), twin({ name: 'z' }), twin()))).toEqual(['aaa-renamed', 'z']);
    expect(describeTwin('aaa-renamed', input(own(), twin()))).toBe(
      'Node aaa-renamed names machine aws:///us-east-1a/i-1, whose Node is own: a host that was renamed, or a second kubelet. It counts for nothing and gets no labels. Once it is not Ready it can be deleted: kubectl delete node aaa-renamed',
    );
  });
});
