import { describe, expect, it } from '@jest/globals';
import { aNode } from '../../../test/builders/index.ts';
import { decide, type MaintainedNode, type MaintenanceInput } from './decide.ts';

const allowance = { machines: '5%', window: '1h' };

/** Nodes of green in maintenance. `limit` may be out; `counted`: what is out beside them. */
function green(
  names: string[],
  {
    limit = 1,
    counted = [],
    missing = 0,
    sick = [],
  }: { limit?: number; counted?: string[]; missing?: number; sick?: string[] } = {},
): MaintainedNode[] {
  const all = new Set([...names, ...counted]);
  const radius = { limit, total: 20 * limit, used: all.size + missing, counted: all, missing };
  return names.map((name) => ({
    node: aNode({ name, maintenance: name, ready: !sick.includes(name) }),
    held: { generation: 'green', platform: 'us', radius, allowance },
  }));
}
const free = (name: string): MaintainedNode => ({ node: aNode({ name, maintenance: name }) });

const run = (
  nodes: MaintainedNode[],
  { begun = [], draining = [undefined] }: { begun?: string[]; draining?: (string | undefined)[] } = {},
) => {
  const input: MaintenanceInput = {
    nodes,
    namespaces: draining.map((value, i) => ({ name: `ns${i}`, draining: value })),
    begun: new Set(begun),
  };
  const decision = decide(input);
  return {
    draining: decision.draining,
    writes: decision.writes,
    begins: decision.begins.map(({ name }) => name),
    refused: decision.refusals.map(({ node }) => node.name),
    why: decision.refusals.map(({ why }) => why),
  };
};

describe('maintenance', () => {
  it('opens every protected namespace for the Nodes that may be drained, and closes it afterwards', () => {
    expect(run(green(['n2', 'n1'], { limit: 2 }), { draining: [undefined, 'n1', 'n1,n2'] })).toMatchObject({
      draining: ['n1', 'n2'],
      writes: [
        { namespace: 'ns0', draining: 'n1,n2' },
        { namespace: 'ns1', draining: 'n1,n2' },
      ],
    });
    expect(run([], { draining: ['n1', undefined] }).writes).toEqual([{ namespace: 'ns0', draining: null }]);
  });

  it('begins while there is room, and waits with the reason when there is none', () => {
    expect(run(green(['n1', 'n2']))).toMatchObject({ draining: ['n1'], begins: ['n1'], refused: ['n2'] });
    expect(run(green(['n1'], { counted: ['n7'], missing: 1 })).why).toEqual([
      'the blast radius of green is used up. 1 of its 20 machines may be out within 1h (5%), and 3 count now: n1, n7, 1 without a Node. It begins by itself when fewer are out; spec.blastRadius of Platform us says how many may be',
    ]);
  });

  it('that has begun goes on, whatever fails meanwhile, and whoever asks with an earlier name', () => {
    expect(run(green(['n1', 'n2'], { counted: ['n7'] }), { begun: ['n2'] })).toMatchObject({
      draining: ['n2'],
      begins: [],
      refused: ['n1'],
    });
    // A leader that has just started knows it from the namespaces, also when a person wrote it.
    expect(run(green(['n1', 'n2']), { draining: ['n2, n9'] })).toMatchObject({
      draining: ['n2'],
      begins: [],
      refused: ['n1'],
    });
  });

  it('of a sick machine takes nothing more away', () => {
    expect(run(green(['n1'], { counted: ['n7'], sick: ['n1'] }))).toMatchObject({ draining: ['n1'], refused: [] });
  });

  it('of what nothing holds needs no room', () => {
    expect(run([free('x'), free('y'), ...green(['n1', 'n2'])])).toMatchObject({
      draining: ['n1', 'x', 'y'],
      refused: ['n2'],
    });
  });

  it('is not what an annotation means that names another Node, nor a list that a person has left', () => {
    const copied = { ...green(['n1'])[0]!, node: aNode({ name: 'n1', maintenance: 'n2' }) };
    expect(run([copied], { draining: ['n1'] })).toMatchObject({
      draining: [],
      writes: [{ namespace: 'ns0', draining: null }],
    });
  });

  it('writes nothing when all is as it should be', () => {
    expect(run(green(['n1']), { draining: ['n1'] }).writes).toEqual([]);
    expect(run([], {}).writes).toEqual([]);
  });
});
