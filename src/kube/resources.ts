import { type KubeObject, resource } from './resource.ts';

/** The built-in kinds that the kit's users need, with the fields that they read. Objects carry more than is declared. */

export type Condition = {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
};

export type Taint = {
  key: string;
  value?: string;
  effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
  timeAdded?: string;
};

export type Node = KubeObject & {
  spec?: { providerID?: string; unschedulable?: boolean; taints?: Taint[]; podCIDR?: string };
  status?: {
    conditions?: Condition[];
    addresses?: { type: string; address: string }[];
    capacity?: Record<string, string>;
    allocatable?: Record<string, string>;
    nodeInfo?: Record<string, unknown>;
  };
};

export type Namespace = KubeObject & { status?: { phase?: 'Active' | 'Terminating' } };

export type Secret = KubeObject & {
  type?: string;
  /** Values are base64. */
  data?: Record<string, string>;
  stringData?: Record<string, string>;
};

export type ConfigMap = KubeObject & { data?: Record<string, string> };

export type ServicePort = {
  name?: string;
  protocol?: string;
  port: number;
  targetPort?: number | string;
  nodePort?: number;
};

export type Service = KubeObject & {
  spec?: {
    type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
    selector?: Record<string, string>;
    ports?: ServicePort[];
    clusterIP?: string;
  };
  status?: { conditions?: Condition[] };
};

export type ObjectReference = {
  apiVersion?: string;
  kind?: string;
  name?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  fieldPath?: string;
};

export type Endpoint = {
  addresses: string[];
  conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean };
  nodeName?: string;
  targetRef?: ObjectReference;
};

export type EndpointSlice = KubeObject & {
  addressType: 'IPv4' | 'IPv6' | 'FQDN';
  endpoints: Endpoint[] | null;
  ports?: { name?: string; protocol?: string; port?: number }[] | null;
};

export type ContainerStatus = {
  name: string;
  ready: boolean;
  restartCount: number;
  state?: {
    waiting?: { reason?: string; message?: string };
    running?: { startedAt?: string };
    terminated?: { exitCode: number; finishedAt?: string };
  };
};

export type Container = {
  name: string;
  image?: string;
  ports?: { name?: string; protocol?: string; containerPort?: number }[];
  /** Of an init container: Always makes it a sidecar. */
  restartPolicy?: string;
  [field: string]: unknown;
};

export type Pod = KubeObject & {
  spec?: {
    nodeName?: string;
    nodeSelector?: Record<string, string>;
    schedulingGates?: { name: string }[];
    tolerations?: { key?: string; operator?: string; value?: string; effect?: string }[];
    containers: Container[];
    initContainers?: Container[];
    restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  };
  status?: {
    phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
    conditions?: Condition[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
    podIP?: string;
    reason?: string;
    message?: string;
  };
};

export type Job = KubeObject & {
  spec?: {
    template?: { metadata?: { labels?: Record<string, string> }; spec?: Record<string, unknown> };
    suspend?: boolean;
    [field: string]: unknown;
  };
  status?: { conditions?: Condition[]; startTime?: string };
};

/** What keeps pods of one template running: a Deployment, StatefulSet, DaemonSet or ReplicaSet. */
export type Workload = KubeObject & {
  spec?: {
    /** 1 unless told; a DaemonSet has none. */
    replicas?: number;
    paused?: boolean;
    template?: {
      metadata?: { labels?: Record<string, string> };
      spec?: { nodeSelector?: Record<string, string> };
    };
  };
  status?: { conditions?: Condition[] };
};

export type ServiceAccount = KubeObject;

export type ResourceQuota = KubeObject & {
  spec?: { hard?: Record<string, string> };
  /** What is counted, in quantities: `count/jobs.batch`. */
  status?: { hard?: Record<string, string>; used?: Record<string, string> };
};

export type Lease = KubeObject & {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    /** RFC 3339 with microseconds. */
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
};

export type Event = KubeObject & {
  eventTime: string | null;
  /** Of one that was recorded by the older API, as those of the controllers of Kubernetes are. */
  deprecatedLastTimestamp?: string | null;
  reportingController?: string;
  reportingInstance?: string;
  action?: string;
  reason?: string;
  regarding?: ObjectReference;
  related?: ObjectReference;
  /** At most 1024 characters. */
  note?: string;
  type?: 'Normal' | 'Warning';
  series?: { count: number; lastObservedTime: string };
};

export const nodes = resource<Node>('v1', 'Node', 'nodes', false);
export const namespaces = resource<Namespace>('v1', 'Namespace', 'namespaces', false);
export const secrets = resource<Secret>('v1', 'Secret', 'secrets', true);
export const configMaps = resource<ConfigMap>('v1', 'ConfigMap', 'configmaps', true);
export const services = resource<Service>('v1', 'Service', 'services', true);
export const pods = resource<Pod>('v1', 'Pod', 'pods', true);
export const endpointSlices = resource<EndpointSlice>('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices', true);
export const deployments = resource<Workload>('apps/v1', 'Deployment', 'deployments', true);
export const statefulSets = resource<Workload>('apps/v1', 'StatefulSet', 'statefulsets', true);
export const daemonSets = resource<Workload>('apps/v1', 'DaemonSet', 'daemonsets', true);
export const replicaSets = resource<Workload>('apps/v1', 'ReplicaSet', 'replicasets', true);
export const jobs = resource<Job>('batch/v1', 'Job', 'jobs', true);
export const serviceAccounts = resource<ServiceAccount>('v1', 'ServiceAccount', 'serviceaccounts', true);
export const resourceQuotas = resource<ResourceQuota>('v1', 'ResourceQuota', 'resourcequotas', true);
export const leases = resource<Lease>('coordination.k8s.io/v1', 'Lease', 'leases', true);
export const events = resource<Event>('events.k8s.io/v1', 'Event', 'events', true);

/** True for a Node or Pod that says of itself that it is Ready. */
export const isReady = ({ status }: Pick<Node | Pod, 'status'>): boolean =>
  (status?.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True');
