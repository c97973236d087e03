import { API_VERSION, LABEL } from '../../src/api/v1alpha1/index.ts';
import {
  addresses,
  checkPath,
  classes,
  handover,
  jobs,
  machines,
  machinesPerMinute,
  maintenance,
  platform,
  preview,
  roles,
  tasks,
  website,
} from './cast.ts';

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
    roles: roles.map((name) => ({ name, ...(handover[name] && { handover: handover[name] }) })),
    traffic: [
      {
        ...{ name: 'www', role: 'web', service: website, preview },
        maintenance: { selector: { app: maintenance.name } },
      },
      { name: 'public-ips', role: 'load-balancer', elasticIPs: { allocationIDs: addresses } },
    ],
    jobs,
    approvals: { required: 1 },
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

/** The live generation that is left, the one that becomes live, and what is done on the way. */
export const cutover = (name: string, from: string, to: string, more: object = {}): Manifest =>
  ours('Cutover', name, { platform, from, to, ...more });

/** A release changes the database, in a way that can be taken back, and is looked at before users see it. */
export const releaseWork = {
  migrations: [
    {
      ...{ name: 'schema', reversible: true, jobTemplate: jobOf('migrate', 'up') },
      undo: { jobTemplate: jobOf('migrate', 'down') },
    },
  ],
  verify: [{ name: 'homepage', http: { target: 'www', path: checkPath, expectStatus: 200 } }],
};

function jobOf(...args: string[]): object {
  const container = { name: 'migrate', image: 'example.com/migrations:2023-10-09', args };
  return { spec: { template: { spec: { containers: [container] } } } };
}

const namespace = (name: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { [LABEL.protected]: 'true' } },
});

const service = (metadata: { namespace: string; name: string }): Manifest => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata,
  spec: { ports: [{ port: 80, targetPort: 8080 }] },
});

/** The namespace of the websites, and their Services, whose selectors are left to the operator. */
export const websiteObjects = (): Manifest[] => [
  namespace(website.namespace),
  service(website),
  service(preview),
  deployment(maintenance, { app: maintenance.name }, { replicas: maintenance.replicas }),
];

/** Users' always-on tasks, and where migrations run. */
export const taskObjects = (): Manifest[] => [
  namespace(tasks.namespace),
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: jobs.namespace } },
  {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { namespace: jobs.namespace, name: jobs.serviceAccountName },
  },
  ...Array.from({ length: tasks.count }, (_, number) => {
    const name = `task-${number + 1}`;
    const labels = { app: name, [LABEL.platform]: platform, [LABEL.role]: 'always-on' };
    const recreate = { replicas: 1, strategy: { type: 'Recreate' } };
    return deployment({ namespace: tasks.namespace, name }, labels, recreate);
  }),
];

function deployment(
  { namespace, name }: { namespace: string; name: string },
  labels: { app: string; [label: string]: string },
  spec: object,
): Manifest {
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: 'main', image: `example.com/${labels.app}:1` }] },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name },
    spec: { ...spec, selector: { matchLabels: { app: labels.app } }, template },
  };
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
