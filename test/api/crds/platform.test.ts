import { itIsShownAs, itRefuses, itRefusesChanges, itTakes, itTakesChanges } from './behaviour.ts';

const NOON = '2026-11-01T12:00:00Z';
const long = (length: number) => 'a'.repeat(length);

itTakes('Platform', {
  className: 'aws',
  roles: [
    { name: 'web', handover: 'Beside' },
    { name: 'always-on', handover: 'Singleton' },
  ],
  traffic: [{ name: 'www', role: 'web', service: { namespace: 'edge', name: 'www' } }],
  singletonAdmission: 'Gated',
  approvals: { required: 0 },
  retention: { standby: 'Running', for: '48h' },
  recovery: 'Refill',
  destructiveBudget: { machinesPerMinute: 30 },
  blastRadius: { machines: '5%', window: '1h' },
});

itIsShownAs('Platform', 'plat', ['NAME', 'LIVE', 'PREVIOUS', 'PROTECTED', 'READY', 'REASON', 'AGE']);

itRefuses('Platform', [
  [
    'a name with a dot',
    (o) => (o.metadata.name = 'pa.us'),
    "<nil>: Invalid value: a Platform's name is a DNS label of at most 40 characters, without dots: for example pythonanywhere-us",
  ],
  [
    'a name that is too long',
    (o) => (o.metadata.name = long(41)),
    "<nil>: Invalid value: a Platform's name is a DNS label of at most 40 characters, without dots: for example pythonanywhere-us",
  ],
  ['no class', (o) => delete o.spec.className, 'spec.className: Required value'],
  ['no roles', (o) => delete o.spec.roles, 'spec.roles: Required value'],
  [
    'an empty list of roles',
    (o) => (o.spec.roles = []),
    'spec.roles: Invalid value: 0: spec.roles in body should have at least 1 items',
    'spec: Invalid value: spec.traffic names a role that spec.roles does not have: web',
  ],
  ['a role twice', (o) => o.spec.roles.push({ name: 'web' }), 'spec.roles[2]: Duplicate value: {"name":"web"}'],
  [
    'a role with a capital',
    (o) => (o.spec.roles[0].name = 'Web'),
    'spec.roles[0].name: Invalid value: "Web": a name here is a DNS label (lower-case letters, digits, inner hyphens), without dots: for example web or ga-2023-10-10',
    'spec: Invalid value: spec.traffic names a role that spec.roles does not have: web',
  ],
  [
    'an unknown handover',
    (o) => (o.spec.roles[0].handover = 'Together'),
    'spec.roles[0].handover: Unsupported value: "Together": supported values: "Beside", "Follow", "Singleton"',
  ],
  [
    'a ramp for what is no singleton',
    (o) => (o.spec.roles[0].ramp = { startsPerSecond: 1, maxStarting: 1 }),
    'spec.roles[0]: Invalid value: ramp paces the restart of singletons: set handover: Singleton, or leave ramp out',
  ],
  [
    'a ramp of nothing',
    (o) => (o.spec.roles[1].ramp = { startsPerSecond: 0, maxStarting: 1 }),
    'spec.roles[1].ramp.startsPerSecond: Invalid value: 0: spec.roles[1].ramp.startsPerSecond in body should be greater than or equal to 1',
  ],
  [
    'a ramp without a limit',
    (o) => (o.spec.roles[1].ramp = { startsPerSecond: 1 }),
    'spec.roles[1].ramp.maxStarting: Required value',
  ],
  [
    'quiesce for what is no singleton',
    (o) => (o.spec.roles[0].quiesce = 'Waves'),
    'spec.roles[0]: Invalid value: quiesce stops singletons: set handover: Singleton, or leave quiesce out',
  ],
  [
    'an unknown quiesce',
    (o) => (o.spec.roles[1].quiesce = 'Slowly'),
    'spec.roles[1].quiesce: Unsupported value: "Slowly": supported values: "Waves", "AllFirst"',
  ],
  [
    'an unknown singletonAdmission',
    (o) => (o.spec.singletonAdmission = 'Shut'),
    'spec.singletonAdmission: Unsupported value: "Shut": supported values: "Gated", "Open"',
  ],
  [
    'a target for an unknown role',
    (o) => (o.spec.traffic[0].role = 'wbe'),
    'spec: Invalid value: spec.traffic names a role that spec.roles does not have: wbe',
  ],
  [
    'a target of no kind',
    (o) => delete o.spec.traffic[0].service,
    'spec.traffic[0]: Invalid value: a traffic target is either a service or elasticIPs: write exactly one of the two',
  ],
  [
    'a target of both kinds',
    (o) => (o.spec.traffic[0].elasticIPs = { allocationIDs: ['eipalloc-1'] }),
    'spec.traffic[0]: Invalid value: a traffic target is either a service or elasticIPs: write exactly one of the two',
  ],
  [
    'a preview of addresses',
    (o) =>
      (o.spec.traffic[0] = {
        name: 'ips',
        role: 'web',
        elasticIPs: { allocationIDs: ['eipalloc-1'] },
        preview: { namespace: 'edge', name: 'p' },
      }),
    'spec.traffic[0]: Invalid value: preview and maintenance belong to a service target: leave them out for elasticIPs',
  ],
  [
    'minReady for addresses',
    (o) =>
      (o.spec.traffic[0] = { name: 'ips', role: 'web', elasticIPs: { allocationIDs: ['eipalloc-1'] }, minReady: 1 }),
    'spec.traffic[0]: Invalid value: minReady counts the ready endpoints of a service: leave it out for elasticIPs, each of whose addresses has to lead to a Ready machine',
  ],
  [
    'a minReady of nothing',
    (o) => (o.spec.traffic[0].minReady = 0),
    'spec.traffic[0].minReady: Invalid value: 0: spec.traffic[0].minReady in body should be greater than or equal to 1',
  ],
  [
    'an address instead of its id',
    (o) => (o.spec.traffic[0] = { name: 'ips', role: 'web', elasticIPs: { allocationIDs: ['203.0.113.7'] } }),
    'spec.traffic[0].elasticIPs.allocationIDs[0]: Invalid value: "203.0.113.7": not the allocation id of an Elastic IP: write for example eipalloc-0abc123, not the address',
  ],
  [
    'no addresses',
    (o) => (o.spec.traffic[0] = { name: 'ips', role: 'web', elasticIPs: { allocationIDs: [] } }),
    'spec.traffic[0].elasticIPs.allocationIDs: Invalid value: 0: spec.traffic[0].elasticIPs.allocationIDs in body should have at least 1 items',
  ],
  [
    'an address twice',
    (o) =>
      (o.spec.traffic[0] = { name: 'ips', role: 'web', elasticIPs: { allocationIDs: ['eipalloc-1', 'eipalloc-1'] } }),
    'spec.traffic[0].elasticIPs.allocationIDs[1]: Duplicate value: "eipalloc-1"',
  ],
  [
    'a service in no namespace',
    (o) => delete o.spec.traffic[0].service.namespace,
    'spec.traffic[0].service.namespace: Required value',
  ],
  [
    'a service in a namespace that cannot be',
    (o) => (o.spec.traffic[0].service.namespace = 'Edge'),
    'spec.traffic[0].service.namespace: Invalid value: "Edge": a namespace is a DNS label (lower-case letters, digits, inner hyphens): for example edge',
  ],
  [
    'maintenance that selects nothing',
    (o) => (o.spec.traffic[0].maintenance = { selector: {} }),
    'spec.traffic[0].maintenance.selector: Invalid value: 0: spec.traffic[0].maintenance.selector in body should have at least 1 properties',
  ],
  ['a target twice', (o) => o.spec.traffic.push(o.spec.traffic[0]), 'spec.traffic[1]: Duplicate value: {"name":"www"}'],
  [
    'maintenance that selects what no label can be',
    (o) => (o.spec.traffic[0].maintenance = { selector: { app: 'maintenance page' } }),
    'spec.traffic[0].maintenance.selector[app]: Invalid value: "maintenance page": not the value of a label: letters, digits, and -, _ or . between them',
  ],
  [
    'jobs without an account',
    (o) => (o.spec.jobs = { namespace: 'jobs' }),
    'spec.jobs.serviceAccountName: Required value',
  ],
  [
    'more approvals than are allowed',
    (o) => (o.spec.approvals = { required: 11 }),
    'spec.approvals.required: Invalid value: 11: spec.approvals.required in body should be less than or equal to 10',
  ],
  [
    'an unknown standby',
    (o) => (o.spec.retention = { standby: 'Asleep' }),
    'spec.retention.standby: Unsupported value: "Asleep": supported values: "Running", "Stopped", "None"',
  ],
  [
    'a retention without a unit',
    (o) => (o.spec.retention = { for: '48' }),
    'spec.retention.for: Invalid value: "48": a duration is numbers with the units d, h, m and s: for example 90s, 1h30m or 2d',
  ],
  [
    'an unknown recovery',
    (o) => (o.spec.recovery = 'Hope'),
    'spec.recovery: Unsupported value: "Hope": supported values: "Refill", "Manual", "Fastest"',
  ],
  [
    'a destructive budget of nothing',
    (o) => (o.spec.destructiveBudget = { machinesPerMinute: 0 }),
    'spec.destructiveBudget.machinesPerMinute: Invalid value: 0: spec.destructiveBudget.machinesPerMinute in body should be greater than or equal to 1',
  ],
  [
    'an override for no generation',
    (o) => (o.spec.override = { reason: 'fire', requestedBy: 'alice@example.com' }),
    'spec.override.generation: Required value',
  ],
  [
    'an override without a reason',
    (o) => (o.spec.override = { generation: 'ga-1', reason: '', requestedBy: 'alice@example.com' }),
    'spec.override.reason: Invalid value: "": spec.override.reason in body should be at least 1 chars long',
  ],
  [
    'an override by one person alone',
    (o) =>
      (o.spec.override = {
        generation: 'ga-1',
        reason: 'fire',
        requestedBy: 'alice@example.com',
        approvedBy: 'alice@example.com',
      }),
    'spec.override: Invalid value: an override is approved by another person than the one who requested it',
  ],
]);

