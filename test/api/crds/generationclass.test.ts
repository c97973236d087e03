import { itIsShownAs, itRefuses, itRefusesChanges, itTakes, itTakesChanges } from './behaviour.ts';
import { draft } from './objects.ts';

const budget = () => ({ requestsPerSecond: 2, requestBurst: 5 });

itTakes('GenerationClass', { ...draft('GenerationClass').spec, recoveryReserve: '20%' });

itIsShownAs('GenerationClass', 'gclass', ['NAME', 'PROVIDER', 'REGION', 'ACCEPTED', 'REACHABLE', 'AGE']);

itRefuses('GenerationClass', [
  ['no spec', (o) => delete o.spec, 'spec: Required value'],
  ['no provider', (o) => delete o.spec.provider, 'spec.provider: Required value'],
  [
    'an unknown provider',
    (o) => (o.spec.provider = 'gce'),
    'spec.provider: Unsupported value: "gce": supported values: "ec2"',
  ],
  [
    'no block for the provider',
    (o) => delete o.spec.ec2,
    'spec: Invalid value: spec.ec2 is required when spec.provider is ec2: write for example ec2: {region: us-east-1}',
  ],
  ['no region', (o) => delete o.spec.ec2.region, 'spec.ec2.region: Required value'],
  [
    'a zone instead of a region',
    (o) => (o.spec.ec2.region = 'us-east-1a'),
    'spec.ec2.region: Invalid value: "us-east-1a": not a region of AWS: write for example us-east-1, without the letter of a zone',
  ],
  [
    'an endpoint without a scheme',
    (o) => (o.spec.ec2.endpoint = 'localhost:4566'),
    'spec.ec2.endpoint: Invalid value: "localhost:4566": an endpoint is a URL with http:// or https://: for example http://127.0.0.1:4566; leave it out for AWS',
  ],
  [
    'a secret without a name',
    (o) => (o.spec.ec2.credentialsSecretRef = { namespace: 'generations-system' }),
    'spec.ec2.credentialsSecretRef.name: Required value',
  ],
  [
    'a secret in a namespace that cannot be',
    (o) => (o.spec.ec2.credentialsSecretRef = { namespace: 'A_b', name: 'x' }),
    'spec.ec2.credentialsSecretRef.namespace: Invalid value: "A_b": a namespace is a DNS label (lower-case letters, digits, inner hyphens): for example edge',
  ],
  ['no subnets', (o) => delete o.spec.subnets, 'spec.subnets: Required value'],
  [
    'an empty list of subnets',
    (o) => (o.spec.subnets = []),
    'spec.subnets: Invalid value: 0: spec.subnets in body should have at least 1 items',
  ],
  [
    'a subnet by name',
    (o) => (o.spec.subnets[0].id = 'private-1'),
    'spec.subnets[0].id: Invalid value: "private-1": not the id of a subnet: write for example subnet-0abc123, not its name',
  ],
  ['a subnet without a zone', (o) => delete o.spec.subnets[0].zone, 'spec.subnets[0].zone: Required value'],
  [
    'a subnet twice',
    (o) => o.spec.subnets.push(o.spec.subnets[0]),
    'spec.subnets[1]: Duplicate value: {"id":"subnet-a"}',
  ],
  [
    'too many subnets',
    (o) => (o.spec.subnets = Array.from({ length: 65 }, (_, i) => ({ id: `subnet-${i}`, zone: 'a' }))),
    'spec.subnets: Too many: 65: must have at most 64 items',
  ],
  [
    'a quota of nothing',
    (o) => (o.spec.quotas = { vcpus: 0 }),
    'spec.quotas.vcpus: Invalid value: 0: spec.quotas.vcpus in body should be greater than or equal to 1',
  ],
  [
    'a budget for an operation that does not exist',
    (o) => (o.spec.apiBudgets = { Runinstances: budget() }),
    'spec.apiBudgets: Invalid value: spec.apiBudgets has an unknown operation: Runinstances; known are AssociateAddress, CreateTags, DescribeAddresses, DescribeInstanceAttribute, DescribeInstanceTypes, DescribeInstances, DescribeLaunchTemplateVersions, DescribeSubnets, GetServiceQuota, ModifyInstanceAttribute, RunInstances, StartInstances, StopInstances, TerminateInstances',
  ],
  [
    'a budget of no requests',
    (o) => (o.spec.apiBudgets = { RunInstances: { ...budget(), requestsPerSecond: 0 } }),
    'spec.apiBudgets[RunInstances].requestsPerSecond: Invalid value: 0: a budget of nothing stops the operator: write for example 2 or 0.5',
  ],
  [
    'a budget without a burst',
    (o) => (o.spec.apiBudgets = { RunInstances: { requestsPerSecond: 1 } }),
    'spec.apiBudgets.RunInstances.requestBurst: Required value',
  ],
  [
    'a burst of nothing',
    (o) => (o.spec.apiBudgets = { RunInstances: { ...budget(), requestBurst: 0 } }),
    'spec.apiBudgets.RunInstances.requestBurst: Invalid value: 0: spec.apiBudgets.RunInstances.requestBurst in body should be greater than or equal to 1',
  ],
  [
    'a reserve that is no percentage',
    (o) => (o.spec.recoveryReserve = '0.2'),
    'spec.recoveryReserve: Invalid value: "0.2": recoveryReserve is a whole percentage from 0% to 90%: for example 20%',
  ],
  [
    'a reserve of everything',
    (o) => (o.spec.recoveryReserve = '100%'),
    'spec.recoveryReserve: Invalid value: "100%": recoveryReserve is a whole percentage from 0% to 90%: for example 20%',
  ],
]);

itRefusesChanges('GenerationClass', [
  [
    'another region',
    {},
    (o) => (o.spec.ec2.region = 'eu-west-1'),
    'spec.ec2.region: Invalid value: "eu-west-1": spec.ec2.region is immutable: create another GenerationClass for the other region',
  ],
]);

itRefusesChanges('GenerationClass', [
  [
    'another endpoint while machines come from it',
    { status: { pools: 1 } },
    (o) => (o.spec.ec2.endpoint = 'http://127.0.0.1:4567'),
    '<nil>: Invalid value: spec.ec2.endpoint cannot be changed while GenerationPools have machines from this class (status.pools): at another endpoint they would not be found. Create another GenerationClass for it',
  ],
]);

itTakesChanges('GenerationClass', [
  [
    'another endpoint while no machines come from it',
    { status: { pools: 0 } },
    (o) => (o.spec.ec2.endpoint = 'http://127.0.0.1:4567'),
  ],
  ['another subnet', {}, (o) => o.spec.subnets.push({ id: 'subnet-b', zone: 'us-east-1b' })],
  ['a budget', {}, (o) => (o.spec.apiBudgets = { RunInstances: budget() })],
  ['a reserve of nothing', {}, (o) => (o.spec.recoveryReserve = '0%')],
]);
