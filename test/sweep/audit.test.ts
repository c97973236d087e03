import { describe, expect, it } from '@jest/globals';
import type { LedgerView } from '../../src/simulator/control/ledger.ts';
import { auditDestruction, auditRound } from './audit.ts';
import type { Write } from './proxy.ts';

const time = (second: number) => new Date(1_700_000_000_000 + second * 1000).toISOString();
const machine = (id: string, generation: string, more: object = {}) => ({
  id,
  tags: { 'generations.dev/generation': generation, 'generations.dev/pool': 'web' },
  launched: time(0),
  nodeRegistered: time(1),
  ...more,
});
const aLedger = (machines: object[], history: object[] = []) =>
  ({ machines, addresses: [{ allocationId: 'eipalloc-1', history }] }) as unknown as LedgerView;
let place = 0;
const aWrite = (write: Partial<Write>): Write => ({
  at: 'cloud',
  verb: 'PUT',
  object: '',
  destructive: false,
  body: {},
  number: 1,
  arrived: ++place,
  answered: ++place,
  status: 200,
  looked: {},
  ...write,
});
const retirement = (generation: string) =>
  aWrite({
    at: 'kubernetes',
    object: `clustergenerations/${generation}/status`,
    body: { status: { retiredTime: time(5) } },
  });
const termination = (id: string, looked?: number) =>
  aWrite({
    verb: 'TerminateInstances',
    object: id,
    destructive: true,
    looked: looked === undefined ? {} : { [id]: looked },
  });

describe('the audit of what was ended', () => {
  const ledger = aLedger([machine('i-1', 'old'), { id: 'i-2', tags: {} }]);

  it('accepts a machine of a retired generation that was looked at since', () => {
    const retired = retirement('old');
    place += 1;
    expect(auditDestruction([retired, termination('i-1', place)], ledger)).toEqual([]);
  });

  it('refuses one that is not retired, not looked at since, or nobody’s', () => {
    expect(auditDestruction([termination('i-1', 1)], ledger)[0]).toMatch(/^S2: .* which is not retired/);
    const stale = place;
    expect(auditDestruction([retirement('old'), termination('i-1', stale)], ledger)[0]).toMatch(/^S4: .* nobody has/);
    expect(auditDestruction([termination('i-2')], ledger)[0]).toMatch(/^S6: /);
  });

  it('refuses a deletion without preconditions', () => {
    const deletion = (preconditions?: object) =>
      aWrite({ at: 'kubernetes', verb: 'DELETE', object: 'pods/x/y', destructive: true, body: { preconditions } });
    expect(auditDestruction([deletion()], ledger)[0]).toMatch(/^S4: DELETE pods\/x\/y .* has no preconditions/);
    expect(auditDestruction([deletion({ uid: 'u', resourceVersion: '1' })], ledger)).toEqual([]);
  });
});

describe('the audit of a round', () => {
  const associate = aWrite({ verb: 'AssociateAddress', object: 'eipalloc-1,i-2' });
  const facts = {
    from: 'old',
    to: 'new',
    pools: { web: 1 },
    addresses: ['eipalloc-1'],
    writes: [associate],
    since: Date.parse(time(10)),
  };
  const moved = { time: time(11), instanceId: 'i-2' };
  const both = [machine('i-1', 'old'), machine('i-2', 'new')];

  it('accepts one move of each address to a machine that runs', () => {
    const before = { time: time(2), instanceId: 'i-1' };
    expect(auditRound(facts, aLedger(both, [before, moved]))).toEqual([]);
  });

  it('refuses two moves, none, and one to the wrong place', () => {
    expect(auditRound(facts, aLedger(both, [moved, moved]))[0]).toMatch(/^moved 2 times/);
    expect(auditRound(facts, aLedger(both))[0]).toMatch(/^moved 0 times/);
    expect(auditRound({ ...facts, writes: [associate, associate] }, aLedger(both, [moved]))[0]).toMatch(
      /2 times for 1/,
    );
    expect(auditRound(facts, aLedger(both, [{ time: time(11), instanceId: 'i-1' }]))[0]).toMatch(/no machine of new/);
    const late = [machine('i-1', 'old'), machine('i-2', 'new', { nodeRegistered: time(20) })];
    expect(auditRound(facts, aLedger(late, [moved]))[0]).toMatch(/^S1: .* does not run/);
  });

  it('refuses a machine too many, one that was ended, and any act that ends something', () => {
    const more = [...both, machine('i-3', 'new')];
    expect(auditRound(facts, aLedger(more, [moved]))).toEqual([
      'S8: pool new.web had 2 machines at once, 1 are desired',
    ]);
    const ended = [machine('i-1', 'old', { stopped: time(12) }), machine('i-2', 'new')];
    expect(auditRound(facts, aLedger(ended, [moved]))).toEqual(['S2: machine i-1 of old was ended']);
    const writes = [associate, termination('i-1')];
    expect(auditRound({ ...facts, writes }, aLedger(both, [moved]))).toEqual([
      'S5: TerminateInstances i-1 during a cutover',
    ]);
  });
});
