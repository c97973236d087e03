import type { Cutover, Platform } from '../../src/api/v1alpha1/index.ts';
import type { GenerationName } from './facts.ts';
import type { Lateness } from './operator.ts';

/** What can be taken out of the model, to see that it does something. */
export const PROTECTIONS = [
  'one-way retirement',
  "the write to the target's own object",
  'the live read before an end',
  'the versions of writes',
  'the reservation in status.protected',
  'the journal before the effects',
  'one cutover at a time',
  'the age of the lease before a call',
] as const;
export type Protection = (typeof PROTECTIONS)[number];

/** How much there is of everything, and who does what: what bounds an exploration. */
export interface Scenario {
  /** `retained`: Cutover AB has succeeded already, and A is kept. */
  start: 'A is live' | 'retained';
  generations: readonly GenerationName[];
  cutovers: Readonly<Record<string, Cutover['spec']>>;
  /** Cutovers that are there from the start. */
  present: readonly string[];
  /** Cutovers that a person applies at any time after another one has succeeded. */
  after: Readonly<Record<string, string>>;
  /** A Service, one with a maintenance responder, a set of addresses. */
  targets: readonly ('service' | 'held' | 'addresses')[];
  roles?: Platform['spec']['roles'];
  /** Decisions that may be under way at the same time, of the operator that leads and of former leaders. */
  operators: number;
  interlocks: number;
  people: readonly ('abort' | 'pause' | 'retire now' | 'delete' | 'shrink')[];
  /** Whether operators read everything at one instant, or in goes between which others act. */
  reads: 'at once' | 'apart';
  endpoints: readonly Lateness[];
  without: readonly Protection[];
  /** Whether every state is also left to one operator alone, to see it come to rest. */
  rest: boolean;
}

const cutover = (
  from: GenerationName,
  to: GenerationName,
  mode: 'Planned' | 'Rollback' = 'Planned',
): Cutover['spec'] => ({
  platform: 'us',
  from,
  to,
  mode,
});

/** A cutover from A to B, and a rollback that a person applies at any time after it. */
const BASE: Scenario = {
  start: 'A is live',
  generations: ['A', 'B'],
  cutovers: { AB: cutover('A', 'B'), BA: cutover('B', 'A', 'Rollback') },
  present: ['AB'],
  after: { BA: 'AB' },
  targets: ['service'],
  operators: 2,
  interlocks: 1,
  people: ['abort', 'delete', 'retire now', 'shrink'],
  reads: 'at once',
  endpoints: ['in time'],
  without: [],
  rest: true,
};

export const scenario = (changes: Partial<Scenario> = {}): Scenario => ({ ...BASE, ...changes });

/** Two cutovers from the same generation, applied at the same time. */
const RACE: Partial<Scenario> = {
  generations: ['A', 'B', 'C'],
  cutovers: { AB: cutover('A', 'B'), AC: cutover('A', 'C') },
  present: ['AB', 'AC'],
  after: {},
  interlocks: 0,
};

/** All that is explored to the end with everything in place. Together they go beyond what any one of them could in the time. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a cutover, and a rollback at any time after it': scenario(),
  'the same with two former leaders that go on': scenario({ operators: 3, people: ['abort', 'retire now'] }),
  'a rollback, with objects read one after the other': scenario({
    start: 'retained',
    reads: 'apart',
    people: ['abort', 'retire now'],
  }),
  'a target behind a maintenance responder, endpoints that never serve': scenario({
    targets: ['held'],
    endpoints: ['in time', 'too late'],
    people: ['abort'],
  }),
  'two kinds of targets, endpoints that are late': scenario({
    targets: ['service', 'held'],
    endpoints: ['in time', 'late'],
    people: ['abort'],
  }),
  'addresses beside a Service, endpoints that never serve': scenario({
    targets: ['service', 'addresses'],
    endpoints: ['in time', 'too late'],
    people: ['abort'],
  }),
  'a cutover that people pause': scenario({
    people: ['abort', 'pause'],
    interlocks: 0,
    cutovers: { AB: cutover('A', 'B') },
    after: {},
  }),
  'two cutovers race': scenario({ ...RACE, people: ['abort'] }),
};

/** Protections taken out, and where that must show. */
export const REMOVALS: readonly Scenario[] = PROTECTIONS.map((protection) =>
  protection === 'one cutover at a time'
    ? scenario({ ...RACE, people: [], without: [protection] })
    : scenario({ without: [protection], rest: false }),
);
