import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LABEL } from '../api/v1alpha1/index.ts';
import { blastRadius, describeRadius, isOut, type Member, outages, roomFor } from './blast-radius.ts';

const GENERATION = 'uid-blue';
const HOUR = 3_600_000;
const allowance = { machines: '5%', window: '1h' };

const aNode = (name: string, changes: Partial<Member> = {}): Member => ({
  name,
  ready: true,
  unschedulable: false,
  maintenance: undefined,
  labels: { [LABEL.generationUID]: GENERATION },
  ...changes,
});

/** 60 Nodes, all in service. */
function aGeneration(size = 60) {
  const log = outages();
  const nodes = Array.from({ length: size }, (_, i) => aNode(`n${i}`));
  for (const node of nodes) log.observe(undefined, node, 0);
  const radius = (now: number, total = size) =>
    blastRadius(allowance, total, log.of(GENERATION), { now, scaled: (ms) => ms });
  return { log, nodes, radius };
}

describe('the blast radius', () => {
  it('is a share of the machines, rounded down, and at least one', () => {
    const limit = (total: number, machines: string) =>
      blastRadius({ machines, window: '1h' }, total, outages().of('x'), { now: 0, scaled: (ms) => ms }).limit;
    expect([limit(60, '5%'), limit(59, '5%'), limit(3, '5%'), limit(0, '5%'), limit(7, '50%')]).toEqual([
      3, 2, 1, 1, 3,
    ]);
  });

  it('is untouched while all machines are in service', () => {
    expect(aGeneration().radius(0)).toMatchObject({ limit: 3, used: 0, missing: 0 });
  });

  it.each<[string, Partial<Member>]>([
    ['not Ready', { ready: false }],
    ['cordoned', { unschedulable: true }],
    ['in maintenance', { maintenance: 'n0' }],
  ])('counts a Node that is %s', (_, changes) => {
    const { log, nodes, radius } = aGeneration();
    log.observe(nodes[0], aNode('n0', changes), 0);
    expect([...radius(1).counted]).toEqual(['n0']);
  });

  it('does not count a Node whose annotation names another one', () => {
    expect(isOut(aNode('n0', { maintenance: 'n1' }))).toBe(false);
  });

  it('counts a machine that is back until the window is over, from when it went', () => {
    const { log, nodes, radius } = aGeneration();
    const cordoned = aNode('n0', { unschedulable: true });
    log.observe(nodes[0], cordoned, 1_000);
    log.observe(cordoned, nodes[0], 2_000);
    expect(radius(1_000 + HOUR - 1).used).toBe(1);
    expect(radius(1_000 + HOUR).used).toBe(0);
  });

  it('scales the window', () => {
    const { log, nodes } = aGeneration();
    log.observe(nodes[0], aNode('n0', { ready: false }), 0);
    log.observe(aNode('n0', { ready: false }), nodes[0], 1);
    const used = (now: number) => blastRadius(allowance, 60, log.of(GENERATION), { now, scaled: (ms) => ms / 60 }).used;
    expect([used(59_999), used(60_000)]).toEqual([1, 0]);
  });

  it('counts a machine that is gone once, whether by name or by number', () => {
    const { log, nodes, radius } = aGeneration();
    log.observe(nodes[0], undefined, 0);
    expect(radius(1)).toMatchObject({ used: 1, missing: 0 });
    expect(radius(HOUR)).toMatchObject({ used: 1, missing: 1 });
    log.observe(undefined, aNode('replacement'), 10);
    expect(radius(11)).toMatchObject({ used: 1, missing: 0 });
    expect(radius(HOUR)).toMatchObject({ used: 0, missing: 0 });
  });

  it('counts machines that have no Node yet, and no loss in their coming up', () => {
    const { log, radius } = aGeneration();
    expect(radius(0, 62)).toMatchObject({ used: 2, missing: 2 });
    const booting = aNode('new', { ready: false });
    log.observe(undefined, booting, 0);
    log.observe(booting, aNode('new'), 1);
    expect(radius(2, 61).used).toBe(0);
  });

  it('counts from now what it finds taken out on purpose, as after a restart', () => {
    const { log, radius } = aGeneration();
    log.observe(undefined, aNode('old', { maintenance: 'old' }), 5);
    log.observe(aNode('old', { maintenance: 'old' }), aNode('old'), 6);
    expect(radius(HOUR, 61).used).toBe(1);
    expect(radius(HOUR + 5, 61).used).toBe(0);
  });

  it('counts what it has let go before the Node shows it, and forgets what came to nothing', () => {
    const { log, radius } = aGeneration();
    log.letGo(GENERATION, 'n7', 0);
    expect([radius(9_999).used, radius(10_000).used]).toEqual([1, 0]);
  });

  it('keeps generations apart, also of a Node that changes hands', () => {
    const { log, nodes, radius } = aGeneration();
    const moved = aNode('n0', { labels: { [LABEL.generationUID]: 'uid-green' }, ready: false });
    log.observe(nodes[0], moved, 0);
    expect([...log.of('uid-green').out]).toEqual(['n0']);
    expect(radius(1).counted.has('n1')).toBe(false);
  });

  it('forgets a generation that has no Node left', () => {
    const { log, nodes } = aGeneration(2);
    for (const node of nodes) log.observe(node, undefined, 0);
    expect(log.of(GENERATION).wentOut.size).toBe(0);
  });

  it('has room for one that counts already, and for others until it is used up', () => {
    const { log, nodes, radius } = aGeneration(40);
    expect(roomFor('n0', radius(0))).toBe(true);
    log.observe(nodes[0], aNode('n0', { unschedulable: true }), 0);
    log.observe(nodes[1], aNode('n1', { unschedulable: true }), 0);
    expect([roomFor('n0', radius(1)), roomFor('n2', radius(1))]).toEqual([true, false]);
  });

  it('says what has used it up, and not more names than people read', () => {
    const { log, nodes, radius } = aGeneration(8);
    for (const node of nodes.slice(0, 6)) log.observe(node, { ...node, ready: false }, 0);
    expect(describeRadius(radius(1, 9), allowance)).toBe(
      '1 of its 9 machines may be out within 1h (5%), and 7 count now: n0, n1, n2, n3, n4, 1 more, 1 without a Node',
    );
  });

  /** Whatever happens to Nodes: the count is that of a census, and what is out is never overlooked. */
  it('agrees with a census of the Nodes after any story', () => {
    const step = fc.record({
      node: fc.integer({ min: 0, max: 5 }),
      what: fc.constantFrom('ok', 'ready', 'cordon', 'maintenance', 'gone'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (story) => {
        const log = outages();
        const world = new Map<string, Member>();
        let now = 0;
        for (const { node, what } of story) {
          const name = `n${node}`;
          const before = world.get(name);
          const changes = {
            ok: {},
            ready: { ready: false },
            cordon: { unschedulable: true },
            maintenance: { maintenance: name },
          };
          const after = what === 'gone' ? undefined : aNode(name, changes[what]);
          if (!before && !after) continue;
          log.observe(before, after, ++now);
          if (after) world.set(name, after);
          else world.delete(name);
        }
        const out = [...world.values()].filter(isOut).map(({ name }) => name);
        const total = 6;
        const at = (time: number) =>
          blastRadius(allowance, total, log.of(GENERATION), { now: time, scaled: (ms) => ms });
        // Long after, only what is out or missing now counts; right after, never less than that.
        expect(at(now + 2 * HOUR).used).toBe(out.length + total - world.size);
        expect(at(now).used).toBeGreaterThanOrEqual(out.length + total - world.size);
        for (const name of out) expect(at(now).counted.has(name)).toBe(true);
        expect(at(now).used).toBeLessThanOrEqual(total);
      }),
    );
  });
});
