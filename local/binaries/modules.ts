/** One Go module of ours that pins one upstream project: `local/binaries/<name>/go.mod`. */
export interface BinaryModule {
  name: 'etcd' | 'kubernetes' | 'kwok' | 'helm';
  /** File name of each binary and the package it is built from, a `tool` of the module. */
  binaries: ReadonlyArray<{ file: string; package: string; coldSeconds: number }>;
  /** Values for `-X`: what the program says about its own version. */
  stamps: ReadonlyArray<string>;
  /** A file of the module's source that is needed at run time: read from the module cache, kept beside the binaries. */
  extras: ReadonlyArray<{ module: string; folder: string; into: string }>;
}

/** Without these stamps the API server calls itself v0.0.0, and version checks of its clients misbehave. */
const kubernetesStamps = [
  'k8s.io/component-base/version.gitVersion=v1.36.3',
  'k8s.io/component-base/version.gitMajor=1',
  'k8s.io/component-base/version.gitMinor=36',
];

/**
 * What is built, in this order. One module cannot hold them all: their requirements contradict each other. `coldSeconds` is what
 * the build took on two cores with empty caches; it only goes into a line that tells people how long to wait. The API server
 * pays for the packages that the other three Kubernetes binaries then share.
 */
export const binaryModules: ReadonlyArray<BinaryModule> = [
  {
    name: 'kubernetes',
    binaries: [
      { file: 'kube-apiserver', package: 'k8s.io/kubernetes/cmd/kube-apiserver', coldSeconds: 300 },
      { file: 'kube-controller-manager', package: 'k8s.io/kubernetes/cmd/kube-controller-manager', coldSeconds: 60 },
      { file: 'kube-scheduler', package: 'k8s.io/kubernetes/cmd/kube-scheduler', coldSeconds: 5 },
      { file: 'kubectl', package: 'k8s.io/kubernetes/cmd/kubectl', coldSeconds: 30 },
    ],
    stamps: kubernetesStamps,
    extras: [],
  },
  {
    name: 'etcd',
    binaries: [{ file: 'etcd', package: 'go.etcd.io/etcd/server/v3', coldSeconds: 40 }],
    stamps: [],
    extras: [],
  },
  {
    name: 'kwok',
    binaries: [{ file: 'kwok', package: 'sigs.k8s.io/kwok/cmd/kwok', coldSeconds: 90 }],
    stamps: [],
    extras: [{ module: 'sigs.k8s.io/kwok', folder: 'kustomize/stage', into: 'stages' }],
  },
  {
    name: 'helm',
    binaries: [{ file: 'helm', package: 'helm.sh/helm/v3/cmd/helm', coldSeconds: 110 }],
    stamps: [],
    extras: [],
  },
];
