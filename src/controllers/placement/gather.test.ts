import { describe, expect, it } from '@jest/globals';
import { aClass, aNode, aPlatform, aPool, at } from '../../../test/builders/index.ts';
import { aPlacementPod } from '../../../test/builders/pods.ts';
import { type MachineState, ProviderError } from '../../providers/provider.ts';
import { manualClock } from '../../runtime/clock.ts';
import { silent } from '../../runtime/logger.ts';
import type { Context } from '../context.ts';
import type { NodeView } from '../nodes.ts';
import type { PodView } from '../pods.ts';
import { gather } from './gather.ts';
import { memory } from './memory.ts';

type Cloud = Record<string, MachineState> | ProviderError;

/** One pod, the Node that it is bound to if that is there, and the cloud; what is then known of the pod, and which machines were asked for. */
async function seen(
  pod: Partial<PodView>,
  node: NodeView | undefined,
  cloud: Cloud,
  { className = 'aws', ended = [] as string[] } = {},
) {
  const asked: string[] = [];
  const { generation: _, nodeMachine: __, lost: ___, off: ____, ...view } = aPlacementPod(pod);
  const clock = manualClock();
  const caches = {
    platforms: { get: () => aPlatform({ live: 'blue', spec: { className } }) },
    pods: { byIndex: () => [view] },
    nodes: { get: () => node },
    generations: { get: () => undefined },
    pools: { list: () => [aPool({ status: { ended: ended.map((id) => ({ id, time: at(0), known: 'Forgotten' })) } })] },
    classes: { get: (name: string) => (name === 'aws' ? aClass() : undefined) },
  };
  const provider = {
    find: async (ids: string[]) => {
      asked.push(...ids);
      if (cloud instanceof ProviderError) throw cloud;
      return ids.flatMap((id) => (cloud[id] ? [{ id, state: cloud[id] }] : []));
    },
  };
  const context = { caches, clock, log: silent, providerOf: async () => provider } as unknown as Context;
  const { pods } = await gather(context, 'us', memory(clock));
  const [{ off, lost, generation } = { off: undefined, lost: undefined, generation: undefined }] = pods;
  return { off, lost, generation, asked };
}

const sick = aNode({ name: 'n1', ready: false, providerID: 'aws:///a/i-1' });

describe('what is known of a pod', () => {
  it('is where it is: what its nodeSelector says, or else its Node', async () => {
    const green = aNode({ name: 'n1', labels: { 'generations.dev/generation': 'green' } });
    expect(await seen({ selected: undefined }, green, {})).toMatchObject({
      generation: 'green',
      lost: false,
      asked: [],
    });
    expect(await seen({}, green, {})).toMatchObject({ generation: 'blue' });
    expect(await seen({ selected: undefined, node: undefined }, undefined, {})).toMatchObject({
      generation: undefined,
      lost: false,
    });
  });

  it.each<[MachineState | undefined, boolean]>([
    ['pending', false],
    ['running', false],
    ['stopping', false],
    ['shutting-down', false],
    ['stopped', true],
    ['terminated', true],
    // It may be another account's, or one that it has forgotten: that nothing is shown is no proof.
    [undefined, false],
  ])('of a Node that does not answer is what the cloud says: %s', async (state, off) => {
    expect(await seen({}, sick, state ? { 'i-1': state } : {})).toMatchObject({ lost: true, off, asked: ['i-1'] });
    expect(await seen({}, undefined, state ? { 'i-1': state } : {})).toMatchObject({ lost: true, off, asked: ['i-1'] });
  });

  it('is that its machine is off when its pool has journalled that the cloud does not know it any more', async () => {
    expect(await seen({}, undefined, {}, { ended: ['i-1'] })).toMatchObject({ lost: true, off: true });
    expect(await seen({}, undefined, {}, { ended: ['i-2'] })).toMatchObject({ lost: true, off: false });
    // The cloud's own word is newer.
    expect(await seen({}, undefined, { 'i-1': 'running' }, { ended: ['i-1'] })).toMatchObject({ off: false });
    const trouble = new ProviderError('no answer', { reason: 'Unknown', code: 'X', refused: false });
    expect(await seen({}, undefined, trouble, { ended: ['i-1'] })).toMatchObject({ off: false });
  });

  it('takes both machines to be off when a new one has the name of the old one’s Node', async () => {
    const renamed = { ...sick, providerID: 'aws:///a/i-2' };
    expect(await seen({}, renamed, { 'i-1': 'terminated', 'i-2': 'running' })).toMatchObject({ off: false });
    expect(await seen({}, renamed, { 'i-1': 'running', 'i-2': 'terminated' })).toMatchObject({ off: false });
    expect(await seen({}, renamed, { 'i-1': 'terminated', 'i-2': 'stopped' })).toMatchObject({ off: true });
  });

  it('is nothing when no machine is on record, or the cloud does not answer, or has no class', async () => {
    const trouble = new ProviderError('no answer', { reason: 'Unknown', code: 'X', refused: false });
    expect(await seen({ machine: undefined }, undefined, { 'i-1': 'terminated' })).toMatchObject({
      off: false,
      asked: [],
    });
    expect(await seen({}, sick, trouble)).toMatchObject({ off: false, lost: true });
    expect(await seen({}, sick, { 'i-1': 'terminated' }, { className: 'absent' })).toMatchObject({
      off: false,
      asked: [],
    });
  });

  it('costs no question to the cloud while its Node is Ready, or when it has ended', async () => {
    expect(await seen({}, { ...sick, ready: true }, {})).toMatchObject({ asked: [] });
    expect(await seen({ ended: true }, undefined, {})).toMatchObject({ asked: [] });
  });
});
