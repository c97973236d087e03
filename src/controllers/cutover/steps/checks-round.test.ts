import { describe, expect, it } from '@jest/globals';
import {
  aCutover,
  aCutoverInput,
  aJobView,
  aPlatform,
  aServiceTarget,
  EPOCH,
} from '../../../../test/builders/index.ts';
import type { Cutover } from '../../../api/v1alpha1/index.ts';
import type { Action, Answer, CutoverInput, JobView } from '../input.ts';
import { jobName } from '../job-manifest.ts';
import { soak } from './soak.ts';
import { verify } from './verify.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const timeAt = (ms: number) => new Date(EPOCH + ms).toISOString();

type Check = NonNullable<Cutover['spec']['verify']>[number];
type Entry = NonNullable<Cutover['status']['checks']>[number];

const smoke: Check = { name: 'smoke', http: { target: 'www', path: '/healthz', expectStatus: 200 } };
const orders: Check = {
  name: 'orders',
  jobTemplate: { spec: { template: { spec: { containers: [{ name: 'c', image: 'orders' }] } } } },
};
const platform = aPlatform({
  live: 'blue',
  spec: {
    jobs: { namespace: 'jobs', serviceAccountName: 'cutover' },
    traffic: [aServiceTarget({ preview: { namespace: 'edge', name: 'www-preview' } })],
  },
});

const anEntry = (check: Check, changes: Partial<Entry> = {}): Entry => ({
  name: check.name,
  state: 'Running',
  round: 0,
  startTime: timeAt(0),
  ...changes,
});
const passed = (check: Check, changes: Partial<Entry> = {}) => anEntry(check, { state: 'Passed', ...changes });
const answered = (status: number): Answer => ({
  check: 'smoke',
  status,
  message: `GET http://www-preview.edge.svc:80/healthz was answered ${status}`,
});
const silence: Answer = { check: 'smoke', message: 'GET http://www-preview.edge.svc:80/healthz: no answer: refused' };
const astray: Answer = { check: 'smoke', astray: true, message: 'the preview of www does not show green' };
const jobOf = (round: number) =>
  `jobs/${jobName(aCutover({ from: 'blue' }), round === 0 ? 'verify' : 'soak', 'orders', round)}`;
const aJob = (round: number, state: JobView['state'], message = ''): JobView => ({
  ...aJobView(jobOf(round)),
  state,
  message,
});

/** Release was done at EPOCH. */
function inputAt(
  ms: number,
  checks: Check[],
  entries: Entry[],
  changes: Partial<CutoverInput> & { soak?: string } = {},
): CutoverInput {
  const { soak: time, ...rest } = changes;
  const steps: Cutover['status']['steps'] = [{ name: 'Release', state: 'Done', endTime: timeAt(0) }];
  const spec = { verify: checks, ...(time !== undefined && { soak: time }) };
  const cutover = aCutover({ from: 'blue', spec, status: { steps, ...(entries.length > 0 && { checks: entries }) } });
  return aCutoverInput({ cutover, platform, now: EPOCH + ms, ...rest });
}

const entriesOf = (action: Action): Entry[] => ('journal' in action && action.journal?.checks) || [];
const journalOf = (action: Action) =>
  (('journal' in action && action.journal?.checks) || []).map(({ name, state, round }) => `${name} ${state} ${round}`);
const effectsOf = (action: Action) => ('effects' in action ? action.effects.map(({ what }) => what) : []);

