import { describe, expect, it } from '@jest/globals';
import { LABEL } from '../../../src/api/v1alpha1/index.ts';
import { live, release } from '../cast.ts';
import type { Evidence } from './evidence.ts';
import type { Line } from './judge.ts';
import { linesOf } from './lines.ts';
import { printTable } from './print.ts';
import { anEvidence, at, launchOf } from './story.ts';

/** Prints the table of some evidence. */
function judged(evidence: Evidence): { text: string; lines: Line[]; holds: boolean; failed: string[] } {
  const printed: string[] = [];
  const lines = linesOf(evidence);
  const holds = printTable({ print: (text) => printed.push(text) }, lines, {
    scale: evidence.scale,
    columns: 118,
  });
  return {
    text: printed.join('\n'),
    lines,
    holds,
    failed: lines.filter((line) => !line.holds).map(({ what }) => what),
  };
}

describe('the table of a story that went as it should', () => {
  it('holds in every line, with figures from the evidence', () => {
    const { text, lines, holds, failed } = judged(anEvidence());
    expect(failed).toEqual([]);
    expect(holds).toBe(true);
    expect(text).toContain('3 of 3');
    const here = lines.map((line) => line.here);
    // 20 real seconds at a scale of 15.
    expect(here).toContain('64 of 64 in 5.0 min, by one kubectl delete');
    expect(here).toContain('0 min: 5 of 5 looks found 60 endpoints or more, ready on running machines');
    expect(text).not.toContain('FAILED');
  });
});

const machine = (evidence: Evidence, generation: string, role = 'always-on') =>
  evidence.ledger.machines.find(({ tags }) => tags[LABEL.generation] === generation && tags[LABEL.role] === role)!;

