import { aWorkload, wwwService } from './objects.ts';

/** What a GitOps tool does to what has left its set, has changed in Git, or cannot be changed in place: by kubectl, and never right here. */

export interface Hostile {
  what: string;
  /** Of kubectl. */
  args: string[];
  /** What it reads on stdin. */
  input?: object;
}

const EDGE = ['-n', 'edge'];
/** As server-side apply of a foreign manager that takes every field. */
const takeover = (manager: string) => [
  'apply',
  '--server-side',
  '--force-conflicts',
  `--field-manager=${manager}`,
  '-f',
  '-',
];

/** All of them, on what is live. */
export function actsOn(live: string): Hostile[] {
  const name = `web-${live}`;
  const workload = aWorkload('site', live, 2);
  const { spec } = workload as unknown as { spec: { template: { metadata: { labels: object }; spec: object } } };
  const labelled = (labels: object) => ({
    ...spec,
    template: { ...spec.template, metadata: { labels: { ...spec.template.metadata.labels, ...labels } } },
  });
  const elsewhere = { ...spec.template.spec, nodeSelector: { 'generations.dev/generation': 'nowhere' } };
  return [
    { what: 'prunes the workload', args: [...EDGE, 'delete', 'deployment', name, '--wait=false'] },
    {
      what: 'prunes all that is found',
      args: [...EDGE, 'delete', 'deployments', `--field-selector=metadata.name=${name}`, '--wait=false'],
    },
    {
      what: 'prunes the workload, but for its pods',
      args: [...EDGE, 'delete', 'deployment', name, '--cascade=orphan'],
    },
    { what: 'prunes the Service', args: [...EDGE, 'delete', 'service', 'www', '--wait=false'] },
    { what: 'prunes the namespace', args: ['delete', 'namespace', 'edge', '--wait=false'] },
    { what: 'prunes the generation', args: ['delete', 'clustergeneration', live, '--wait=false'] },
    { what: 'prunes the Platform', args: ['delete', 'platform', 'site', '--wait=false'] },
    { what: 'prunes the class', args: ['delete', 'generationclass', 'local', '--wait=false'] },
    { what: 'forces the workload', args: ['replace', '--force', '--grace-period=0', '-f', '-'], input: workload },
    { what: 'forces the Service', args: ['replace', '--force', '-f', '-'], input: wwwService },
    { what: 'scales to zero', args: [...EDGE, 'scale', 'deployment', name, '--replicas=0'] },
    {
      what: 'replaces the workload by an empty one',
      args: ['replace', '-f', '-'],
      input: { ...workload, spec: { ...spec, replicas: 0 } },
    },
    {
      what: 'moves the workload to other machines',
      args: takeover('kustomize-controller'),
      input: { ...workload, spec: { ...spec, template: { ...spec.template, spec: elsewhere } } },
    },
    {
      what: 'moves the workload to another generation',
      args: takeover('kustomize-controller'),
      input: { ...workload, spec: labelled({ 'generations.dev/generation': 'nowhere' }) },
    },
    {
      what: 'takes over the number of copies, for none',
      args: takeover('argocd-controller'),
      input: { ...workload, spec: { ...spec, replicas: 0 } },
    },
    {
      what: 'takes over the selector',
      args: takeover('kustomize-controller'),
      input: { ...wwwService, spec: { ...(wwwService.spec as object), selector: { app: 'nobody' } } },
    },
    {
      what: 'replaces the Service by one without a selector',
      args: [...EDGE, 'patch', 'service', 'www', '--type=json', '-p', '[{"op":"remove","path":"/spec/selector"}]'],
    },
  ];
}