describe('Verify', () => {
  it('is skipped without checks, and when nothing becomes live', () => {
    expect(verify.skip?.(inputAt(0, [], []))).toBe('no checks');
    expect(verify.skip?.(inputAt(0, [smoke], []))).toBeUndefined();
    const decommission = aCutover({ from: 'blue', spec: { verify: [smoke], mode: 'Decommission' } });
    delete decommission.spec.to;
    expect(verify.skip?.(aCutoverInput({ cutover: decommission }))).toBe(
      'no generation becomes live that could be asked',
    );
  });

  it('begins all at once: shows the new generation in the preview, and starts the Jobs', () => {
    const action = verify.act(inputAt(0, [smoke, orders], []));
    expect(journalOf(action)).toEqual(['smoke Running 0', 'orders Running 0']);
    expect(action).toMatchObject({
      effects: [
        { do: 'preview', targets: ['www'], generation: 'green' },
        {
          do: 'startJob',
          name: jobOf(0),
          deadline: 10 * MINUTE,
          template: { spec: { ttlSecondsAfterFinished: 3600 } },
        },
      ],
    });
  });

  it('believes no answer before the network has followed the preview', () => {
    const early = verify.act(inputAt(1_999, [smoke], [anEntry(smoke)], { answers: [answered(200)] }));
    expect(early).toEqual({
      waitFor: 'check smoke of target www: GET http://www-preview.edge.svc:80/healthz was answered 200, expected 200',
    });
    const later = verify.act(inputAt(2_000, [smoke], [anEntry(smoke)], { answers: [answered(200)] }));
    expect(journalOf(later)).toEqual(['smoke Passed 0']);
    expect(verify.done(inputAt(2_000, [smoke], [passed(smoke)]))).toBe(true);
    expect(verify.done(inputAt(2_000, [smoke, orders], [passed(smoke), anEntry(orders)]))).toBe(false);
  });

  it('has 15 real seconds to be answered in a drill: nobody answers faster there', () => {
    const drill = { scaled: (ms: number) => ms / 12 };
    const look = (ms: number) =>
      verify.act({ ...inputAt(ms, [smoke], [anEntry(smoke)], { answers: [answered(500)] }), ...drill });
    expect(look(15 * SECOND)).toHaveProperty('waitFor');
    expect(look(15 * SECOND + 1)).toHaveProperty('failed');
  });

  describe('of a preview that is elsewhere', () => {
    const said = 'check smoke: the preview of www to show green';
    const away = anEntry(smoke, { message: said });
    const look = (ms: number, entry: Entry, answer: Answer) =>
      verify.act(inputAt(ms, [smoke], [entry], { answers: [answer] }));
    const checks = (action: Action) => 'journal' in action && action.journal?.checks;

    it('points it at the new generation again, within the same deadline', () => {
      const action = look(32 * SECOND, anEntry(smoke), astray);
      expect(effectsOf(action)).toEqual(['point the preview of www at green']);
      expect(checks(action)).toEqual([away]);
      const late = look(32 * SECOND + 1, away, astray);
      expect(late).toMatchObject({
        failed: { reason: 'CheckFailed', message: expect.stringContaining(astray.message) },
      });
      expect(journalOf(late)).toEqual(['smoke Failed 0']);
    });

    it('begins to count anew once it is seen in its place: those before may still answer', () => {
      const action = look(20 * SECOND, away, answered(200));
      expect(checks(action)).toEqual([anEntry(smoke, { startTime: timeAt(20 * SECOND) })]);
    });

    it('goes on trying after it has failed: past the point of no return nothing else would', () => {
      const action = look(60 * SECOND, anEntry(smoke, { state: 'Failed', message: 'first reason' }), astray);
      expect(effectsOf(action)).toEqual(['point the preview of www at green']);
      expect(checks(action)).toEqual([{ ...away, startTime: timeAt(60 * SECOND) }]);
    });
  });

  it.each([
    ['a wrong answer', answered(503), 'was answered 503'],
    ['no answer', silence, 'no answer: refused'],
  ])('tolerates %s until the deadline', (_, answer, said) => {
    const waiting = verify.act(inputAt(32 * SECOND, [smoke], [anEntry(smoke)], { answers: [answer] }));
    expect(waiting).toMatchObject({ waitFor: expect.stringContaining(said) });
    const action = verify.act(inputAt(32 * SECOND + 1, [smoke], [anEntry(smoke)], { answers: [answer] }));
    expect(journalOf(action)).toEqual(['smoke Failed 0']);
    expect(action).toMatchObject({ failed: { reason: 'CheckFailed', message: expect.stringContaining(said) } });
    expect('failed' in action && action.failed.message).toMatch(
      /^check smoke of target www: .*\/healthz.*expected 200$/,
    );
    const patient = { ...smoke, deadline: '5m' };
    expect(verify.act(inputAt(5 * MINUTE, [patient], [anEntry(smoke)], { answers: [answer] }))).toHaveProperty(
      'waitFor',
    );
  });

  it('waits without an answer, because nobody has asked', () => {
    expect(verify.act(inputAt(MINUTE, [smoke], [anEntry(smoke)]))).toEqual({ waitFor: 'check smoke: to be asked' });
  });

  it('goes on failing without another write, and passes when the answer is right at last', () => {
    const entry = anEntry(smoke, { state: 'Failed', message: 'first reason' });
    const again = verify.act(inputAt(MINUTE, [smoke], [entry], { answers: [silence] }));
    expect(again).toMatchObject({ failed: { reason: 'CheckFailed' }, journal: { checks: [entry] } });
    const action = verify.act(inputAt(MINUTE, [smoke], [entry], { answers: [answered(200)] }));
    expect(journalOf(action)).toEqual(['smoke Passed 0']);
    expect('journal' in action && action.journal?.checks?.[0]).not.toHaveProperty('message');
  });

  it('follows a Job to its end', () => {
    const running = [anEntry(orders, { job: jobOf(0), uid: `uid-${jobOf(0)}` })];
    const at = (...jobs: JobView[]) => verify.act(inputAt(MINUTE, [orders], running, { jobs }));
    expect(at(aJob(0, 'Running', 'it has no pod yet'))).toEqual({
      waitFor: `check orders: Job ${jobOf(0)} runs; it has no pod yet`,
    });
    expect(journalOf(at(aJob(0, 'Succeeded')))).toEqual(['orders Passed 0']);
    const failed = at(aJob(0, 'Failed', 'BackoffLimitExceeded. Last lines of pod x:\nno such order'));
    expect(journalOf(failed)).toEqual(['orders Failed 0']);
    expect(failed).toMatchObject({ failed: { message: expect.stringContaining('no such order') } });
    const hanging = inputAt(11 * MINUTE + 1, [orders], running, { jobs: [aJob(0, 'Running')] });
    expect(verify.act(hanging)).toMatchObject({ failed: { message: expect.stringContaining('deadline of 10m') } });
  });

  it('creates the Job that was not created, in the time that it had, wherever Jobs run by now', () => {
    const begun = anEntry(orders, { job: 'elsewhere/orders' });
    const action = verify.act(inputAt(MINUTE, [orders], [begun]));
    expect(effectsOf(action)).toEqual(['run check orders as Job elsewhere/orders']);
    expect(action).toMatchObject({ journal: { checks: [begun] } });
  });

  it('fails once when the end of its Job was not seen, and is asked again when people say so', () => {
    const uid = `uid-${jobOf(0)}`;
    const seen = [anEntry(orders, { job: jobOf(0), uid })];
    const lost = verify.act(inputAt(MINUTE, [orders], seen));
    expect(lost).toMatchObject({ failed: { message: expect.stringContaining('how it ended is not known') } });
    expect(effectsOf(lost)).toEqual([]);
    const failed = entriesOf(lost);
    expect(failed).toMatchObject([{ state: 'Failed', interrupted: true, uid }]);
    const again = verify.act(inputAt(2 * MINUTE, [orders], failed));
    expect(again).toMatchObject({ failed: { reason: 'CheckFailed' }, journal: { checks: failed } });
    const settled = (as: 'Ran' | 'DidNotRun') => {
      const input = inputAt(2 * MINUTE, [orders], failed);
      input.cutover.spec.settled = [{ uid, as }];
      return verify.act(input);
    };
    expect(effectsOf(settled('DidNotRun'))).toEqual([`run check orders as Job ${jobOf(0)}`]);
    expect(journalOf(settled('Ran'))).toEqual(['orders Passed 0']);
  });

  it('makes a Job that failed again once it is deleted', () => {
    const failed = [anEntry(orders, { state: 'Failed', message: 'why' })];
    const action = verify.act(inputAt(MINUTE, [orders], failed));
    expect(effectsOf(action)).toEqual([`run check orders as Job ${jobOf(0)}`]);
    expect(journalOf(action)).toEqual(['orders Running 0']);
  });

  it('starts nothing more once one has failed, and does not claim that it has', () => {
    const failed = aJob(0, 'Failed', 'why');
    const action = verify.act(inputAt(MINUTE, [orders, smoke], [anEntry(orders)], { jobs: [failed] }));
    expect(journalOf(action)).toEqual(['orders Failed 0']);
    expect(effectsOf(action)).toEqual([]);
  });

  it('takes nothing back', () => {
    expect(verify.undo(inputAt(0, [smoke], [passed(smoke)]))).toBeUndefined();
    expect(soak.undo(inputAt(0, [smoke], [passed(smoke)]))).toBeUndefined();
  });
});