const breakages: [line: string, what: string, spoil: (evidence: Evidence) => void][] = [
  [
    'A release that does not fit beside the live one',
    'a machine of it was asked for before it had a place',
    ({ ledger }) => ledger.calls.push(launchOf(release, 250)),
  ],
  [
    'A release that does not fit beside the live one',
    'its requests cannot be told from others in the ledger',
    ({ ledger }) => ledger.calls.shift(),
  ],
  [
    'A release that does not fit beside the live one',
    'it was refused without the sum',
    ({ refused }) => {
      refused.message = 'no';
    },
  ],
  [
    'Attempts on the live machines refused',
    'one Node of 180 was not refused',
    ({ mistaken }) => {
      mistaken.attempts[1]!.refused = 179;
    },
  ],
  [
    'Attempts on the live machines refused',
    'nothing was tried',
    (evidence) => {
      evidence.mistaken.attempts = [];
      evidence.removed.attempts = [];
    },
  ],
  [
    'Live machines stopped or terminated',
    'one was terminated before its generation was retired',
    (evidence) => {
      machine(evidence, live, 'web').terminated = at(599);
    },
  ],
  [
    'Live machines stopped or terminated',
    'the generation was never retired',
    ({ live: old }) => {
      delete old!.status.retiredTime;
    },
  ],
  [
    'Live generation after these attempts',
    'a Node was replaced by another of the same name',
    ({ mistaken }) => {
      mistaken.after.nodes[0]!.uid = 'another';
    },
  ],
  [
    'Live generation after these attempts',
    'it is being deleted',
    ({ mistaken }) => {
      mistaken.after.generation!.deleting = true;
      mistaken.before.generation!.deleting = true;
    },
  ],
  [
    'Half-started machines removed',
    'one was left behind',
    ({ half }) => {
      half.machines = 65;
    },
  ],
  [
    'Unexpected rate limits met',
    'one of the two operations was not asked for at all',
    ({ ledger }) => {
      ledger.calls.pop();
    },
  ],
  [
    'Unexpected rate limits met',
    'neither was',
    ({ ledger }) => {
      for (const call of ledger.calls) delete call.throttled;
    },
  ],
  [
    'Unexpected rate limits met',
    'a machine failed and another one was launched in its place',
    (evidence) => {
      evidence.ledger.machines.push({ ...machine(evidence, release), id: 'i-again', terminated: at(450) });
    },
  ],
  [
    'A new set of machines is up',
    'one of them does not run',
    ({ state }) => {
      state.instances[0]!.state = 'pending';
    },
  ],
  [
    'The release takes the traffic',
    'an endpoint is on a machine of the old generation',
    ({ website }) => {
      website.endpoints[0]!.nodeName = 'old';
    },
  ],
  [
    'The release takes the traffic',
    'the live pointer is elsewhere',
    ({ platform }) => {
      platform!.status.live!.uid = 'uid-live';
    },
  ],
  [
    'Time without websites',
    'a look found no endpoint',
    ({ looks }) => {
      looks[1]!.nodes = [];
    },
  ],
  [
    'Time without websites',
    'the pods counted as ready and their machines were gone',
    ({ ledger }) => {
      for (const record of ledger.machines)
        if (record.tags[LABEL.role] === 'web' && record.tags[LABEL.generation] === live) record.terminated = at(299);
    },
  ],
  [
    'Time without websites',
    'too often nobody knows',
    (evidence) => {
      evidence.unanswered = 1;
    },
  ],
  [
    'Time without consoles, notebooks, scheduled tasks',
    'a console machine lost its Node while it was live',
    (evidence) => {
      machine(evidence, live, 'console').nodeRemoved = at(300);
    },
  ],
  [
    'A release with a bug, found before users did',
    'it was not undone',
    ({ failed }) => {
      failed.outcome = 'Blocked';
    },
  ],
  [
    'A release with a bug, found before users did',
    'its migration was left in the database',
    ({ failedCutover }) => {
      failedCutover!.status.migrations![0]!.state = 'Committed';
    },
  ],
  [
    'Back to the old release, and forward again',
    'the way back failed',
    ({ rolledBack }) => {
      rolledBack.back.outcome = 'RolledBack';
    },
  ],
  [
    'Websites behind a maintenance page, in the cutover',
    'nobody measured it',
    ({ cutover }) => {
      delete cutover!.status.downtime;
    },
  ],
  [
    'Websites behind a maintenance page, in the cutover',
    'it lasted too long, even for a busy machine',
    ({ cutover }) => {
      cutover!.status.downtime![0]!.traffic = '3m';
    },
  ],
  [
    'Always-on tasks back',
    'one ran twice',
    ({ counts }) => {
      counts[0]!.twice = ['task-1'];
    },
  ],
  [
    'Always-on tasks back',
    'one does not run in the end',
    ({ counts }) => {
      counts.at(-1)!.running--;
    },
  ],
  [
    'Always-on tasks back',
    'a new machine was not there yet when traffic moved',
    (evidence) => {
      machine(evidence, release).nodeRegistered = at(511);
    },
  ],
  [
    'Old machines removed, by a Cutover that retired them',
    'all went at once',
    ({ ledger }) => {
      for (const record of ledger.machines) if (record.tags[LABEL.generation] === live) record.terminated = at(1200);
    },
  ],
  [
    'Old machines removed, by a Cutover that retired them',
    'the pace was twice what it may be',
    ({ ledger }) => {
      const old = ledger.machines.filter(({ tags }) => tags[LABEL.generation] === live);
      for (const [number, record] of old.entries()) record.terminated = at(610 + number / 20);
      old[0]!.terminated = at(1200);
    },
  ],
  [
    'Old machines removed, by a Cutover that retired them',
    'its record is gone',
    (evidence) => {
      evidence.live = undefined;
    },
  ],
  [
    'Most machines of a generation at one time',
    'there were more than desired',
    (evidence) => {
      evidence.ledger.machines.push({ ...machine(evidence, live), id: 'i-more' });
    },
  ],
  [
    'Public addresses',
    'one was released',
    ({ ledger }) =>
      ledger.calls.push({
        ...{ seq: 9, time: at(900), caller: 'operator', operation: 'ReleaseAddress', status: 200, requestId: 'r' },
        parameters: {},
      }),
  ],
  [
    'Public addresses',
    'one points at an old machine',
    ({ state }) => {
      state.addresses[0]!.instanceId = 'i-old';
    },
  ],
  [
    'Left over at the cloud, or missing there',
    'a pool does not know one of its machines',
    ({ pools }) => {
      pools[0]!.status.instances!.pop();
    },
  ],
  [
    'Left over at the cloud, or missing there',
    'a Node is left without a machine',
    ({ nodes }) => {
      nodes.stray = 'aws:///us-east-1a/i-stray';
    },
  ],
  [
    'A public address that somebody moved',
    'it was named by nobody for minutes',
    ({ moved }) => {
      moved.ms = 200_000;
    },
  ],
  [
    'A public address that somebody moved',
    'what was said does not name it',
    ({ moved }) => {
      moved.message = 'something is wrong';
    },
  ],
  [
    "The operator's memory at its peak",
    'it is beyond what the chart allows',
    ({ operator }) => {
      operator.peakMiB = 600;
    },
  ],
  [
    "The operator's memory at its peak",
    'it has ended',
    ({ operator }) => {
      operator.running = false;
    },
  ],
];

describe('a line that does not hold', () => {
  it.each(breakages)('%s: %s', (line, _what, spoil) => {
    const evidence = anEvidence();
    spoil(evidence);
    const { text, holds, failed } = judged(evidence);
    expect(failed).toContain(line);
    expect(holds).toBe(false);
    expect(text).toMatch(/^FAILED: \d+ of 20 lines do not hold/m);
  });

  it('is marked in the table', () => {
    const evidence = anEvidence();
    evidence.looks[1]!.nodes = [];
    expect(judged(evidence).text).toMatch(/^ {2}FAILED Time without websites/m);
  });

  it('is each line of the table at least once in this test', () => {
    const tried = new Set(breakages.map(([line]) => line));
    expect(linesOf(anEvidence()).filter(({ what }) => !tried.has(what))).toEqual([]);
  });
});
