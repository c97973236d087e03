import { join } from 'node:path';
import { paths } from '../../../local/paths.ts';
import { type TestControlPlane, uniqueName } from '../../../local/testing.ts';

/** One good object of each kind, and what the API server says about a changed one. */

type Json = { [key: string]: unknown };

/** An object as the tests change it: any field may be set to anything. */
// biome-ignore lint/suspicious/noExplicitAny: bad input has no type
export type Draft = any;

export type Kind = 'GenerationClass' | 'Platform' | 'ClusterGeneration' | 'GenerationPool' | 'Cutover';

const plurals: Record<Kind, string> = {
  GenerationClass: 'generationclasses',
  Platform: 'platforms',
  ClusterGeneration: 'clustergenerations',
  GenerationPool: 'generationpools',
  Cutover: 'cutovers',
};

const template = { ec2: { launchTemplate: { id: 'lt-0abc', version: '7' }, instanceType: 'm6i.xlarge' } };

const specs: Record<Kind, () => Json> = {
  GenerationClass: () => ({
    provider: 'ec2',
    ec2: { region: 'us-east-1' },
    subnets: [{ id: 'subnet-a', zone: 'us-east-1a' }],
  }),
  Platform: () => ({
    className: 'aws',
    roles: [{ name: 'web' }, { name: 'always-on', handover: 'Singleton' }],
    traffic: [{ name: 'www', role: 'web', service: { namespace: 'edge', name: 'www' } }],
  }),
  ClusterGeneration: () => ({
    platform: 'pa',
    release: '2023-10-10',
    pools: [{ name: 'web', role: 'web', machines: 3, template: structuredClone(template) }],
  }),
  GenerationPool: () => ({
    platform: 'pa',
    className: 'aws',
    generation: 'ga-1',
    generationUID: 'f00',
    role: 'web',
    machines: 3,
    template: structuredClone(template),
    placement: [{ subnet: 'subnet-a', machines: 3 }],
  }),
  Cutover: () => ({ platform: 'pa', from: 'ga-1', to: 'ga-2' }),
};

/** A good object of the kind with a name of its own. */
export function draft(kind: Kind): Draft {
  return {
    apiVersion: 'generations.dev/v1alpha1',
    kind,
    metadata: { name: uniqueName(kind.toLowerCase().slice(0, 12)) },
    spec: specs[kind](),
  };
}

/** Applies `crds/` and waits until all five kinds are served. */
export async function applyCrds(controlPlane: TestControlPlane): Promise<void> {
  const applied = await controlPlane.kubectl('admin', [
    'apply',
    '--server-side',
    '--force-conflicts',
    '-f',
    join(paths.root, 'crds'),
  ]);
  if (applied.status !== 0) throw new Error(applied.stderr);
  const names = Object.values(plurals).map((plural) => `crd/${plural}.generations.dev`);
  const waited = await controlPlane.kubectl('admin', [
    'wait',
    '--for=condition=Established',
    '--timeout=30s',
    ...names,
  ]);
  if (waited.status !== 0) throw new Error(waited.stderr);
}

export function pathOf({ kind, metadata }: Draft, subresource = ''): string {
  return `/apis/generations.dev/v1alpha1/${plurals[kind as Kind]}/${metadata.name}${subresource}`;
}

/** Creates the object; returns it as the API server stored it. */
export async function create(controlPlane: TestControlPlane, object: Draft): Promise<Draft> {
  const { status, body } = await controlPlane.call('admin', 'POST', collection(object), { body: object });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body;
}

/** Writes the object's status; returns the object as stored. */
export async function writeStatus(controlPlane: TestControlPlane, object: Draft, status: Json): Promise<Draft> {
  const answer = await controlPlane.call('admin', 'PATCH', pathOf(object, '/status'), {
    body: { status },
    contentType: 'application/merge-patch+json',
  });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return answer.body;
}

/** Why the object cannot be created: a line per cause, `field: message`; none when it can. Nothing is stored. */
export async function refusalOfCreate(controlPlane: TestControlPlane, object: Draft): Promise<string[]> {
  return causes(await controlPlane.call('admin', 'POST', `${collection(object)}?dryRun=All`, { body: object }), 201);
}

/** Why the object cannot be replaced by this one, likewise. */
export async function refusalOfUpdate(
  controlPlane: TestControlPlane,
  object: Draft,
  subresource: '' | '/status' = '',
): Promise<string[]> {
  const path = `${pathOf(object, subresource)}?dryRun=All`;
  return causes(await controlPlane.call('admin', 'PUT', path, { body: object }), 200);
}

const collection = ({ kind }: Draft) => `/apis/generations.dev/v1alpha1/${plurals[kind as Kind]}`;

/** The API server adds this when a schema is violated, whatever the cause. */
const notChecked = 'some validation rules were not checked because the object was invalid';

function causes(answer: { status: number; body: unknown }, success: number): string[] {
  if (answer.status === success) return [];
  const { message, details } = answer.body as {
    message: string;
    details?: { causes?: { field: string; message: string }[] };
  };
  if (answer.status !== 422 || details?.causes === undefined) return [`${answer.status}: ${message}`];
  return details.causes
    .filter((cause) => !cause.message.includes(notChecked))
    .map((cause) => `${cause.field}: ${cause.message}`)
    .sort();
}
