import { describe, expect, it } from '@jest/globals';
import { AMPLE, aGatedPod, aPlacement, aPlacementPod } from '../../../test/builders/pods.ts';
import { decide, type PlacementDecision } from './decide.ts';
import type { PlacementInput } from './input.ts';

/** What is done, by names of pods. */
const done = (input: PlacementInput) => {
  const { place, end, unfinalize, again } = decide(input);
  return {
    place: place.map(({ pod }) => pod.name),
    end: end.map(({ pod, because }) => `${pod.name} ${because}`),
    unfinalize: unfinalize.map(({ name }) => name),
    again,
  };
};
const nothing = { place: [], end: [], unfinalize: [], again: { pace: undefined, machines: false } };
const noted = ({ note }: PlacementDecision) => note.map(({ pod, ...what }) => [pod.name, what]);
const moved = { selected: 'old', generation: 'old' };

describe('a gated singleton', () => {
  it('starts on the live generation', () => {
    expect(decide(aPlacement([aGatedPod()])).place).toMatchObject([{ generation: 'blue', pod: { name: 'pod' } }]);
  });

  it.each([
    ['runs', {}],
    ['is on its way', { node: undefined, started: false }],
    ['is being deleted', { leaving: true }],
    ['was deleted by force', { leaving: true, graceless: true }],
    ['is on a machine that does not answer', { leaving: true, lost: true }],
    ['would come back with its machine', { lost: true, off: true }],
    ['runs elsewhere', { ...moved, kind: 'job' as const }],
    ['has a role that the platform does not have any more', { role: 'former' }],
  ])('waits while another copy %s', (_, other) => {
    expect(done(aPlacement([aPlacementPod({ name: 'other', ...other }), aGatedPod()])).place).toEqual([]);
  });

  it.each([
    ['has ended', { ended: true, leaving: true }],
    ['was on a machine that is off, and is being deleted', { leaving: true, graceless: true, lost: true, off: true }],
    ['is of another task', { task: 'another' }],
  ])('starts beside a copy that %s', (_, other) => {
    expect(done(aPlacement([aPlacementPod({ name: 'other', ...other }), aGatedPod()])).place).toEqual(['pod']);
  });

  it('is the oldest one of its task, also of roles that come later', () => {
    const pods = [
      aGatedPod({ name: 'b', created: 2000 }),
      aGatedPod({ name: 'a' }),
      aGatedPod({ name: 'c', created: 3000 }),
    ];
    expect(done(aPlacement(pods)).place).toEqual(['a']);
    const gone = aGatedPod({ name: 'a', leaving: true, ended: true });
    expect(done(aPlacement([pods[0]!, gone])).place).toEqual(['b']);
  });

  it('made in the same second as another waits until that one has been written to', () => {
    const [a, b] = [aGatedPod({ name: 'a' }), aGatedPod({ name: 'b' })];
    expect(done(aPlacement([a, b])).place).toEqual([]);
    expect(noted(decide(aPlacement([a, b])))).toEqual([['b', { task: true, machine: undefined, finalizer: false }]]);
    expect(done(aPlacement([a, { ...b, labelled: true }])).place).toEqual(['a']);
    expect(decide(aPlacement([a, { ...b, labelled: true }])).note).toEqual([]);
  });

  it.each<[string, Parameters<typeof aPlacement>[1]]>([
    ['no generation is live', { live: undefined }],
    ['a cutover holds it back', { stop: [] }],
    ['the platform is frozen', { frozen: 'the cloud says something else' }],
    ['the platform has no such role', { roles: [] }],
  ])('waits while %s', (_, platform) => {
    expect(done(aPlacement([aGatedPod()], platform))).toEqual(nothing);
  });
});

describe('a gated pod of a Follow role', () => {
  const follow = { role: 'timed', finalizers: [] };
  const pod = aGatedPod(follow);
  it('starts beside copies on the live generation, and those that are nowhere', () => {
    const others = [
      aPlacementPod({ ...follow, name: 'a' }),
      aPlacementPod({ ...follow, name: 'b', generation: undefined }),
    ];
    expect(done(aPlacement([...others, pod, { ...pod, name: 'pod2' }])).place).toEqual(['pod', 'pod2']);
  });

  it('waits for a copy on another generation, a Job’s too, which nobody ends', () => {
    const job = aPlacementPod({ ...follow, ...moved, name: 'job', kind: 'job' });
    expect(done(aPlacement([job, pod]))).toEqual(nothing);
    expect(done(aPlacement([{ ...job, ended: true }, pod])).place).toEqual(['pod']);
  });
});

