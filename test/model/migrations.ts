import { isDeepStrictEqual } from 'node:util';
import { JOB_FINALIZER } from '../../src/api/v1alpha1/index.ts';
import type { Action, Effect, JobView } from '../../src/controllers/cutover/input.ts';
import { releases } from '../../src/controllers/cutover/job-runs.ts';
import { viewOf } from '../../src/controllers/cutover/job-view.ts';
import { migrate } from '../../src/controllers/cutover/steps/migrate.ts';
import { type Entry, entryOf } from '../../src/controllers/cutover/steps/migration-journal.ts';
import { hasEnded } from '../../src/domain/tasks.ts';
import type { Job, Pod } from '../../src/kube/resources.ts';
import { aCutover, aCutoverInput, aPlatform, at, EPOCH } from '../builders/index.ts';
import type { Transitions } from './explore.ts';
import { Interner } from './interner.ts';

/**
 * The life of one migration: an operator that looks, writes and may die between any two acts, Kubernetes' controller of Jobs, its garbage
 * collector and a kubelet, and a person who deletes the Job whenever there is one. The real step decides by the real view.
 */

/** What keeps a migration from running twice; each is missed when it is taken out. */
export const KEEPERS = ['the finalizer on the Job and its pods', 'the UID in the journal'] as const;

export interface Life {
  reversible: boolean;
  /** People also take the finalizer off by force, of what the operator has seen: in the moment before, nothing would tell that it was there. */
  force: boolean;
  without?: (typeof KEEPERS)[number];
}

/** All that is explored to the end with everything in place. */
export const LIVES: Readonly<Record<string, Life>> = {
  'a reversible one, whose Job people delete': { reversible: true, force: false },
  'an irreversible one, whose Job people delete': { reversible: false, force: false },
  'a reversible one, whose Job vanishes by force': { reversible: true, force: true },
  'an irreversible one, whose Job vanishes by force': { reversible: false, force: true },
};

interface State {
  entry?: Entry;
  back: boolean;
  todo: Effect[];
  job?: { leaving: boolean; kept: boolean; made: boolean; end?: 'Complete' | 'Failed' };
  pod?: { phase: 'Running' | 'Succeeded' | 'Failed'; told: boolean; late: boolean; kept: boolean };
  /** The operator has looked since the Job was created. */
  seen: boolean;
  runs: number;
  /** Pods that run and that the API server does not show any more. */
  hidden: number;
}

const TEMPLATE = { spec: { template: { spec: { containers: [{ name: 'main', image: 'migrate:1' }] } } } };
const where = { namespace: 'jobs', serviceAccountName: 'cutover' };
const platform = aPlatform({ live: 'blue', spec: { jobs: where } });
const UID = 'uid-job';

