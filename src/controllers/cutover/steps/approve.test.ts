import { describe, expect, it } from '@jest/globals';
import { aCutover, aCutoverInput, aPlatform, at, EPOCH } from '../../../../test/builders/index.ts';
import { planOf } from '../plan.ts';
import { approve } from './approve.ts';

type Spec = NonNullable<Parameters<typeof aCutover>[0]>['spec'];
const needing = (required: number) => aPlatform({ live: 'blue', spec: { approvals: { required } } });
const input = (required: number, spec: Spec = {}) =>
  aCutoverInput({ cutover: aCutover({ from: 'blue', spec }), platform: needing(required) });
const { hash } = planOf(input(0));
const by = (...users: string[]) => users.map((user) => ({ user, planHash: hash }));
const [alice, bob] = ['alice@example.com', 'bob@example.com'];

describe('Approve', () => {
  it('passes when nobody has to', () => expect(approve.done(input(0))).toBe(true));

  it('waits patiently for distinct people who approve this very plan, and tells them how', () => {
    expect(approve.act(input(2, { approvals: by(alice) }))).toEqual({
      waitFor: `1 of 2 approvals of plan ${hash}: look at status.plan, then add {user: <your own user name>, planHash: ${hash}} to spec.approvals`,
      patiently: true,
      until: EPOCH + 70_000,
    });
    expect(approve.done(input(2, { approvals: by(alice, alice) }))).toBe(false);
    expect(approve.done(input(2, { approvals: by(alice, bob) }))).toBe(true);
  });

  it('does not count an approval of another plan, and says which part has changed', () => {
    const old = hash.split('-').with(1, 'aaaaaaaaaaaa').join('-');
    const stale = input(1, { approvals: [{ user: alice, planHash: old }] });
    expect(approve.done(stale)).toBe(false);
    expect(approve.act(stale)).toMatchObject({
      waitFor: expect.stringContaining('the plan has changed since it was approved (machines): 0 of 1'),
    });
  });

  it('takes two for a Decommission, whatever the platform asks for', () => {
    const ending = (users: string[]) => {
      const it = input(0, { mode: 'Decommission' });
      delete it.cutover.spec.to;
      const gone = { ...it, to: undefined, targets: [], machines: [] };
      const planHash = planOf(gone).hash;
      it.cutover.spec.approvals = users.map((user) => ({ user, planHash }));
      return gone;
    };
    expect(approve.done(ending([alice]))).toBe(false);
    expect(approve.done(ending([alice, bob]))).toBe(true);
  });

  it('waits for its window, and is Blocked after it: nothing has moved', () => {
    const early = input(0, { notBefore: at(600) });
    expect(approve.done(early)).toBe(false);
    expect(approve.act(early)).toMatchObject({ until: Date.parse(at(600)), patiently: true });
    expect(approve.done(input(0, { notBefore: at(60), notAfter: at(60) }))).toBe(true);
    const late = input(0, { notAfter: at(59) });
    expect(approve.done(late)).toBe(false);
    expect(approve.act(late)).toMatchObject({ blocked: { reason: 'WindowPassed' } });
    expect(approve.act(input(1, { notAfter: at(59) }))).toMatchObject({ blocked: { reason: 'WindowPassed' } });
  });

  it('of a Recovery needs no window', () => {
    expect(approve.done(input(0, { mode: 'Recovery', notBefore: at(600) }))).toBe(true);
    expect(approve.done(input(0, { mode: 'Recovery', notAfter: at(1) }))).toBe(true);
  });
});