describe('order and pace', () => {
  const waiting = [
    aGatedPod({ name: 'young', task: 'a', created: 5000 }),
    aGatedPod({ name: 'late', task: 'b', order: 2 }),
    aGatedPod({ name: 'early', task: 'c', order: -1, created: 9000 }),
    aGatedPod({ name: 'old', task: 'd' }),
  ];
  it('start those first that say so, then the oldest', () => {
    expect(done(aPlacement(waiting)).place).toEqual(['early', 'old', 'young', 'late']);
  });

  it('start no more than the pace allows, and look again', () => {
    const pace = { ...AMPLE, starts: 2, wait: 70 };
    expect(done(aPlacement(waiting, { pace }))).toMatchObject({ place: ['early', 'old'], again: { pace: 70 } });
  });

  it('wake nobody when the last that waits is started, or the last that is elsewhere is ended', () => {
    const pace = { ...AMPLE, starts: 1, stops: 1 };
    expect(done(aPlacement([aGatedPod()], { pace })).again.pace).toBeUndefined();
    expect(done(aPlacement([aPlacementPod(moved)], { pace })).again.pace).toBeUndefined();
  });

  it('have no more on their way than the ceiling; those wake the next look themselves', () => {
    const starting = aPlacementPod({ name: 'x', task: 'x', started: false });
    const pace = { ...AMPLE, starting: 3 };
    expect(done(aPlacement([starting, ...waiting], { pace }))).toMatchObject({
      place: ['early', 'old'],
      again: { pace: undefined },
    });
  });
});

describe('pods on another generation than the live one', () => {
  const elsewhere = ['a', 'b', 'c'].map((name) => aPlacementPod({ ...moved, name, task: name }));

  it('are ended at the pace, so that they come back', () => {
    expect(done(aPlacement(elsewhere, { pace: { ...AMPLE, stops: 2 } }))).toMatchObject({
      end: ['a moved', 'b moved'],
      again: { pace: 100 },
    });
  });

  it('are ended only as others have arrived', () => {
    const way = [
      aPlacementPod({ name: 'starting', task: 's', started: false }),
      aGatedPod({ name: 'ready', task: 'r' }),
      aPlacementPod({ ...moved, name: 'ending', task: 'e', leaving: true }),
    ];
    expect(done(aPlacement([...elsewhere, ...way], { pace: { ...AMPLE, starting: 4 } })).end).toEqual(['a moved']);
    expect(done(aPlacement([...elsewhere, ...way], { pace: { ...AMPLE, starting: 3 } })).end).toEqual([]);
    // One that never was started takes nobody's room.
    const withdrawn = aGatedPod({ name: 'withdrawn', task: 'w', leaving: true });
    expect(done(aPlacement([...elsewhere, withdrawn], { pace: { ...AMPLE, starting: 3 } })).end).toHaveLength(3);
  });

  it('are not held up by those on machines that do not answer: nobody knows when these will end', () => {
    const lost = [
      aPlacementPod({ ...moved, name: 'ending', task: 'e', leaving: true, lost: true }),
      aPlacementPod({ name: 'starting', task: 's', started: false, lost: true }),
    ];
    const pods = [...elsewhere, ...lost, aGatedPod({ name: 'ready', task: 'r' })];
    expect(done(aPlacement(pods, { pace: { ...AMPLE, starting: 2 } }))).toMatchObject({
      place: ['ready'],
      end: ['a moved'],
    });
  });

  it.each([
    ['a Job’s, which ends by itself', { kind: 'job' as const }],
    ['nobody’s, which nobody would make again', { kind: 'bare' as const }],
    ['one that is being deleted', { leaving: true }],
    ['one that was deleted by force, on a machine that is off', { off: true, graceless: true }],
    ['one on machines of no generation', { generation: undefined }],
    ['one of a role that the platform does not have', { role: 'former' }],
  ])('are left alone: %s', (_, changes) => {
    expect(done(aPlacement([aPlacementPod({ ...moved, ...changes })])).end).toEqual([]);
  });

  it('are left alone while nothing is live, or the platform is frozen', () => {
    for (const state of [{ live: undefined }, { frozen: 'x' }, { stop: [] }])
      expect(done(aPlacement(elsewhere, state)).end).toEqual([]);
  });
});

describe('while a cutover holds pods back', () => {
  it('those of the singleton roles that it names are ended, all of them, but not Jobs', () => {
    const pods = [
      aPlacementPod({ name: 'here', task: 'a' }),
      aPlacementPod({ ...moved, name: 'there', task: 'b' }),
      aPlacementPod({ name: 'starting', task: 'c', started: false }),
      aPlacementPod({ name: 'bare', task: 'd', kind: 'bare' }),
      aPlacementPod({ name: 'job', task: 'e', kind: 'job' }),
      aPlacementPod({ name: 'leaving', task: 'f', leaving: true }),
      aPlacementPod({ name: 'follows', task: 'g', role: 'timed' }),
      aGatedPod({ name: 'gated', task: 'h' }),
    ];
    const none = { ...AMPLE, starts: 0, stops: 0, starting: 0 };
    expect(done(aPlacement(pods, { stop: ['always-on', 'timed'], pace: none })).end).toEqual(
      ['here', 'there', 'starting', 'bare'].map((name) => `${name} quiesced`),
    );
    expect(done(aPlacement(pods, { stop: [] })).end).toEqual([]);
  });
});

