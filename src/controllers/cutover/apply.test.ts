import { beforeEach, describe, expect, it } from '@jest/globals';
import { aCutover, aCutoverInput, aGeneration, anApiServer, at } from '../../../test/builders/index.ts';
import { CUTOVER_FINALIZER, type Cutover, FLUX_SSA } from '../../api/v1alpha1/index.ts';
import { cutovers } from '../../kinds.ts';
import type { EventInput } from '../../kube/events.ts';
import { manualClock } from '../../runtime/clock.ts';
import { type Logger, silent } from '../../runtime/logger.ts';
import type { Context } from '../context.ts';
import { apply } from './apply.ts';
import type { CutoverDecision } from './decide.ts';
import { decide } from './decide.ts';
import { steps } from './steps/index.ts';

type Step = NonNullable<Cutover['status']['steps']>[number];

let lines: Record<string, unknown>[];
let events: EventInput[];
beforeEach(() => {
  lines = [];
  events = [];
});

/** Carries out a decision about a cutover whose status is `before`; what it says is in `lines` and `events`. */
async function carriedOut(
  before: Partial<Cutover['status']>,
  decided: (cutover: Cutover) => CutoverDecision,
  changes: Partial<Cutover['metadata']> = {},
) {
  const clock = manualClock();
  const server = anApiServer(clock.now);
  const { metadata, ...rest } = aCutover({ from: 'blue', metadata: { finalizers: [CUTOVER_FINALIZER], ...changes } });
  server.seed(cutovers, { ...rest, metadata, status: before });
  const client = server.client();
  const log: Logger = {
    ...silent,
    info: (message, fields) => void lines.push({ message, ...fields }),
    child: () => log,
  };
  const context = {
    ...{ client, clock, log, leaseAge: () => 0 },
    events: { record: (event: EventInput) => void events.push(event), flush: async () => {} },
  } as unknown as Context;
  const cutover = await client.get(cutovers, metadata.name);
  const input = aCutoverInput({ cutover, from: aGeneration({ name: 'blue', live: true }), to: aGeneration() });
  await apply(context, input, decided(cutover));
}

const running = (...names: Step['name'][]): Step[] =>
  names.map((name) => ({ name, state: 'Running', startTime: at(0) }));
/** All of them, begun before, are in that state now. */
const turned = (state: Step['state'], ...names: Step['name'][]) =>
  carriedOut({ steps: running(...names) }, ({ status }) => ({
    status: { ...status, steps: running(...names).map((entry) => ({ ...entry, state, message: 'smoke' })) },
    effects: [],
    requeueAfter: 0,
  }));

describe('what a cutover says of its steps', () => {
  it.each(['Done', 'Undone', 'Failed'] as const)('names one that is %s in a field of the line', async (state) => {
    await turned(state, 'Hold');
    expect(lines).toMatchObject([{ message: 'Cutover', cutover: 'to-green', step: 'Hold', reason: `Step${state}` }]);
  });

  it('names none in a line about the whole cutover', async () => {
    await carriedOut({}, ({ status }) => ({
      status: { ...status, outcome: 'Succeeded' },
      effects: [],
      requeueAfter: 0,
    }));
    expect(lines).toMatchObject([{ reason: 'Succeeded' }]);
    expect(lines[0]).not.toHaveProperty('step');
  });

  it('does not say of steps that they were undone where there was nothing to undo', async () => {
    await turned('Undone', ...steps.map(({ name }) => name));
    const told = steps.filter(({ undo }) => undo.length > 0).map(({ name }) => name);
    expect(lines.map(({ step }) => step)).toEqual(told);
    expect(told).not.toContain('Preflight');
    expect(new Set(events.map(({ note }) => note)).size).toBe(told.length);
    lines = [];
    await turned('Done', 'Preflight', 'Approve');
    expect(lines.map(({ step }) => step)).toEqual(['Preflight', 'Approve']);
  });
});

describe('the last effect of a cutover', () => {
  it.each([
    ['Succeeded', 'Retain'],
    ['Aborted', 'Reserve'],
    ['RolledBack', 'Reserve'],
    ['Superseded', 'Reserve'],
  ] as const)('of one that has %s is logged with step %s', async (outcome, step) => {
    await carriedOut({ outcome }, (cutover) => decide(aCutoverInput({ cutover })));
    expect(lines).toMatchObject([
      { message: 'Cutover effect', effect: 'finalizer', object: 'Cutover to-green', cutover: 'to-green', step },
    ]);
  });
});

describe('an approval that vanishes', () => {
  const alice = { user: 'alice@example.com', planHash: 'p1' };
  const bob = { user: 'bob@example.com', planHash: 'p1' };
  const told = () => [...new Set(events.map(({ reason, type, note }) => `${type} ${reason} ${note}`))];
  const looked = (approvals: Cutover['status']['approvals'], metadata: Partial<Cutover['metadata']> = {}) =>
    carriedOut(
      { approvals: [alice, bob] },
      ({ status }) => ({
        status: { ...status, approvals },
        effects: [],
        requeueAfter: 0,
      }),
      metadata,
    );

  it('is told, with whose it was and of what', async () => {
    await looked([bob]);
    expect(told()).toEqual([
      'Warning ApprovalWithdrawn Cutover to-green: the approval of plan p1 by alice@example.com was taken back: by hand, or by a tool that makes spec what it is in Git (docs/gitops.md)',
    ]);
  });

  it.each([
    ['missing', {}],
    ['Override', { [FLUX_SSA]: 'Override' }],
  ])('is laid to Flux where its annotation is %s', async (is, annotations) => {
    await looked([], { annotations });
    expect(told()).toHaveLength(2);
    expect(told()[0]).toContain(`Flux takes approvals back where annotation ${FLUX_SSA} is ${is}: set it to Merge`);
  });

  it('is not told of one that is there, nor again', async () => {
    await looked([alice, bob]);
    expect(told()).toEqual([]);
  });
});
