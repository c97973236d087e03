import { type Change, itIsShownAs, itRefuses, itRefusesChanges, itTakes, itTakesChanges } from './behaviour.ts';
import { type Draft, draft } from './objects.ts';

const NOON = '2026-11-01T12:00:00Z';
const condition = (type: string, status: string) => ({
  type,
  status,
  reason: 'Tested',
  message: '',
  lastTransitionTime: NOON,
});
const approval = { user: 'alice@example.com', planHash: 'f00' };
const long = (length: number) => 'a'.repeat(length);

itTakes('Cutover', { ...draft('Cutover').spec, mode: 'Planned' });

itIsShownAs('Cutover', 'cut', ['NAME', 'PLATFORM', 'FROM', 'TO', 'OUTCOME', 'READY', 'REASON', 'AGE']);

itRefuses('Cutover', [
  [
    'a name that is too long',
    (o) => (o.metadata.name = long(64)),
    "<nil>: Invalid value: a Cutover's name has at most 63 characters: for example to-2023-10-10",
  ],
  ['no platform', (o) => delete o.spec.platform, 'spec.platform: Required value'],
  ['no from', (o) => delete o.spec.from, 'spec.from: Required value'],
  [
    'a from that cannot be',
    (o) => (o.spec.from = 'GA'),
    'spec.from: Invalid value: "GA": spec.from is the name of the live generation, or "" while none is live',
  ],
  [
    'a to that cannot be',
    (o) => (o.spec.to = 'GA'),
    'spec.to: Invalid value: "GA": a name here is a DNS label (lower-case letters, digits, inner hyphens), without dots: for example web or ga-2023-10-10',
  ],
  [
    'no to',
    (o) => delete o.spec.to,
    'spec: Invalid value: spec.to names the generation that becomes live: required, except in mode Decommission, where it is left out',
  ],
  [
    'to in mode Decommission',
    (o) => (o.spec.mode = 'Decommission'),
    'spec: Invalid value: spec.to names the generation that becomes live: required, except in mode Decommission, where it is left out',
  ],
  [
    'the same from and to',
    (o) => (o.spec.to = o.spec.from),
    'spec: Invalid value: spec.from and spec.to are the same generation: spec.from is the live one, spec.to the one that becomes live',
  ],
  [
    'a Decommission of nothing',
    (o) => {
      delete o.spec.to;
      Object.assign(o.spec, { mode: 'Decommission', from: '' });
    },
    'spec: Invalid value: spec.from may not be "" in mode Decommission: name the live generation, which it takes down',
  ],
  [
    'an unknown mode',
    (o) => (o.spec.mode = 'Quick'),
    'spec.mode: Unsupported value: "Quick": supported values: "Planned", "Rollback", "Recovery", "Decommission"',
  ],
  [
    'a window that ends before it begins',
    (o) => Object.assign(o.spec, { notBefore: '2023-10-10T06:00:00Z', notAfter: '2023-10-10T05:00:00Z' }),
    'spec: Invalid value: spec.notAfter must be later than spec.notBefore',
  ],
  [
    'a moment that is none',
    (o) => (o.spec.notBefore = 'tomorrow'),
    'spec.notBefore: Invalid value: "tomorrow": spec.notBefore in body must be of type date-time: "tomorrow"',
  ],
  [
    'a soak without a unit',
    (o) => (o.spec.soak = '60'),
    'spec.soak: Invalid value: "60": a duration is numbers with the units d, h, m and s: for example 90s, 1h30m or 2d',
  ],
  ['supersedes without a UID', (o) => (o.spec.supersedes = { name: 'to-1' }), 'spec.supersedes.uid: Required value'],
  [
    'a migration twice',
    (o) => (o.spec.migrations = [1, 2].map(() => ({ name: 'schema', jobTemplate: {} }))),
    'spec.migrations[1]: Duplicate value: {"name":"schema"}',
  ],
  [
    'a migration without a job',
    (o) => (o.spec.migrations = [{ name: 'schema' }]),
    'spec.migrations[0].jobTemplate: Required value',
  ],
  [
    'a check of no kind',
    (o) => (o.spec.verify = [{ name: 'smoke' }]),
    'spec.verify[0]: Invalid value: a check is either http or a jobTemplate: write exactly one of the two',
  ],
  [
    'a check of both kinds',
    (o) => (o.spec.verify = [{ name: 'smoke', http: { target: 'www', path: '/' }, jobTemplate: {} }]),
    'spec.verify[0]: Invalid value: a check is either http or a jobTemplate: write exactly one of the two',
  ],
  [
    'a check of a path without a slash',
    (o) => (o.spec.verify = [{ name: 'smoke', http: { target: 'www', path: 'healthz' } }]),
    'spec.verify[0].http.path: Invalid value: "healthz": path starts with a slash: for example /healthz',
  ],
  [
    'a check that expects no HTTP status',
    (o) => (o.spec.verify = [{ name: 'smoke', http: { target: 'www', path: '/', expectStatus: 42 } }]),
    'spec.verify[0].http.expectStatus: Invalid value: 42: spec.verify[0].http.expectStatus in body should be greater than or equal to 100',
  ],
  [
    'two approvals of one person',
    (o) => (o.spec.approvals = [1, 2].map((n) => ({ user: 'alice@example.com', planHash: `${n}` }))),
    'spec.approvals[1]: Duplicate value: {"user":"alice@example.com"}',
  ],
  [
    'an approval of no plan',
    (o) => (o.spec.approvals = [{ user: 'alice@example.com' }]),
    'spec.approvals[0].planHash: Required value',
  ],
]);