describe('Soak', () => {
  it('is skipped only without both a time and checks', () => {
    expect(soak.skip?.(inputAt(0, [], []))).toBe('no soak, and no checks to ask again');
    expect(soak.skip?.(inputAt(0, [smoke], []))).toBeUndefined();
    expect(soak.skip?.(inputAt(0, [], [], { soak: '1h' }))).toBeUndefined();
  });

  it('without checks waits patiently for its time, counted from the release of traffic', () => {
    const input = inputAt(10 * MINUTE, [], [], { soak: '1h' });
    expect(soak.done(input)).toBe(false);
    expect(soak.act(input)).toEqual({
      waitFor: `soaking until ${timeAt(60 * MINUTE)}`,
      until: EPOCH + 60 * MINUTE,
      patiently: true,
    });
    expect(soak.done(inputAt(60 * MINUTE, [], [], { soak: '1h' }))).toBe(true);
  });

  it('counts in declared time', () => {
    const input = inputAt(MINUTE, [], [], { soak: '1h', scaled: (ms) => ms / 60 });
    expect(soak.done(input)).toBe(true);
  });

  it('asks every check once more after the switch, even without a time', () => {
    const before = [passed(smoke), passed(orders)];
    expect(soak.done(inputAt(MINUTE, [smoke, orders], before))).toBe(false);
    const action = soak.act(inputAt(MINUTE, [smoke, orders], before, { answers: [answered(200)] }));
    expect(journalOf(action)).toEqual(['smoke Passed 1', 'orders Running 1']);
    expect(effectsOf(action)).toEqual([`run check orders as Job ${jobOf(1)}`]);
    expect(jobOf(1)).not.toBe(jobOf(0));
    const once = [passed(smoke, { round: 1 }), passed(orders, { round: 1 })];
    expect(soak.done(inputAt(MINUTE, [smoke, orders], once))).toBe(true);
    expect(soak.done(inputAt(MINUTE, [smoke, orders], [once[0]!, anEntry(orders, { round: 1 })]))).toBe(false);
  });

  it('asks again every 30 s until its time is over, each check in rounds of its own', () => {
    const entries = [
      passed(smoke, { round: 4, startTime: timeAt(0) }),
      anEntry(orders, { round: 2, startTime: timeAt(0), job: jobOf(2), uid: `uid-${jobOf(2)}` }),
    ];
    const jobs = [aJob(2, 'Running')];
    const at = (ms: number) =>
      soak.act(inputAt(ms, [smoke, orders], entries, { soak: '1h', jobs, answers: [answered(200)] }));
    expect(journalOf(at(29_999))).toEqual([]);
    const asked = at(30_000);
    expect(journalOf(asked)).toEqual(['smoke Passed 5', 'orders Running 2']);
    expect(asked).toMatchObject({ patiently: true, waitFor: expect.stringContaining(`Job ${jobOf(2)} runs`) });
    expect(asked).not.toHaveProperty('until');
  });

  it('looks again when the next round is due, or its time is over', () => {
    const once = [passed(smoke, { round: 1, startTime: timeAt(MINUTE) })];
    expect(soak.act(inputAt(MINUTE + 5, [smoke], once, { soak: '1h' }))).toEqual({
      waitFor: `soaking until ${timeAt(60 * MINUTE)}`,
      patiently: true,
      until: EPOCH + MINUTE + 30 * SECOND,
    });
    const late = soak.act(inputAt(MINUTE + 5, [smoke], once, { soak: '80s' }));
    expect(late).toMatchObject({ until: EPOCH + 80 * SECOND });
  });

  it('begins no round once its time is over, and ends the one that it is in', () => {
    const entries = [anEntry(smoke, { round: 3, startTime: timeAt(50 * SECOND) })];
    expect(soak.done(inputAt(2 * MINUTE, [smoke], entries, { soak: '1m' }))).toBe(false);
    const action = soak.act(inputAt(2 * MINUTE, [smoke], entries, { soak: '1m', answers: [answered(200)] }));
    expect(journalOf(action)).toEqual(['smoke Passed 3']);
    const done = inputAt(2 * MINUTE, [smoke], [passed(smoke, { round: 3 })], { soak: '1m' });
    expect(soak.done(done)).toBe(true);
  });

  it('fails when a check does: after its deadline, or with its Job', () => {
    const entries = [anEntry(smoke, { round: 2, startTime: timeAt(0) })];
    const at = (ms: number) => soak.act(inputAt(ms, [smoke], entries, { soak: '1h', answers: [answered(500)] }));
    expect(at(32 * SECOND)).toMatchObject({ waitFor: expect.stringContaining('was answered 500'), patiently: true });
    expect(at(33 * SECOND)).toMatchObject({ failed: { reason: 'CheckFailed' } });
    const jobs = [aJob(2, 'Failed', 'why')];
    const action = soak.act(inputAt(MINUTE, [orders], [anEntry(orders, { round: 2 })], { soak: '1h', jobs }));
    expect(action).toMatchObject({ failed: { reason: 'CheckFailed' } });
    expect(journalOf(action)).toEqual(['orders Failed 2']);
  });

  it('begins a round with a wrong answer, and with a preview that somebody has moved', () => {
    const entries = [passed(smoke, { round: 2, startTime: timeAt(0) })];
    const wrong = soak.act(inputAt(MINUTE, [smoke], entries, { soak: '1h', answers: [answered(500)] }));
    expect(journalOf(wrong)).toEqual(['smoke Running 3']);
    const moved = soak.act(inputAt(MINUTE, [smoke], entries, { soak: '1h', answers: [astray] }));
    expect(journalOf(moved)).toEqual(['smoke Running 3']);
    expect(effectsOf(moved)).toEqual(['point the preview of www at green']);
    expect(soak.act(inputAt(MINUTE, [smoke], entries, { soak: '1h' }))).toEqual({
      waitFor: `soaking until ${timeAt(60 * MINUTE)}; check smoke: to be asked`,
      patiently: true,
    });
  });
});
