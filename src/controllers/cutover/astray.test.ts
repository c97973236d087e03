import { describe, expect, it } from '@jest/globals';
import {
  aCutover,
  aCutoverInput,
  aHoldView,
  anAddressTarget,
  aPlatform,
  aServiceTarget,
  aView,
  selectorFor,
} from '../../../test/builders/index.ts';
import { STEPS, type StepName, type SwitchState } from '../../api/v1alpha1/index.ts';
import type { TargetView } from '../../traffic/target.ts';
import { astray } from './astray.ts';
import { decide } from './decide.ts';
import type { CutoverInput } from './input.ts';
import type { Entry } from './standing.ts';

const blue = selectorFor('blue');
const green = selectorFor('green');
const maintenance = { app: 'maintenance' };
const foreign = { app: 'party' };
const direct: Entry = { target: 'www', from: blue, to: green, state: 'Verified' };
const held: Entry = { ...direct, hold: maintenance, state: 'Held' };
const generations = { from: { name: 'blue', uid: 'uid-blue' }, to: { name: 'green', uid: 'uid-green' } };

function given(entry: Entry, now: SwitchState, view: Partial<TargetView> = {}, changes: Partial<CutoverInput> = {}) {
  const hold = aHoldView({ serving: true });
  return aCutoverInput({
    cutover: aCutover({ from: 'blue', status: { generations, switches: [entry] } }),
    platform: aPlatform({ live: 'blue', spec: { traffic: [aServiceTarget()] } }),
    targets: [aView({ now, wanted: green, hold, ...view })],
    back: [aView({ now, wanted: blue, hold, ...view })],
    ...changes,
  });
}

describe('a target that was brought where it has to be', () => {
  it.each<[string, Entry, SwitchState, StepName, RegExp]>([
    [
      'let through while data is migrated',
      held,
      blue,
      'Migrate',
      /www is at .*blue, and this cutover had brought it to app=maintenance/,
    ],
    ['held, and pointed elsewhere', held, foreign, 'Verify', /www is at app=party: this cutover found it/],
    ['switched, and pointed elsewhere', direct, foreign, 'Soak', /www is at app=party: this cutover found it/],
    ['switched, and put back', direct, blue, 'Restore', /www is at .*blue, and this cutover had brought it to .*green/],
    [
      'released, and held by a person',
      { ...held, state: 'Verified' },
      maintenance,
      'Soak',
      /www is at app=maintenance, and/,
    ],
  ])('and is changed by somebody else since: %s', (_, entry, now, step, message) => {
    expect(astray(given(entry, now), step)).toEqual({
      reason: 'ForeignChange',
      message: expect.stringMatching(message),
    });
  });

  it.each<[string, CutoverInput, StepName]>([
    ['it is where it was brought', given(held, maintenance), 'Migrate'],
    ['it does not serve at the moment', given(direct, green, { serving: false }), 'Soak'],
    ['the step itself moves it', given(held, green), 'Release'],
    ['it was not seen to be there yet', given({ ...direct, state: 'Switched' }, foreign), 'Point'],
    ['it cannot be looked at', given(direct, {}, { unseen: true }), 'Soak'],
    ['it was taken out of the Platform', given(direct, foreign, {}, { platform: aPlatform({ live: 'blue' }) }), 'Soak'],
    ['all is over', given(direct, foreign), 'Retain'],
  ])('and has not strayed when %s', (_, input, step) => expect(astray(input, step)).toBeUndefined());

  it('of several addresses is the operator’s business no more when a machine of the new generation has it', () => {
    const spec = anAddressTarget({ name: 'www' });
    const entry: Entry = { target: 'www', from: { a: 'i-old' }, to: { a: 'i-1' }, state: 'Verified' };
    const at = (machine: string, serving: boolean) =>
      given(
        entry,
        { a: machine },
        { parts: true, serving, wanted: { a: machine } },
        {
          platform: aPlatform({ live: 'blue', spec: { traffic: [spec] } }),
        },
      );
    expect(astray(at('i-2', true), 'Soak')).toBeUndefined();
    expect(astray(at('i-foreign', false), 'Soak')).toMatchObject({ reason: 'ForeignChange' });
  });

  it('takes the whole cutover back', () => {
    const input = given(direct, foreign);
    const steps = [{ name: 'Soak' as const, state: 'Running' as const }];
    const done = STEPS.slice(0, STEPS.indexOf('Soak'));
    const status = {
      ...input.cutover.status,
      steps: [...done.map((name) => ({ name, state: 'Done' as const })), ...steps],
    };
    const decision = decide({
      ...input,
      cutover: { ...input.cutover, status, spec: { ...input.cutover.spec, soak: '1h' } },
    });
    expect(decision.status.undo).toMatchObject({ reason: 'ForeignChange' });
  });
});
