import { describe, expect, it } from '@jest/globals';
import { aCloud, aPool, aRefusal, CLUSTER } from '../../../test/builders/index.ts';
import { tagsOfMachine } from '../../domain/identity.ts';
import { revivals } from './revival.ts';

/** A cloud with `machines` that have run for a minute; `now` moves by itself only when told. */
async function site(machines = 2) {
  let now = 0;
  const cloud = aCloud(() => now);
  const pool = aPool();
  const tags = tagsOfMachine(pool, CLUSTER);
  await cloud.provider.launch(
    { token: 't', subnet: 'subnet-a', machines, template: pool.spec.template, tags },
    'planned',
  );
  now += 60_000;
  const looked: string[] = [];
  cloud.guardFate = (call, [id = '']) => void (call === 'protection' && looked.push(id));
  let process = revivals();
  return {
    cloud,
    looked,
    look: (doubtful = false) => process.look(cloud.provider, cloud.machines(), doubtful),
    restart: () => {
      process = revivals();
    },
    pass: (ms: number) => {
      now += ms;
    },
  };
}

describe('machines that run again after a stop', () => {
  it('are looked at until they are protected, and others not at all', async () => {
    const { cloud, look, looked, pass } = await site();
    expect(await look()).toEqual({ bare: [], unknown: 0 });
    cloud.lift('i-1', { termination: true });
    cloud.halt('i-1');
    expect(await look()).toEqual({ bare: [], unknown: 0 });
    pass(20_000);
    await look();
    await cloud.provider.start(['i-1'], 'recovery');
    expect(await look()).toEqual({ bare: ['i-1'], unknown: 0 });
    expect(await look()).toEqual({ bare: ['i-1'], unknown: 0 });
    await cloud.provider.protect('i-1');
    expect(await look()).toEqual({ bare: [], unknown: 0 });
    expect(await look()).toEqual({ bare: [], unknown: 0 });
    expect(looked).toEqual(['i-1', 'i-1', 'i-1']);
  });

  it('are all looked at once by a new process, where any of them may have been stopped', async () => {
    const { cloud, look, looked, restart } = await site();
    cloud.lift('i-2', { termination: true });
    restart();
    expect(await look(true)).toEqual({ bare: ['i-2'], unknown: 0 });
    await cloud.provider.protect('i-2');
    expect(await look(true)).toEqual({ bare: [], unknown: 0 });
    expect(await look(true)).toEqual({ bare: [], unknown: 0 });
    expect(looked).toEqual(['i-1', 'i-2', 'i-2']);
  });

  it('that cannot be looked at are neither protected nor bare', async () => {
    const { cloud, look } = await site();
    cloud.guardFate = (call, [id]) => {
      if (call === 'protection' && id === 'i-2') throw aRefusal('Throttled');
    };
    expect(await look(true)).toEqual({ bare: [], unknown: 1 });
    cloud.guardFate = () => {};
    expect(await look(true)).toEqual({ bare: [], unknown: 0 });
  });

  it('are looked at twenty at a time', async () => {
    const { look, looked } = await site(25);
    expect(await look(true)).toEqual({ bare: [], unknown: 5 });
    expect(await look(true)).toEqual({ bare: [], unknown: 0 });
    expect(looked).toHaveLength(25);
  });
});
