import { operatorCredentials } from '../../local/environment.ts';
import type { Cutover, GenerationClass, MachineTemplate, Platform } from '../../src/api/v1alpha1/index.ts';

/** What scenario tests apply: manifests and scenario files with defaults, so that a test says only what it is about. */

const apiVersion = 'generations.dev/v1alpha1';
type Manifest = {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  [field: string]: unknown;
};

/** A small cloud with a fast boot; the operator's account and a person's laptop can call it. */
export function aScenario(overrides: object = {}): object {
  return {
    callers: [
      { accessKeyId: operatorCredentials.AWS_ACCESS_KEY_ID, name: 'operator' },
      { accessKeyId: 'AKIAOPSLAPTOP000000', name: 'ops-laptop' },
    ],
    instanceTypes: [
      { name: 'm6i.large', vcpus: 2, memoryMiB: 8192 },
      { name: 'm6i.xlarge', vcpus: 4, memoryMiB: 16384 },
    ],
    images: ['ami-0abc'],
    launchTemplates: [
      { id: 'lt-0abc', name: 'machines', versions: [{ version: 7, image: 'ami-0abc' }] },
      { id: 'lt-0bad', name: 'image-gone', versions: [{ version: 1, image: 'ami-0gone' }] },
    ],
    subnets: [
      { id: 'subnet-a', zone: 'us-east-1a', cidr: '10.0.0.0/26' },
      { id: 'subnet-b', zone: 'us-east-1b', cidr: '10.0.1.0/26' },
    ],
    addresses: [
      { allocationId: 'eipalloc-1', publicIp: '203.0.113.1' },
      { allocationId: 'eipalloc-2', publicIp: '203.0.113.2' },
    ],
    ...overrides,
  };
}

export const SUBNETS: GenerationClass['spec']['subnets'] = [
  { id: 'subnet-a', zone: 'us-east-1a' },
  { id: 'subnet-b', zone: 'us-east-1b' },
];

/** A class whose machines come from the cloud at `endpoint`. */
export function aClass(name: string, endpoint: string, spec: object = {}): Manifest {
  return {
    apiVersion,
    kind: 'GenerationClass',
    metadata: { name },
    spec: { provider: 'ec2', ec2: { region: 'us-east-1', endpoint }, subnets: SUBNETS, ...spec },
  };
}

/** A platform with the roles load-balancer and web, and no traffic unless told. */
export function aPlatform(name: string, className: string, spec: Partial<Platform['spec']> | object = {}): Manifest {
  return {
    apiVersion,
    kind: 'Platform',
    metadata: { name },
    spec: { className, roles: [{ name: 'load-balancer' }, { name: 'web' }], ...spec },
  };
}

/** The Service edge/www and two addresses: what the platforms of these tests switch. */
export const TRAFFIC = [
  { name: 'www', role: 'web', service: { namespace: 'edge', name: 'www' } },
  { name: 'public-ips', role: 'load-balancer', elasticIPs: { allocationIDs: ['eipalloc-1', 'eipalloc-2'] } },
];

export const TEMPLATE = { ec2: { launchTemplate: { id: 'lt-0abc', version: '7' }, instanceType: 'm6i.large' } };

export interface Pools {
  [pool: string]: { role?: string; machines: number; template?: Partial<MachineTemplate> | object };
}

/** A generation with these pools; a pool's role is `web` unless told. */
export function aGeneration(name: string, platform: string, pools: Pools, spec: object = {}): Manifest {
  const list = Object.entries(pools).map(([pool, { role = 'web', machines, template = TEMPLATE }]) => ({
    name: pool,
    role,
    machines,
    template,
  }));
  return {
    apiVersion,
    kind: 'ClusterGeneration',
    metadata: { name },
    spec: { platform, release: name, pools: list, ...spec },
  };
}

export function aCutover(
  name: string,
  platform: string,
  from: string,
  to: string,
  spec: Partial<Cutover['spec']> | object = {},
): Manifest {
  return { apiVersion, kind: 'Cutover', metadata: { name }, spec: { platform, from, to, ...spec } };
}

export const edgeNamespace: Manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'edge' } };

/** The traffic Service, as Git has it: without a selector. */
export const wwwService: Manifest = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'www', namespace: 'edge' },
  spec: { ports: [{ port: 80, targetPort: 8080 }] },
};

/** The web workload of one generation: a Deployment whose pods run on that generation's web machines only. */
export function aWorkload(platform: string, generation: string, replicas: number): Manifest {
  const app = `web-${generation}`;
  const labels = {
    app,
    'generations.dev/platform': platform,
    'generations.dev/role': 'web',
    'generations.dev/generation': generation,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: app, namespace: 'edge' },
    spec: {
      replicas,
      selector: { matchLabels: { app } },
      template: {
        metadata: { labels },
        spec: {
          nodeSelector: { 'generations.dev/generation': generation, 'generations.dev/role': 'web' },
          containers: [{ name: 'web', image: 'example.com/web:1' }],
        },
      },
    },
  };
}
