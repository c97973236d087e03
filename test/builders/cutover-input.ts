import type { CutoverInput, JobView } from '../../src/controllers/cutover/input.ts';
import type { HoldView, Member, TargetView } from '../../src/traffic/target.ts';
import { aCondition, aCutover, aGeneration, aPlatform, aServiceTarget, EPOCH, selectorFor } from './objects.ts';

export const aMember = (changes: Partial<Member> = {}): Member => {
  const machine = changes.machine ?? 'i-1';
  return { machine, launchTime: EPOCH, role: 'web', node: `node-${machine}`, ready: true, ...changes };
};

/** The Service target `www`, still at blue, that could go to green. */
export const aView = (changes: Partial<TargetView> = {}): TargetView => ({
  target: 'www',
  role: 'web',
  now: selectorFor('blue'),
  wanted: selectorFor('green'),
  serving: false,
  waitingFor: 'endpoints of www',
  ...changes,
});

/** The maintenance responder of a target, ready and not yet in front of it. */
export const aHoldView = (changes: Partial<HoldView> = {}): HoldView => ({
  wanted: { app: 'maintenance' },
  serving: false,
  waitingFor: 'endpoints of the maintenance responder',
  ...changes,
});

/** A Job that runs, and is kept until its end is written down. */
export const aJobView = (name: string, changes: Partial<JobView> = {}): JobView => ({
  name,
  uid: `uid-${name}`,
  state: 'Running',
  message: '',
  kept: { job: true, pods: [] },
  ...changes,
});

/** A cutover from blue, which is live, to green, which is ready: nothing is in its way and nothing has begun. */
export const aCutoverInput = (changes: Partial<CutoverInput> = {}): CutoverInput => ({
  cutover: aCutover({ from: 'blue' }),
  platform: aPlatform({ live: 'blue', spec: { traffic: [aServiceTarget()] } }),
  from: aGeneration({ name: 'blue', live: true }),
  to: aGeneration({ status: { conditions: [aCondition()] } }),
  kept: [],
  first: undefined,
  superseded: undefined,
  successor: undefined,
  members: ['i-1', 'i-2', 'i-3'].map((machine) => aMember({ machine })),
  machines: ['i-1', 'i-2', 'i-3'].map((id) => ({ id, tags: {}, state: 'running' as const })),
  left: ['i-7', 'i-8', 'i-9'].map((machine) => aMember({ machine })),
  targets: [aView()],
  back: [aView({ wanted: selectorFor('blue'), serving: true })],
  jobs: [],
  answers: [],
  tasks: [],
  sight: { seen: true },
  now: EPOCH + 60_000,
  scaled: (ms) => ms,
  ...changes,
});
