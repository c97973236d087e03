import { API_VERSION, LABEL } from '../../src/api/v1alpha1/index.ts';
import { addresses, classes, machines, machinesPerMinute, platform, roles, website } from './cast.ts';

/** The objects that people and GitOps apply in the course of the story. */

type Manifest = {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: object };
  spec?: object;
};

const ours = (kind: string, name: string, spec: object): Manifest => ({
  apiVersion: API_VERSION,
  kind,
  metadata: { name },
  spec,
});

/** EC2's documented sizes; the simulated account's are lower. */
const documentedBudgets = {
  RunInstances: { requestsPerSecond: 2, requestBurst: 5, resourcesPerSecond: 2, resourceBurst: 1000 },
  ModifyInstanceAttribute: { requestsPerSecond: 5, requestBurst: 50 },
};

/** @param zones letters: a machine may go to `subnet-a` in zone `us-east-1a`, and so on */
export function generationClass(name: string, endpoint: string, zones: ReadonlyArray<string>): Manifest {
  return ours('GenerationClass', name, {
    provider: 'ec2',
    ec2: { region: 'us-east-1', endpoint },
    subnets: zones.map((zone) => ({ id: `subnet-${zone}`, zone: `us-east-1${zone}` })),
    apiBudgets: documentedBudgets,
  });
}

export function platformObject(): Manifest {
  return ours('Platform', platform, {
    className: classes.own,
    roles: roles.map((name) => ({ name })),
    traffic: [
      { name: 'www', role: 'web', service: website },
      { name: 'public-ips', role: 'load-balancer', elasticIPs: { allocationIDs: addresses } },
    ],
    retention: { standby: 'Running', for: '48h' },
    destructiveBudget: { machinesPerMinute },
  });
}

/** A whole generation; `className` when it is not to be the platform's. */
export function generation(name: string, className?: string): Manifest {
  const template = (instanceType: string) => ({
    ec2: { launchTemplate: { id: 'lt-0abc', version: '7' }, instanceType },
  });
  return ours('ClusterGeneration', name, {
    platform,
    release: name.slice('ga-'.length),
    ...(className !== undefined && { className }),
    pools: roles.map((role) => ({
      name: role,
      role,
      machines: machines[role],
      template: template(role === 'load-balancer' ? 'm6i.large' : 'm6i.xlarge'),
    })),
  });
}

export const cutover = (name: string, from: string, to: string): Manifest =>
  ours('Cutover', name, { platform, from, to });

/** The namespace of the websites and their Service, whose selector is left to the operator. */
export function websiteObjects(): Manifest[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: website.namespace, labels: { [LABEL.protected]: 'true' } },
    },
    { apiVersion: 'v1', kind: 'Service', metadata: website, spec: { ports: [{ port: 80, targetPort: 8080 }] } },
  ];
}

export const webWorkloadName = (generationName: string): string => `web-${generationName}`;

/** The web workload of a generation: so large a pod that one fits on each of its machines. */
export function webWorkload(generationName: string): Manifest {
  const app = webWorkloadName(generationName);
  const ofGeneration = { [LABEL.generation]: generationName, [LABEL.role]: 'web' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: app, namespace: website.namespace },
    spec: {
      replicas: machines.web,
      selector: { matchLabels: { app } },
      template: {
        metadata: { labels: { app, [LABEL.platform]: platform, ...ofGeneration } },
        spec: {
          nodeSelector: ofGeneration,
          containers: [{ name: 'web', image: 'example.com/web:1', resources: { requests: { cpu: '2500m' } } }],
        },
      },
    },
  };
}
