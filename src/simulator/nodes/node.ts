import { type Machine, nodeName } from './registry.ts';

/** KWOK plays the kubelet of Nodes with this annotation: https://kwok.sigs.k8s.io/docs/user/kwok-manage-nodes-and-pods/ */
export const KWOK_ANNOTATION = 'kwok.x-k8s.io/node';

/** What ties a Node to its machine, in the form of the AWS cloud controller manager. */
export function providerID({ zone, id }: Machine): string {
  return `aws:///${zone}/${id}`;
}

/** The instance id in a providerID, or undefined when it is not one of EC2's. */
export function instanceIdOf(providerID: string | undefined): string | undefined {
  return /^aws:\/\/\/[^/]+\/(i-[0-9a-f]+)$/.exec(providerID ?? '')?.[1];
}

/** The Node that a machine registers. Its labels are those of kubelet and cloud controller manager, none of ours. */
export function nodeOf(machine: Machine) {
  const name = nodeName(machine.address, machine.region);
  // A kubelet keeps some of both back for the system: about 80 millicores and a tenth of the memory.
  const capacity = { cpu: String(machine.vcpus), memory: `${machine.memoryMiB}Mi`, pods: '110' };
  const allocatable = {
    cpu: `${machine.vcpus * 1000 - 80}m`,
    memory: `${Math.floor(machine.memoryMiB * 0.9)}Mi`,
    pods: '110',
  };
  return {
    metadata: {
      name,
      annotations: { [KWOK_ANNOTATION]: 'fake' },
      labels: {
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/os': 'linux',
        'kubernetes.io/hostname': name,
        'node.kubernetes.io/instance-type': machine.type,
        'topology.kubernetes.io/region': machine.region,
        'topology.kubernetes.io/zone': machine.zone,
      },
    },
    spec: { providerID: providerID(machine) },
    status: {
      capacity,
      allocatable,
      addresses: [
        { type: 'InternalIP', address: machine.address },
        { type: 'InternalDNS', address: name },
        { type: 'Hostname', address: name },
      ],
      nodeInfo: {
        architecture: 'amd64',
        operatingSystem: 'linux',
        kubeletVersion: 'v1.36.3',
        kubeProxyVersion: '',
        containerRuntimeVersion: 'containerd://2.1.0',
        kernelVersion: '6.12.0',
        osImage: 'Simulated Linux',
        machineID: machine.id,
        systemUUID: machine.id,
        bootID: machine.id,
      },
    },
  };
}
