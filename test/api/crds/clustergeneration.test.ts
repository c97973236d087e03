import { itIsShownAs, itRefuses, itRefusesChanges, itTakes, itTakesChanges } from './behaviour.ts';
import { draft } from './objects.ts';

const NOON = '2026-11-01T12:00:00Z';
const CUTOVER = { name: 'to-2', uid: 'c00' };
const long = (length: number) => 'a'.repeat(length);

itTakes('ClusterGeneration', { ...draft('ClusterGeneration').spec, adopt: false });

itIsShownAs('ClusterGeneration', 'cg', ['NAME', 'PLATFORM', 'RELEASE', 'STAGE', 'DESIRED', 'READY', 'REASON', 'AGE']);

itRefuses('ClusterGeneration', [
  [
    'a name with a dot',
    (o) => (o.metadata.name = 'ga.1'),
    "<nil>: Invalid value: a ClusterGeneration's name is a DNS label of at most 40 characters, without dots: for example ga-2023-10-10",
  ],
  [
    'a name that is too long',
    (o) => (o.metadata.name = long(41)),
    "<nil>: Invalid value: a ClusterGeneration's name is a DNS label of at most 40 characters, without dots: for example ga-2023-10-10",
  ],
  ['no platform', (o) => delete o.spec.platform, 'spec.platform: Required value'],
  [
    'a platform that cannot be',
    (o) => (o.spec.platform = 'PA'),
    'spec.platform: Invalid value: "PA": a name here is a DNS label (lower-case letters, digits, inner hyphens), without dots: for example web or ga-2023-10-10',
  ],
  ['no release', (o) => delete o.spec.release, 'spec.release: Required value'],
  [
    'an empty release',
    (o) => (o.spec.release = ''),
    'spec.release: Invalid value: "": spec.release in body should be at least 1 chars long',
  ],
  [
    'a release that YAML took for a number',
    (o) => (o.spec.release = 20231010),
    'spec.release: Invalid value: "integer": spec.release in body must be of type string: "integer"',
  ],
  ['no pools', (o) => delete o.spec.pools, 'spec.pools: Required value'],
  [
    'an empty list of pools',
    (o) => (o.spec.pools = []),
    'spec.pools: Invalid value: 0: spec.pools in body should have at least 1 items',
  ],
  ['a pool twice', (o) => o.spec.pools.push(o.spec.pools[0]), 'spec.pools[1]: Duplicate value: {"name":"web"}'],
  [
    'a pool with a dot in its name',
    (o) => (o.spec.pools[0].name = 'web.1'),
    'spec.pools[0].name: Invalid value: "web.1": a name here is a DNS label (lower-case letters, digits, inner hyphens), without dots: for example web or ga-2023-10-10',
  ],
  [
    'a pool with a long name',
    (o) => (o.spec.pools[0].name = long(41)),
    'spec.pools[0].name: Too long: may not be more than 40 bytes',
  ],
  ['a pool without a role', (o) => delete o.spec.pools[0].role, 'spec.pools[0].role: Required value'],
  [
    'a pool whose role cannot be',
    (o) => (o.spec.pools[0].role = 'web server'),
    'spec.pools[0].role: Invalid value: "web server": a name here is a DNS label (lower-case letters, digits, inner hyphens), without dots: for example web or ga-2023-10-10',
  ],
  ['a pool without machines', (o) => delete o.spec.pools[0].machines, 'spec.pools[0].machines: Required value'],
  [
    'fewer machines than none',
    (o) => (o.spec.pools[0].machines = -1),
    'spec.pools[0].machines: Invalid value: -1: spec.pools[0].machines in body should be greater than or equal to 0',
  ],
  [
    'more machines than a pool may have',
    (o) => (o.spec.pools[0].machines = 5001),
    'spec.pools[0].machines: Invalid value: 5001: spec.pools[0].machines in body should be less than or equal to 5000',
  ],
  [
    'half a machine',
    (o) => (o.spec.pools[0].machines = 1.5),
    '<nil>: Invalid value: "": Checked value must be of type integer (default format) in spec.pools[0].machines',
    'spec.pools[0].machines: Invalid value: "number": spec.pools[0].machines in body must be of type integer: "number"',
  ],
  ['a pool without a template', (o) => delete o.spec.pools[0].template, 'spec.pools[0].template: Required value'],
  [
    'a launch template by name',
    (o) => (o.spec.pools[0].template.ec2.launchTemplate.id = 'web'),
    'spec.pools[0].template.ec2.launchTemplate.id: Invalid value: "web": not the id of a launch template: write for example lt-0abc123, not its name',
  ],
  [
    'the latest version',
    (o) => (o.spec.pools[0].template.ec2.launchTemplate.version = '$Latest'),
    'spec.pools[0].template.ec2.launchTemplate.version: Invalid value: "$Latest": version is a number in quotes, for example "7": $Latest and $Default can change under a generation',
  ],
  [
    'no version',
    (o) => delete o.spec.pools[0].template.ec2.launchTemplate.version,
    'spec.pools[0].template.ec2.launchTemplate.version: Required value',
  ],
  [
    'an instance type that cannot be',
    (o) => (o.spec.pools[0].template.ec2.instanceType = 'large'),
    'spec.pools[0].template.ec2.instanceType: Invalid value: "large": not an instance type of EC2: write for example m6i.xlarge',
  ],
  [
    'no instance type',
    (o) => delete o.spec.pools[0].template.ec2.instanceType,
    'spec.pools[0].template.ec2.instanceType: Required value',
  ],
  [
    'a label of ours',
    (o) => (o.spec.pools[0].template.labels = { 'generations.dev/role': 'web' }),
    'spec.pools[0].template: Invalid value: labels under generations.dev/ are set by the operator: use another prefix',
  ],
  [
    'a label that Kubernetes refuses',
    (o) => (o.spec.pools[0].template.labels = { 'a b': 'c' }),
    'spec.pools[0].template: Invalid value: labels must be valid Kubernetes labels: letters, digits, and inner - _ . with an optional DNS prefix and / before the key, for example example.com/disk: fast',
  ],
  [
    'a label value that Kubernetes refuses',
    (o) => (o.spec.pools[0].template.labels = { a: 'b/c' }),
    'spec.pools[0].template: Invalid value: labels must be valid Kubernetes labels: letters, digits, and inner - _ . with an optional DNS prefix and / before the key, for example example.com/disk: fast',
  ],
  [
    'a taint that Kubernetes refuses',
    (o) => (o.spec.pools[0].template.taints = [{ key: 'a b', value: 'c d', effect: 'NoSchedule' }]),
    'spec.pools[0].template.taints[0].key: Invalid value: "a b": not a valid key: letters, digits, and inner - _ . with an optional DNS prefix and /, for example example.com/dedicated',
    'spec.pools[0].template.taints[0].value: Invalid value: "c d": not a valid value: at most 63 letters, digits, and inner - _ .',
  ],
  [
    'an unknown taint effect',
    (o) => (o.spec.pools[0].template.taints = [{ key: 'a', effect: 'Never' }]),
    'spec.pools[0].template.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  ],
  [
    'adopt in words',
    (o) => (o.spec.adopt = 'yes'),
    'spec.adopt: Invalid value: "string": spec.adopt in body must be of type boolean: "string"',
  ],
]);

itRefusesChanges('ClusterGeneration', [
  [
    'another platform',
    {},
    (o) => (o.spec.platform = 'pb'),
    'spec.platform: Invalid value: "pb": spec.platform is immutable: create another ClusterGeneration',
  ],
  [
    'another release',
    {},
    (o) => (o.spec.release = '2023-11-11'),
    'spec.release: Invalid value: "2023-11-11": spec.release is immutable: a new release is a new ClusterGeneration',
  ],
  [
    'a class that it did not have',
    {},
    (o) => (o.spec.className = 'other'),
    'spec: Invalid value: spec.className is immutable: create another ClusterGeneration',
  ],
  [
    'adopt',
    {},
    (o) => (o.spec.adopt = true),
    'spec.adopt: Invalid value: true: spec.adopt is immutable: create another ClusterGeneration',
  ],
  [
    'a pool of another role',
    {},
    (o) => (o.spec.pools[0].role = 'console'),
    'spec.pools[0].role: Invalid value: "console": role is immutable: add a pool with another name',
  ],
  [
    'another launch template version',
    {},
    (o) => (o.spec.pools[0].template.ec2.launchTemplate.version = '8'),
    'spec.pools[0].template: Invalid value: template is immutable: create a new generation, or add a pool with another name',
  ],
  [
    'labels in a template',
    {},
    (o) => (o.spec.pools[0].template.labels = { a: 'b' }),
    'spec.pools[0].template: Invalid value: template is immutable: create a new generation, or add a pool with another name',
  ],
  [
    'fewer machines while live',
    { status: { liveTime: NOON } },
    (o) => (o.spec.pools[0].machines = 2),
    '<nil>: Invalid value: this generation is live, reserved by a cutover or not yet retired: its pools may grow but neither shrink nor go; move to another generation with a Cutover first',
  ],
  [
    'fewer machines while reserved',
    { status: { reservedBy: CUTOVER } },
    (o) => (o.spec.pools[0].machines = 2),
    '<nil>: Invalid value: this generation is live, reserved by a cutover or not yet retired: its pools may grow but neither shrink nor go; move to another generation with a Cutover first',
  ],
  [
    'a pool less while live',
    { status: { liveTime: NOON } },
    (o) => (o.spec.pools[0].name = 'other'),
    '<nil>: Invalid value: this generation is live, reserved by a cutover or not yet retired: its pools may grow but neither shrink nor go; move to another generation with a Cutover first',
  ],
  [
    'retirement undone',
    { status: { liveTime: NOON, retiredTime: NOON, retiredBy: CUTOVER } },
    (o) => {
      delete o.status.retiredTime;
      delete o.status.retiredBy;
    },
    '/status',
    'status: Invalid value: status.retiredTime is set once: a retired generation never comes back',
  ],
  [
    'retirement at another time',
    { status: { liveTime: NOON, retiredTime: NOON, retiredBy: CUTOVER } },
    (o) => (o.status.retiredTime = '2026-12-01T00:00:00Z'),
    '/status',
    'status: Invalid value: status.retiredTime is set once: a retired generation never comes back',
  ],
  [
    'the status of a retired one removed',
    { status: { liveTime: NOON, retiredTime: NOON, retiredBy: CUTOVER } },
    (o) => delete o.status,
    '/status',
    'status: Invalid value: status.retiredTime is set once: a retired generation never comes back',
  ],
  [
    'retirement of what never was live',
    {},
    (o) => (o.status = { retiredTime: NOON, retiredBy: CUTOVER }),
    '/status',
    'status: Invalid value: status.retiredTime needs status.liveTime: what was never live is deleted, not retired',
  ],
  [
    'retirement by nobody',
    { status: { liveTime: NOON } },
    (o) => (o.status.retiredTime = NOON),
    '/status',
    'status: Invalid value: status.retiredTime and status.retiredBy go together: only a Cutover retires a generation',
  ],
  [
    'that what never was live is kept for a rollback',
    { status: { reservedBy: CUTOVER } },
    (o) => (o.status.retention = { until: NOON, standby: 'Stopped', cutover: CUTOVER }),
    '/status',
    'status: Invalid value: status.retention needs status.liveTime: what never was live is not kept for a rollback',
  ],
  [
    'that what is kept for a rollback never was live',
    { status: { liveTime: NOON, retention: { until: NOON, standby: 'Stopped', cutover: CUTOVER } } },
    (o) => delete o.status.liveTime,
    '/status',
    'status: Invalid value: status.retention needs status.liveTime: what never was live is not kept for a rollback',
  ],
  [
    'more names of Cutovers than it can need',
    {},
    (o) => (o.status = { liveBy: Array.from({ length: 17 }, (_, index) => `to-${index}`) }),
    '/status',
    'status.liveBy: Too many: 17: must have at most 16 items',
  ],
  [
    'a reservation of a retired one',
    { status: { liveTime: NOON, retiredTime: NOON, retiredBy: CUTOVER } },
    (o) => (o.status.reservedBy = CUTOVER),
    '/status',
    'status: Invalid value: a retired generation cannot be reserved by a Cutover: its machines are being removed',
  ],
]);

itTakesChanges('ClusterGeneration', [
  ['fewer machines while never live', {}, (o) => (o.spec.pools[0].machines = 0)],
  ['more machines while live', { status: { liveTime: NOON } }, (o) => (o.spec.pools[0].machines = 5)],
  [
    'another pool while live',
    { status: { liveTime: NOON } },
    (o) => o.spec.pools.push({ ...o.spec.pools[0], name: 'console' }),
  ],
  [
    'fewer machines once retired',
    { status: { liveTime: NOON, retiredTime: NOON, retiredBy: CUTOVER } },
    (o) => (o.spec.pools[0].machines = 0),
  ],
  [
    'fewer machines under an override',
    { status: { liveTime: NOON, override: { until: NOON } } },
    (o) => (o.spec.pools[0].machines = 0),
  ],
  [
    'liveTime cleared by an aborted cutover, and its name',
    { status: { liveTime: NOON, liveBy: [CUTOVER.name], reservedBy: CUTOVER } },
    (o) => {
      delete o.status.liveTime;
      delete o.status.liveBy;
    },
    '/status',
  ],
]);