itRefusesChanges('Cutover', [
  [
    'another platform',
    {},
    (o) => (o.spec.platform = 'pb'),
    'spec: Invalid value: spec.platform is immutable: a cutover is decided once; create another Cutover',
  ],
  [
    'another from',
    {},
    (o) => (o.spec.from = 'ga-0'),
    'spec: Invalid value: spec.from is immutable: a cutover is decided once; create another Cutover',
  ],
  [
    'another to',
    {},
    (o) => (o.spec.to = 'ga-3'),
    'spec: Invalid value: spec.to is immutable: a cutover is decided once; create another Cutover',
  ],
  [
    'another mode',
    {},
    (o) => (o.spec.mode = 'Rollback'),
    'spec: Invalid value: spec.mode is immutable: a cutover is decided once; create another Cutover',
  ],
  [
    'supersedes',
    {},
    (o) => (o.spec.supersedes = { name: 'to-1', uid: 'f00' }),
    'spec: Invalid value: spec.supersedes is immutable: a cutover is decided once; create another Cutover',
  ],
  [
    'a window',
    {},
    (o) => (o.spec.notBefore = NOON),
    'spec: Invalid value: spec.notBefore is immutable: a cutover is decided once; create another Cutover',
  ],
  [
    'the end of a window',
    {},
    (o) => (o.spec.notAfter = NOON),
    'spec: Invalid value: spec.notAfter is immutable: a cutover is decided once; create another Cutover',
  ],
  [
    'a migration',
    {},
    (o) => (o.spec.migrations = [{ name: 'schema', jobTemplate: {} }]),
    'spec: Invalid value: spec.migrations is immutable: a cutover is decided once; create another Cutover',
  ],
  [
    'a check',
    {},
    (o) => (o.spec.verify = [{ name: 'smoke', jobTemplate: {} }]),
    'spec: Invalid value: spec.verify is immutable: a cutover is decided once; create another Cutover',
  ],
  [
    'a soak',
    {},
    (o) => (o.spec.soak = '1h'),
    'spec: Invalid value: spec.soak is immutable: a cutover is decided once; create another Cutover',
  ],
  [
    'abort taken back',
    { spec: { abort: true } },
    (o) => (o.spec.abort = false),
    'spec: Invalid value: spec.abort is one-way: once true it stays true',
  ],
  [
    'abort left out again',
    { spec: { abort: true } },
    (o) => delete o.spec.abort,
    'spec: Invalid value: spec.abort is one-way: once true it stays true',
  ],
  [
    'retireNow taken back',
    { spec: { retireNow: true } },
    (o) => (o.spec.retireNow = false),
    'spec: Invalid value: spec.retireNow is one-way: once true it stays true',
  ],
  [
    'an unknown step',
    {},
    (o) => (o.status = { steps: [{ name: 'Hope', state: 'Done' }] }),
    '/status',
    'status.steps[0].name: Unsupported value: "Hope": supported values: "Preflight", "Approve", "Reserve", "Hold", "Quiesce", "Migrate", "Verify", "Switch", "Point", "Release", "Restore", "Soak", "Retain"',
  ],
  [
    'an unknown outcome',
    {},
    (o) => (o.status = { outcome: 'Fine' }),
    '/status',
    'status.outcome: Unsupported value: "Fine": supported values: "Succeeded", "RolledBack", "Aborted", "Superseded"',
  ],
  [
    'smaller roles',
    {},
    (o) => (o.spec.allowSmallerRoles = true),
    'spec: Invalid value: spec.allowSmallerRoles is immutable: a cutover is decided once; create another Cutover',
  ],
  [
    'another supersedes',
    { spec: { supersedes: { name: 'to-1', uid: 'f00' } } },
    (o) => (o.spec.supersedes.uid = 'f01'),
    'spec: Invalid value: spec.supersedes is immutable: a cutover is decided once; create another Cutover',
  ],
  [
    'another outcome',
    { status: { outcome: 'Aborted' } },
    (o) => (o.status.outcome = 'Succeeded'),
    '/status',
    'status: Invalid value: status.outcome is set once: a cutover that has ended does nothing more',
  ],
  [
    'no outcome any more',
    { status: { outcome: 'Aborted' } },
    (o) => delete o.status.outcome,
    '/status',
    'status: Invalid value: status.outcome is set once: a cutover that has ended does nothing more',
  ],
  [
    'an undo taken back',
    { status: { undo: { reason: 'Aborted', message: 'spec.abort', time: NOON } } },
    (o) => delete o.status.undo,
    '/status',
    'status: Invalid value: status.undo is never taken back: a cutover that goes back goes all the way',
  ],
  ...[
    ['no generations any more', (o: Draft) => delete o.status.generations] as const,
    ['namesakes of its generations', (o: Draft) => (o.status.generations.to.uid = 'f01')] as const,
  ].map(
    ([what, change]): Change => [
      what,
      { status: { generations: { to: { name: 'ga-2', uid: 'f00' } } } },
      change,
      '/status',
      'status: Invalid value: status.generations is fixed when a cutover begins: a namesake made later is another generation',
    ],
  ),
]);

