import type { New } from '../../../src/kube/resource.ts';
import type { Node } from '../../../src/kube/resources.ts';

/** Node number `index`, with about what a kubelet reports: 3 KB of JSON as the API server returns it. */
export function aKubeletsNode(index: number): New<Node> {
  const name = `ip-10-${index >> 16}-${(index >> 8) & 255}-${index & 255}.ec2.internal`;
  const zone = `us-east-1${'abc'[index % 3]}`;
  const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  const instance = `i-${index.toString(16).padStart(17, '0')}`;
  const time = '2026-01-01T00:00:00Z';
  const condition = (type: string, status: 'True' | 'False', reason: string, message: string) => ({
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: time,
    lastTransitionTime: time,
  });
  return {
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'node.kubernetes.io/instance-type': 'm6i.xlarge',
        'topology.kubernetes.io/region': 'us-east-1',
        'topology.kubernetes.io/zone': zone,
        pool: `pool-${index % 50}`,
      },
      annotations: {
        'node.alpha.kubernetes.io/ttl': '0',
        'volumes.kubernetes.io/controller-managed-attach-detach': 'true',
        'alpha.kubernetes.io/provided-node-ip': address,
        'csi.volume.kubernetes.io/nodeid': JSON.stringify({
          'ebs.csi.aws.com': instance,
          'efs.csi.aws.com': instance,
          'secrets-store.csi.k8s.io': name,
        }),
      },
    },
    spec: { providerID: `aws:///${zone}/${instance}` },
    status: {
      capacity: { cpu: '4', memory: '16073908Ki', pods: '58', 'ephemeral-storage': '20959212Ki', 'hugepages-2Mi': '0' },
      allocatable: { cpu: '3920m', memory: '15056948Ki', pods: '58', 'ephemeral-storage': '18242267924' },
      conditions: [
        condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
        condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
        condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
        condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
      ],
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: name },
      ],
      nodeInfo: {
        machineID: index.toString(16).padStart(32, '0'),
        systemUUID: `ec2${index.toString(16).padStart(29, '0')}`,
        bootID: '00000000-0000-4000-8000-000000000000',
        kernelVersion: '6.1.141-155.222.amzn2023.x86_64',
        osImage: 'Amazon Linux 2023.7.20250609',
        containerRuntimeVersion: 'containerd://1.7.27',
        kubeletVersion: 'v1.36.3',
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: 'amd64',
      },
    },
  };
}