const moved = { status: { cutover: { name: 'to-2', uid: 'c00' } } };
const isMoved =
  '<nil>: Invalid value: spec.traffic cannot be changed while Cutover to-2 moves it, but for leaving targets out: let the cutover end, or abort it';

itRefusesChanges('Platform', [
  [
    'another Service for a target that a Cutover moves',
    moved,
    (o) => (o.spec.traffic[0].service.name = 'www-2'),
    isMoved,
  ],
  [
    'a target beside those that a Cutover moves',
    moved,
    (o) => o.spec.traffic.push({ name: 'api', role: 'web', service: { namespace: 'edge', name: 'api' } }),
    isMoved,
  ],
  [
    'a live pointer to what is not protected',
    {},
    (o) => (o.status = { live: { name: 'ga-1', uid: 'f00', time: NOON } }),
    '/status',
    'status: Invalid value: status.protected must contain status.live.name: protect first, then go live',
  ],
  [
    'a live pointer to what is no longer protected',
    { status: { protected: ['ga-1'], live: { name: 'ga-1', uid: 'f00', time: NOON } } },
    (o) => (o.status.protected = []),
    '/status',
    'status: Invalid value: status.protected must contain status.live.name: protect first, then go live',
  ],
  [
    'protected removed',
    { status: { protected: ['ga-1'] } },
    (o) => delete o.status.protected,
    '/status',
    'status: Invalid value: status.protected may become empty ([]) but cannot be removed',
  ],
  [
    'tasks stopped by nobody',
    { status: { protected: [] } },
    (o) => (o.status.quiesced = { cutover: { name: 'to-2', uid: 'c00' }, stop: [], time: NOON }),
    '/status',
    'status: Invalid value: status.quiesced is written by the Cutover that holds this Platform (status.cutover)',
  ],
  [
    'tasks stopped by a Cutover that does not hold it',
    { status: { cutover: { name: 'to-2', uid: 'c00' } } },
    (o) => (o.status.quiesced = { cutover: { name: 'to-2', uid: 'c01' }, stop: [], time: NOON }),
    '/status',
    'status: Invalid value: status.quiesced is written by the Cutover that holds this Platform (status.cutover)',
  ],
  [
    'the status removed',
    { status: { protected: ['ga-1'] } },
    (o) => delete o.status,
    '/status',
    'status: Invalid value: status.protected may become empty ([]) but cannot be removed',
  ],
]);