itTakesChanges('Cutover', [
  ['an approval', {}, (o) => (o.spec.approvals = [approval])],
  ['an approval when it has ended', { status: { outcome: 'Succeeded' } }, (o) => (o.spec.approvals = [approval])],
  ['no approvals any more', { spec: { approvals: [approval] } }, (o) => delete o.spec.approvals],
  ['paused, and no longer', { spec: { paused: true } }, (o) => (o.spec.paused = false)],
  ['paused', { spec: { paused: false } }, (o) => (o.spec.paused = true)],
  [
    'an abort that it had when it ended',
    { spec: { abort: true }, status: { outcome: 'Aborted' } },
    (o) => (o.metadata.labels = { applied: 'again' }),
  ],
  [
    'the conditions of one that has ended',
    { status: { outcome: 'Aborted' } },
    (o) => (o.status.conditions = []),
    '/status',
  ],
  ...['Planned', 'Rollback', 'Recovery'].map(
    (mode): Change => [
      `abort of one that found no generation live, in mode ${mode}`,
      { spec: { mode, from: '' } },
      (o) => (o.spec.abort = true),
    ],
  ),
  ['abort', {}, (o) => (o.spec.abort = true)],
  ['retireNow', {}, (o) => (o.spec.retireNow = true)],
  [
    'retireNow past the point of no return',
    { spec: { abort: true }, status: { conditions: [condition('RollbackAvailable', 'False')] } },
    (o) => (o.spec.retireNow = true),
  ],
]);