describe('the finalizer', () => {
  it('goes when the pod has ended, whatever becomes of its role and platform', () => {
    const pods = [
      aPlacementPod({ name: 'succeeded', ended: true, kind: 'job' }),
      aPlacementPod({ name: 'former', ended: true, leaving: true, role: 'former' }),
      aGatedPod({ name: 'gated', ended: true, leaving: true }),
      aPlacementPod({ name: 'free', ended: true, finalizers: ['example.com/other'] }),
      aPlacementPod({ name: 'runs', leaving: true }),
    ];
    const gone = ['succeeded', 'former', 'gated'];
    expect(done(aPlacement(pods)).unfinalize).toEqual(gone);
    expect(done(aPlacement(pods, { frozen: 'x' })).unfinalize).toEqual(gone);
    expect(done({ ...aPlacement(pods), platform: undefined })).toEqual({ ...nothing, unfinalize: gone });
  });

  it('of a pod on a machine that is off goes after the pod has been ended without its kubelet', () => {
    const off = { lost: true, off: true };
    expect(done(aPlacement([aPlacementPod(off)]))).toEqual({ ...nothing, end: ['pod machine off'] });
    expect(done(aPlacement([aPlacementPod({ ...off, leaving: true })]))).toEqual({
      ...nothing,
      end: ['pod machine off'],
    });
    expect(done(aPlacement([aPlacementPod({ ...off, leaving: true, graceless: true })]))).toEqual({
      ...nothing,
      unfinalize: ['pod'],
    });
    expect(decide(aPlacement([aPlacementPod(off)])).end[0]?.force).toBe(true);
  });

  it('stays while nobody knows, and the cloud is asked again', () => {
    for (const lost of [{ leaving: true }, { leaving: true, graceless: true }, {}])
      expect(done(aPlacement([aPlacementPod({ ...lost, lost: true })]))).toEqual({
        ...nothing,
        again: { pace: undefined, machines: true },
      });
  });
});

describe('notes', () => {
  it('at the gate are for rivals alone: singletons that were made in the same second as the oldest', () => {
    const oldest = aGatedPod({ name: 'a' });
    expect(decide(aPlacement([oldest, aGatedPod({ name: 'b', created: 2000 })])).note).toEqual([]);
    const follow = { role: 'timed', finalizers: [] };
    expect(decide(aPlacement([aGatedPod(follow), aGatedPod({ ...follow, name: 'b' })])).note).toEqual([]);
    expect(decide(aPlacement([oldest, aGatedPod({ name: 'b', leaving: true })])).note).toEqual([]);
  });

  it('are no hurry: 200 at a time', () => {
    const pods = Array.from({ length: 201 }, (_, n) =>
      aPlacementPod({ name: `p${n}`, task: `t${n}`, labelled: false }),
    );
    expect(decide(aPlacement(pods)).note).toHaveLength(200);
  });

  it('are what has to be known later: the task, the machine, and a finalizer where admission gave none', () => {
    const bare = { labelled: false, machine: undefined, finalizers: [] };
    expect(noted(decide(aPlacement([aPlacementPod(bare)])))).toEqual([
      ['pod', { task: true, machine: 'aws:///a/i-1', finalizer: true }],
    ]);
    expect(noted(decide(aPlacement([aPlacementPod({ ...bare, role: 'timed' })])))).toEqual([
      ['pod', { task: true, machine: undefined, finalizer: false }],
    ]);
    expect(decide(aPlacement([aPlacementPod()])).note).toEqual([]);
    expect(noted(decide(aPlacement([aPlacementPod({ machine: undefined })])))).toEqual([
      ['pod', { task: false, machine: 'aws:///a/i-1', finalizer: false }],
    ]);
  });

  it('keep the machine that it was first seen on, and leave pods alone that end, or are let go by break-glass', () => {
    expect(decide(aPlacement([aPlacementPod({ nodeMachine: 'aws:///a/i-2' })])).note).toEqual([]);
    expect(decide(aPlacement([aPlacementPod({ labelled: false, ended: true })])).note).toEqual([]);
    expect(decide(aPlacement([aPlacementPod({ finalizers: [] })], { open: true })).note).toEqual([]);
    expect(decide(aPlacement([aPlacementPod({ finalizers: [], leaving: true })])).note).toEqual([]);
  });
});
