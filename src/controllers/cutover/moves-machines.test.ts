import { describe, expect, it } from '@jest/globals';
import {
  aCloud,
  aCutover,
  aCutoverInput,
  aMember,
  anAddressTarget,
  aPlatform,
  EPOCH,
} from '../../../test/builders/index.ts';
import type { SwitchState } from '../../api/v1alpha1/index.ts';
import { elasticIPTarget } from '../../traffic/elastic-ip.ts';
import type { Action, CutoverInput } from './input.ts';
import type { Entry } from './standing.ts';
import { switchTraffic } from './steps/switch.ts';

/** Machines come and go while a cutover is under way: addresses that belong to one that is gone go to another. */

const spec = anAddressTarget({ name: 'ips', elasticIPs: { allocationIDs: ['a', 'b'] } });
const from = { a: 'i-old1', b: 'i-old2' };
const to = { a: 'i-1', b: 'i-2' };
const undo = { reason: 'Abort', message: '', time: new Date(EPOCH).toISOString() };

const ready = (...machines: string[]) =>
  machines.map((machine, n) => aMember({ machine, launchTime: EPOCH + n, node: `node-${machine}` }));

/** Addresses as they are at the cloud, seen for both generations with the machines that are Ready. */
async function given(
  now: Record<string, string>,
  {
    green = ['i-1', 'i-2'],
    blue = ['i-old1', 'i-old2'],
    ...entry
  }: Partial<Entry> & { green?: string[]; blue?: string[] } = {},
): Promise<CutoverInput> {
  const cloud = aCloud(() => EPOCH);
  Object.assign(cloud.addresses, now);
  const target = elasticIPTarget(async () => cloud.provider);
  const view = (generation: string, members: ReturnType<typeof ready>) =>
    target.view(spec, { platform: 'us', generation, members });
  const [members, left] = [ready(...green), ready(...blue)];
  const journal: Entry = { target: 'ips', from, to, state: 'Pending', ...entry };
  return aCutoverInput({
    cutover: aCutover({ from: 'blue', status: { switches: [journal], undo } }),
    platform: aPlatform({ live: 'blue', spec: { traffic: [spec] } }),
    members,
    left,
    targets: [await view('green', members)],
    back: [await view('blue', left)],
    now: EPOCH + 1000,
  });
}

const goalOf = (action: Action | undefined): SwitchState | undefined =>
  action && 'effects' in action
    ? action.effects.flatMap((effect) => (effect.do === 'switch' ? effect.moves : []))[0]?.to
    : undefined;
const stateOf = (action: Action | undefined) =>
  action && 'journal' in action ? action.journal?.switches?.[0]?.state : undefined;

describe('a machine of the new generation that is gone', () => {
  it('before its address was moved: another takes it, and that is written down first', async () => {
    const action = switchTraffic.act(await given(from, { green: ['i-2', 'i-3'] }));
    expect(goalOf(action)).toEqual({ a: 'i-3', b: 'i-2' });
    expect(action).toMatchObject({ journal: { switches: [{ from, to: { a: 'i-3', b: 'i-2' } }] } });
  });

  it('with its address: it is not believed to serve, and another takes it', async () => {
    const action = switchTraffic.act(await given(to, { green: ['i-2', 'i-3'], state: 'Switched' }));
    expect(stateOf(action)).not.toBe('Verified');
    expect(goalOf(action)).toEqual({ a: 'i-3', b: 'i-2' });
  });

  it('and whose address the cloud has taken away with it: nobody has changed that', async () => {
    const action = switchTraffic.act(await given({ ...to, a: '' }, { green: ['i-2', 'i-3'], state: 'Switched' }));
    expect(goalOf(action)).toEqual({ a: 'i-3', b: 'i-2' });
  });

  it('but an address that somebody takes from a machine that is there is a foreign change', async () => {
    expect(switchTraffic.act(await given({ ...to, a: '' }))).toMatchObject({ failed: { reason: 'ForeignChange' } });
  });

  it('has nobody in its place: the address stays where it is, and that is waited for', async () => {
    const action = switchTraffic.act(await given(from, { green: ['i-2'] }));
    expect(goalOf(action)).toBeUndefined();
    expect(action).toMatchObject({ waitFor: expect.stringContaining('only 1 Ready machines') });
  });

  it('that was only in the plan of another address changes nothing for it', async () => {
    expect(goalOf(switchTraffic.act(await given(from, { green: ['i-0', 'i-1', 'i-2'] })))).toEqual(to);
  });
});

describe('a machine of the old generation that is gone', () => {
  const back = async (now: Record<string, string>, how: Parameters<typeof given>[1] = {}) =>
    switchTraffic.undo(await given(now, { state: 'Verified', ...how }));

  it('has its address go back to another', async () => {
    const home = { a: 'i-old3', b: 'i-old2' };
    expect(goalOf(await back(to, { blue: ['i-old2', 'i-old3'] }))).toEqual(home);
    const there = await back(home, { blue: ['i-old2', 'i-old3'] });
    expect(goalOf(there)).toBeUndefined();
    expect(stateOf(there)).toBe('Reverted');
  });

  it('with none in its place keeps its address where it is served, until there is one', async () => {
    const action = await back(to, { blue: ['i-old2'] });
    expect(goalOf(action)).toEqual({ a: 'i-1', b: 'i-old2' });
    const then = await back({ a: 'i-1', b: 'i-old2' }, { blue: ['i-old2'] });
    expect(then).toMatchObject({ waitFor: expect.stringContaining('only 1 Ready machines') });
    expect(goalOf(await back({ a: 'i-1', b: 'i-old2' }, { blue: ['i-old2', 'i-old3'] }))).toEqual({
      a: 'i-old3',
      b: 'i-old2',
    });
  });

  it('and nobody serves now either: it goes back to where it was', async () => {
    expect(goalOf(await back({ ...to, a: 'i-1' }, { green: ['i-2'], blue: ['i-old2'] }))).toEqual(from);
  });
});

it('an address that points at nothing on the way back goes back: nobody is served there', async () => {
  const input = await given({ a: '', b: 'i-2' }, { state: 'Verified' });
  expect(goalOf(switchTraffic.undo(input))).toEqual(from);
});
