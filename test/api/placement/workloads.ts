import { stopsAfterAnnotation } from '../../../local/kwok-config.ts';

/** Workloads of Follow and Singleton roles, each in a namespace named like its platform. */

export interface Workload {
  platform: string;
  role: string;
  name: string;
  replicas?: number;
  /** How long its containers take to end: `1s`. */
  stopsAfter?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  nodeSelector?: Record<string, string>;
}

export const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

export function aTemplate({ platform, role, name, stopsAfter, labels, annotations, nodeSelector }: Workload) {
  return {
    metadata: {
      labels: { app: name, 'generations.dev/platform': platform, 'generations.dev/role': role, ...labels },
      annotations: { ...(stopsAfter && { [stopsAfterAnnotation]: stopsAfter }), ...annotations },
    },
    spec: {
      containers: [{ name: 'main', image: 'example.com/task:1' }],
      ...(nodeSelector && { nodeSelector }),
    },
  };
}

export const aPod = (workload: Workload) => {
  const { metadata, spec } = aTemplate(workload);
  const { name, platform } = workload;
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name, namespace: platform }, spec };
};

const selector = ({ name }: Workload) => ({ matchLabels: { app: name } });

export const aDeployment = (workload: Workload) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: workload.name, namespace: workload.platform },
  spec: {
    replicas: workload.replicas ?? 1,
    strategy: { type: 'Recreate' },
    selector: selector(workload),
    template: aTemplate(workload),
  },
});

export const aStatefulSet = (workload: Workload) => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: workload.name, namespace: workload.platform },
  spec: {
    replicas: workload.replicas ?? 1,
    serviceName: workload.name,
    selector: selector(workload),
    template: aTemplate(workload),
  },
});

const jobSpec = (workload: Workload) => {
  const { metadata, spec } = aTemplate(workload);
  return { backoffLimit: 0, template: { metadata, spec: { ...spec, restartPolicy: 'Never' } } };
};

export const aJob = (workload: Workload) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: workload.name, namespace: workload.platform },
  spec: jobSpec(workload),
});

export const aCronJob = (workload: Workload) => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: workload.name, namespace: workload.platform },
  spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: jobSpec(workload) } },
});
