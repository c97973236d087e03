import { PLACEMENT } from '../../src/api/v1alpha1/index.ts';
import type { PlacedRole, PlacementInput, PlacementPod } from '../../src/controllers/placement/input.ts';
import type { Allowance } from '../../src/controllers/placement/pace.ts';

/** Pods of platform us as placement sees them, and what it decides upon. */

export const ALWAYS: PlacedRole = { name: 'always-on', handover: 'Singleton' };
export const TIMED: PlacedRole = { name: 'timed', handover: 'Follow' };

/** A copy of an always-on task that runs on blue, placed by the operator and held by its finalizer. */
export const aPlacementPod = (changes: Partial<PlacementPod> = {}): PlacementPod => {
  const name = changes.name ?? 'pod';
  return {
    namespace: 'tasks',
    name,
    uid: `uid-${name}`,
    version: '1',
    platform: 'us',
    role: 'always-on',
    task: 'task',
    kind: 'lasting',
    created: 1000,
    order: 0,
    gated: false,
    selected: 'blue',
    node: 'n1',
    machine: 'aws:///a/i-1',
    labelled: true,
    finalizers: [PLACEMENT],
    leaving: false,
    graceless: false,
    hindrance: undefined,
    started: true,
    ended: false,
    generation: 'blue',
    nodeMachine: 'aws:///a/i-1',
    lost: false,
    off: false,
    ...changes,
  };
};

/** The same, waiting at its gate. */
export const aGatedPod = (changes: Partial<PlacementPod> = {}): PlacementPod =>
  aPlacementPod({
    gated: true,
    selected: undefined,
    generation: undefined,
    node: undefined,
    nodeMachine: undefined,
    machine: undefined,
    labelled: false,
    started: false,
    ...changes,
  });

/** More than any test needs. */
export const AMPLE: Allowance = { starts: 100, stops: 100, starting: 200, wait: 100 };

/** Platform us, live on blue, and its pods. */
export const aPlacement = (
  pods: PlacementPod[],
  { pace = AMPLE, ...platform }: Partial<NonNullable<PlacementInput['platform']>> & { pace?: Allowance } = {},
): PlacementInput => ({
  platform: {
    name: 'us',
    uid: 'uid-us',
    roles: [TIMED, ALWAYS],
    live: 'blue',
    stop: undefined,
    open: false,
    frozen: undefined,
    ...platform,
  },
  pods,
  pace: new Map([TIMED, ALWAYS].map(({ name }) => [name, pace])),
});