export function lifeOf(life: Life): Transitions {
  const states = new Interner<State>();
  const first: State = { back: false, todo: [], seen: false, runs: 0, hidden: 0 };
  const migration = { name: 'schema', reversible: life.reversible, jobTemplate: TEMPLATE };
  const isKept = life.without !== KEEPERS[0];
  const of = (cells: Uint16Array): State => states.value(cells[0] ?? 0) ?? first;

  const inputOf = ({ entry, job, pod }: State) => {
    const key = entry?.job ?? '';
    const pods = pod ? [podOf(pod)] : [];
    const seen = pods.map((one) => ({ pod: one, ended: hasEnded(one, false) }));
    const view = viewOf({ name: key, job: job && jobOf(job), pods: seen, spec: {}, now: EPOCH + 60_000 });
    const cutover = aCutover({
      from: 'blue',
      spec: { migrations: [migration] },
      status: { ...(entry && { migrations: [entry] }) },
    });
    return aCutoverInput({ cutover, platform, jobs: [view].filter((one): one is JobView => one !== undefined) });
  };

  /** One look of the operator: its journal is written, its effects are still to be carried out. */
  const look = (state: State): State => {
    const input = inputOf(state);
    const action: Action | undefined = state.back
      ? migrate.undo(input)
      : migrate.done(input)
        ? undefined
        : migrate.act(input);
    const journal = action && 'journal' in action ? action.journal : undefined;
    const status = { ...input.cutover.status, ...journal };
    const entry = entryOf({ ...input, cutover: { ...input.cutover, status } }, migration);
    if (entry && life.without === KEEPERS[1]) delete entry.uid;
    const effects = action && 'effects' in action ? action.effects : [];
    // A failure turns it round unless it may be committed.
    const fails = action !== undefined && 'failed' in action;
    const back = state.back || (fails && (life.reversible || entry?.state === 'Failed'));
    return {
      ...state,
      ...(entry && { entry }),
      back,
      seen: state.seen || input.jobs.length > 0,
      todo: [...releases(input, status), ...effects],
    };
  };

  const carryOut = ({ todo: [effect, ...todo], ...state }: State): State => {
    const { job, pod } = state;
    if (effect?.do === 'startJob' && !job) {
      const made = effect.what.startsWith('keep');
      return {
        ...state,
        todo,
        seen: false,
        job: { leaving: false, kept: isKept, made, ...(made && { end: 'Failed' as const }) },
      };
    }
    if (effect?.do !== 'releaseJob') return { ...state, todo };
    const next: State = { ...state, todo };
    if (pod && effect.pods.length > 0) next.pod = { ...pod, kept: false };
    if (job && effect.job) next.job = { ...job, kept: false };
    return next;
  };

  return {
    width: 1,
    initial: () => Uint16Array.of(states.number(first)),
    next(cells, emit) {
      const state = of(cells);
      const { job, pod, entry, todo } = state;
      const to = (label: string, changes: Partial<State>, wrong?: string) =>
        emit(label, Uint16Array.of(states.number(collected({ ...state, ...changes }))), wrong);
      if (todo.length > 0) {
        to(`the operator: ${todo[0]?.what}`, carryOut(state));
        to('the operator dies', { todo: [] });
      } else {
        const next = look(state);
        if (!isDeepStrictEqual(next, state)) to('the operator looks', next, undoneEarly(state, next));
      }
      if (!state.back && life.reversible) to('a person aborts', { back: true });
      if (job && !job.leaving && !job.made && !job.end)
        to('the pod of the Job starts', {
          job: { ...job, made: true },
          pod: { phase: 'Running', told: false, late: false, kept: isKept },
          runs: state.runs + 1,
          hidden: state.hidden + (pod?.phase === 'Running' ? 1 : 0),
        });
      if (pod?.phase === 'Running')
        for (const phase of ['Succeeded', 'Failed'] as const)
          to(`its pod ends: ${phase}`, { pod: { ...pod, phase, late: pod.told } });
      if (job && !job.leaving && !job.end && pod && pod.phase !== 'Running')
        to('the Job ends', { job: { ...job, end: pod.phase === 'Succeeded' ? 'Complete' : 'Failed' } });
      // Once its failure is written down, a person who deletes it says that it is to be run again.
      if (job && !job.leaving && entry?.state !== 'Failed')
        to('a person deletes the Job', { job: { ...job, leaving: true } });
      if (life.force && state.seen && (job?.leaving || pod?.told)) {
        if (job?.kept) to('a person takes the finalizer off the Job', { job: { ...job, kept: false } });
        if (pod?.kept && !job) to('a person takes the finalizer off the pod', { pod: { ...pod, kept: false } });
      }
    },
    wrongWith: (cells) => {
      const { runs, pod, hidden } = of(cells);
      if (hidden > 0 && pod?.phase === 'Running') return 'S14: the migration runs in two pods at once';
      return runs > 1 ? 'S14: the migration runs a second time by itself' : undefined;
    },
  };
}

/** What the garbage collector and the API server do at once. */
function collected({ job, pod, ...state }: State): State {
  const gone = job?.leaving && !job.kept;
  const left = pod && gone ? { ...pod, told: true } : pod;
  const isOver = left?.told && left.phase !== 'Running' && !left.kept;
  return { ...state, ...(job && !gone && { job }), ...(left && !isOver && { pod: left }) };
}

/** Going back is over, and the migration runs. */
const undoneEarly = ({ back, pod }: State, next: State): string | undefined =>
  back && pod?.phase === 'Running' && (next.entry?.state === 'Failed' || next.entry?.state === 'Undone')
    ? 'S14: the migration counts as ended while it runs'
    : undefined;

const jobOf = ({ leaving, kept, end }: NonNullable<State['job']>): Job =>
  ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: 'job',
      namespace: 'jobs',
      uid: UID,
      creationTimestamp: at(0),
      ...(leaving && { deletionTimestamp: at(0) }),
      finalizers: kept ? [JOB_FINALIZER] : [],
    },
    spec: {},
    status: { conditions: end ? [{ type: end, status: 'True' }] : [] },
  }) as unknown as Job;

function podOf({ phase, told, late, kept }: NonNullable<State['pod']>): Pod {
  const terminated = { exitCode: phase === 'Succeeded' ? 0 : 1, finishedAt: at(late ? 30 : 10) };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'pod',
      namespace: 'jobs',
      uid: 'uid-pod',
      creationTimestamp: at(0),
      labels: { 'batch.kubernetes.io/controller-uid': UID },
      finalizers: kept ? [JOB_FINALIZER] : [],
      ...(told && { deletionTimestamp: at(20), deletionGracePeriodSeconds: 0 }),
    },
    spec: { nodeName: 'node', containers: [{ name: 'main' }] },
    status: {
      phase,
      containerStatuses: [{ name: 'main', state: phase === 'Running' ? { running: {} } : { terminated } }],
    },
  } as unknown as Pod;
}
