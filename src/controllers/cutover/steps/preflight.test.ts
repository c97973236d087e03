import { describe, expect, it } from '@jest/globals';
import {
  aCondition,
  aCutover,
  aCutoverInput,
  aGeneration,
  aMember,
  aPlatform,
  aPoolSpec,
  at,
  aView,
} from '../../../../test/builders/index.ts';
import type { CutoverInput } from '../input.ts';
import { objectionTo, preflight } from './preflight.ts';

const ready = { conditions: [aCondition()] };
const green = (changes: Parameters<typeof aGeneration>[0] = {}) =>
  aGeneration({ ...changes, status: { ...ready, ...changes?.status } });
const unwritten = () => {
  const platform = aPlatform({ live: 'blue' });
  delete platform.status.protected;
  return platform;
};
const begun = (uid: string) => aCutover({ from: 'blue', status: { generations: { to: { name: 'green', uid } } } });
const guarded = (guard: { effective: boolean; lastProbeTime: string }) =>
  aPlatform({ live: 'blue', status: { guard: { ...guard, probes: [] } } });
const three = ['i-1', 'i-2', 'i-3'].map((machine) => aMember({ machine }));

const ROWS: [string, Partial<CutoverInput>, string, string][] = [
  ['no Platform', { platform: undefined }, 'PlatformNotFound', 'Platform us does not exist: create it'],
  ['a Platform without a status', { platform: unwritten() }, 'PlatformNotReady', 'has no status.protected yet'],
  [
    'a Platform that asks for what is not built',
    { platform: aPlatform({ live: 'blue', spec: { approvals: { required: 2 } } }) },
    'NotImplemented',
    'spec.approvals.required',
  ],
  ['no target', { to: undefined }, 'TargetNotFound', 'ClusterGeneration green does not exist: create it'],
  [
    'a target of another platform',
    { to: green({ spec: { platform: 'eu' } }) },
    'WrongPlatform',
    'belongs to Platform eu, not to us',
  ],
  ['a target that is being deleted', { to: green({ deleting: true }) }, 'TargetDeleted', 'is being deleted'],
  [
    'a namesake of the target',
    { cutover: begun('another') },
    'TargetReplaced',
    'is not the one that this cutover began with',
  ],
  [
    'a retired target',
    { to: green({ retired: true }) },
    'TargetRetired',
    `was retired at ${at(60)} and never comes back`,
  ],
  [
    'a target that was live',
    { to: green({ live: true }) },
    'TargetWasLive',
    'mode Rollback, which this version does not do yet',
  ],
  [
    'a target of another cutover',
    { to: green({ reservedBy: 'other' }) },
    'TargetReserved',
    'is reserved by Cutover other',
  ],
  [
    'no source',
    { from: undefined },
    'SourceNotFound',
    'ClusterGeneration blue, from which this cutover moves, does not exist',
  ],
  [
    'a source that is not live any more, though it has begun',
    { cutover: begun('uid-green'), platform: aPlatform({ live: 'other' }) },
    'SourceNotLive',
    'other is live, and Cutover to-green has begun from blue: another Cutover was faster',
  ],
  [
    'a target that does not fit',
    {
      to: green({
        status: {
          conditions: [
            aCondition({
              type: 'CapacityProved',
              status: 'False',
              reason: 'InsufficientAddresses',
              message: '9 short',
            }),
          ],
        },
      }),
    },
    'InsufficientAddresses',
    'does not fit beside the live one: 9 short',
  ],
  [
    'a target that is not ready',
    { to: green({ status: { conditions: [aCondition({ status: 'False', message: '1 of 3' })] } }) },
    'TargetNotReady',
    'green is not ready: 1 of 3',
  ],
  [
    'a target that was changed since it was ready',
    { to: green({ metadata: { generation: 2 } }) },
    'TargetNotReady',
    'green is not ready: the operator has not looked at it yet',
  ],
  ['a cloud that cannot be asked', { members: { reason: 'Unauthorized', message: 'no' } }, 'Unauthorized', 'no'],
  [
    'a machine that is missing',
    { members: three.slice(1) },
    'TargetNotReady',
    'role web has 2 of 3 machines ready (pool web asks for 3)',
  ],
  [
    'a machine that is not Ready',
    { members: [...three.slice(1), aMember({ ready: false })] },
    'TargetNotReady',
    'role web has 2 of 3 machines ready',
  ],
  [
    'a traffic target that cannot be switched',
    { targets: [aView(), aView({ target: 'api', problem: { reason: 'NoReadyEndpoints', message: 'none' } })] },
    'NoReadyEndpoints',
    'none',
  ],
  [
    'a guard with a hole',
    { platform: guarded({ effective: false, lastProbeTime: at(50) }) },
    'GuardNotEffective',
    'the guard of Platform us is not proved',
  ],
  [
    'a guard that nobody has probed for minutes',
    { platform: guarded({ effective: true, lastProbeTime: at(-200) }) },
    'GuardNotEffective',
    'was last probed at',
  ],
];

describe('Preflight', () => {
  it('passes when nothing is in the way', () => {
    expect(objectionTo(aCutoverInput())).toBeUndefined();
    expect(preflight.done(aCutoverInput())).toBe(true);
  });

  it('passes for what this very cutover has reserved or made live', () => {
    expect(
      objectionTo(aCutoverInput({ cutover: begun('uid-green'), to: green({ reservedBy: 'to-green' }) })),
    ).toBeUndefined();
    expect(objectionTo(aCutoverInput({ to: green({ live: true, reservedBy: 'to-green' }) }))).toBeUndefined();
  });

  it('needs no source for the first cutover', () => {
    expect(objectionTo(aCutoverInput({ cutover: aCutover(), from: undefined, platform: aPlatform() }))).toBeUndefined();
  });

  it.each(ROWS)('is blocked by %s', (_, changes, reason, message) => {
    const input = aCutoverInput(changes);
    expect(preflight.done(input)).toBe(false);
    expect(preflight.act(input)).toEqual({ blocked: { reason, message: expect.stringContaining(message) } });
  });

  it('of a Recovery does not wait for the guard: what it moves is lost already', () => {
    const platform = guarded({ effective: false, lastProbeTime: at(50) });
    const cutover = aCutover({ from: 'blue', spec: { mode: 'Recovery' } });
    expect(objectionTo(aCutoverInput({ platform, cutover }))).toBeUndefined();
  });

  it('counts a role over all its pools', () => {
    const pools = [aPoolSpec({ machines: 2 }), aPoolSpec({ name: 'web-2', machines: 2 })];
    expect(objectionTo(aCutoverInput({ to: green({ spec: { pools } }) }))?.message).toContain(
      'role web has 3 of 4 machines ready',
    );
  });
});
