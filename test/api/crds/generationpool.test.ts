import { itIsShownAs, itRefuses, itRefusesChanges, itTakes, itTakesChanges } from './behaviour.ts';
import { draft } from './objects.ts';

const NOON = '2026-11-01T12:00:00Z';

itTakes('GenerationPool', draft('GenerationPool').spec);

itIsShownAs('GenerationPool', 'gpool', [
  'NAME',
  'GENERATION',
  'ROLE',
  'MACHINES',
  'LAUNCHED',
  'READY',
  'REASON',
  'AGE',
]);

itRefuses('GenerationPool', [
  ['no generation', (o) => delete o.spec.generation, 'spec.generation: Required value'],
  ['no UID', (o) => delete o.spec.generationUID, 'spec.generationUID: Required value'],
  ['no class', (o) => delete o.spec.className, 'spec.className: Required value'],
  ['no placement', (o) => delete o.spec.placement, 'spec.placement: Required value'],
  [
    'a subnet twice',
    (o) => o.spec.placement.push(o.spec.placement[0]),
    'spec.placement[1]: Duplicate value: {"subnet":"subnet-a"}',
  ],
  [
    'fewer machines than none',
    (o) => (o.spec.machines = -1),
    'spec.machines: Invalid value: -1: spec.machines in body should be greater than or equal to 0',
  ],
  [
    'a role that cannot be',
    (o) => (o.spec.role = 'Web'),
    'spec.role: Invalid value: "Web": a name here is a DNS label (lower-case letters, digits, inner hyphens), without dots: for example web or ga-2023-10-10',
  ],
]);

itRefusesChanges('GenerationPool', [
  [
    'another platform',
    {},
    (o) => (o.spec.platform = 'pb'),
    'spec.platform: Invalid value: "pb": spec.platform is immutable: the operator makes a pool for each pool of a ClusterGeneration',
  ],
  [
    'another class',
    {},
    (o) => (o.spec.className = 'other'),
    'spec.className: Invalid value: "other": spec.className is immutable: the operator makes a pool for each pool of a ClusterGeneration',
  ],
  [
    'another generation',
    {},
    (o) => (o.spec.generation = 'ga-2'),
    'spec.generation: Invalid value: "ga-2": spec.generation is immutable: the operator makes a pool for each pool of a ClusterGeneration',
  ],
  [
    'another UID',
    {},
    (o) => (o.spec.generationUID = 'b00'),
    'spec.generationUID: Invalid value: "b00": spec.generationUID is immutable: the operator makes a pool for each pool of a ClusterGeneration',
  ],
  [
    'another role',
    {},
    (o) => (o.spec.role = 'console'),
    'spec.role: Invalid value: "console": spec.role is immutable: the operator makes a pool for each pool of a ClusterGeneration',
  ],
  [
    'another instance type',
    {},
    (o) => (o.spec.template.ec2.instanceType = 'm6i.large'),
    'spec.template: Invalid value: spec.template is immutable: the operator makes a pool for each pool of a ClusterGeneration',
  ],
  [
    'an unknown failure',
    {},
    (o) => (o.status = { failures: [{ reason: 'Bad', message: '', count: 1, since: NOON }] }),
    '/status',
    'status.failures[0].reason: Unsupported value: "Bad": supported values: "AddressesExhausted", "CapacityUnavailable", "SubnetUnsuitable", "QuotaExceeded", "Throttled", "Unauthorized", "InvalidTemplate", "RegistrationTimeout", "NodeLost", "AnotherAccount", "EndedEarly", "Unknown"',
  ],
]);

itTakesChanges('GenerationPool', [
  ['more machines', {}, (o) => (o.spec.machines = 4)],
  ['another placement', {}, (o) => (o.spec.placement = [{ subnet: 'subnet-b', machines: 3 }])],
]);