itTakesChanges('Platform', [
  ['a target less while a Cutover moves it', moved, (o) => (o.spec.traffic = [])],
  ['another role while a Cutover holds it', moved, (o) => o.spec.roles.push({ name: 'console' })],
  ['another role', {}, (o) => o.spec.roles.push({ name: 'console' })],
  ['nothing protected any more', { status: { protected: ['ga-1'] } }, (o) => (o.status.protected = []), '/status'],
  [
    'tasks stopped by the Cutover that holds it',
    { status: { cutover: { name: 'to-2', uid: 'c00' } } },
    (o) => (o.status.quiesced = { cutover: { name: 'to-2', uid: 'c00' }, stop: [], time: NOON }),
    '/status',
  ],
  [
    'another Cutover, which takes over tasks that are stopped',
    {
      status: {
        cutover: { name: 'to-2', uid: 'c00' },
        quiesced: { cutover: { name: 'to-2', uid: 'c00' }, stop: [], time: NOON },
      },
    },
    (o) => (o.status.cutover = { name: 'to-2-again', uid: 'c01' }),
    '/status',
  ],
  [
    'a live pointer to what is protected',
    { status: { protected: ['ga-1'] } },
    (o) => (o.status.live = { name: 'ga-1', uid: 'f00', time: NOON }),
    '/status',
  ],
]);
