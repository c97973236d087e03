import type { Answer } from '../../../local/access.ts';
import { expectStatus, type GuardedCluster, type KubeObject, pathOf } from '../guard/cluster.ts';

/**
 * What Flux's kustomize-controller does to a set of objects, with its field manager and its options: it takes over the fields of every
 * manager whose name begins with kubectl, applies server-side by force, and deletes what has left the set.
 */

const MANAGER = 'kustomize-controller';
const PREFIX = 'kustomize.toolkit.fluxcd.io';

/** Fields of managers with these prefixes become its own, whatever they were written with; its own old ones too. */
const TAKEN_OVER = ['kubectl', 'before-first-apply'];

type Entry = { manager: string; operation: string; subresource?: string; fieldsV1: object };

export interface Flux {
  /** One reconciliation of the set in Git: the first refusal ends it, as it fails the whole Kustomization. */
  reconcile(...objects: KubeObject[]): Promise<void>;
}

/** @param force `spec.force` of the Kustomization: what cannot be changed is deleted and made again */
export function flux(cluster: GuardedCluster, { force = false }: { force?: boolean } = {}): Flux {
  let inventory: KubeObject[] = [];
  const call = (...args: [method: 'PATCH' | 'DELETE', path: string, body?: unknown, type?: string]) =>
    cluster.call('admin', ...args);

  async function apply(object: KubeObject): Promise<void> {
    const live = await find(cluster, object);
    const policy = ssaOf(object) ?? (live && ssaOf(live));
    if (policy === 'Ignore' || (policy === 'IfNotPresent' && live)) return;
    const patch = (dry: boolean): Promise<Answer> => {
      const query = `?fieldManager=${MANAGER}&force=true${dry ? '&dryRun=All' : ''}`;
      return call('PATCH', pathOf(object) + query, object, 'application/apply-patch+yaml');
    };
    const tried = await patch(true);
    if (force && tried.status === 422) {
      await accepted(call('DELETE', pathOf(object)));
      return apply(object);
    }
    await accepted(Promise.resolve(tried));
    if (live && policy !== 'Merge') await takeOver(live);
    await accepted(patch(false));
  }

  async function takeOver(live: KubeObject): Promise<void> {
    const before: Entry[] = live.metadata.managedFields ?? [];
    const isTaken = ({ manager, operation, subresource }: Entry) =>
      !subresource &&
      (TAKEN_OVER.some((prefix) => manager.startsWith(prefix)) || (manager === MANAGER && operation === 'Update'));
    const taken = before.filter(isTaken);
    if (taken.length === 0) return;
    const own = before.find(({ manager, operation }) => manager === MANAGER && operation === 'Apply');
    const fieldsV1 = [...(own ? [own] : []), ...taken].map((entry) => entry.fieldsV1).reduce(union);
    const rest = before.filter((entry) => entry !== own && !taken.includes(entry));
    const { apiVersion } = live;
    const entry = { manager: MANAGER, operation: 'Apply', apiVersion, fieldsType: 'FieldsV1', fieldsV1 };
    const patch = [{ op: 'replace', path: '/metadata/managedFields', value: [...rest, entry] }];
    await accepted(call('PATCH', `${pathOf(live)}?fieldManager=${MANAGER}`, patch, 'application/json-patch+json'));
  }

  return {
    async reconcile(...objects) {
      const left = inventory.filter((old) => !objects.some((object) => pathOf(object) === pathOf(old)));
      inventory = [...left, ...objects];
      for (const object of objects) await apply(object);
      for (const object of left) {
        const live = await find(cluster, object);
        if (live && live.metadata.annotations?.[`${PREFIX}/prune`] !== 'disabled')
          await accepted(call('DELETE', pathOf(object), { propagationPolicy: 'Background' }));
        inventory = inventory.filter((other) => other !== object);
      }
    },
  };
}

const ssaOf = ({ metadata }: KubeObject): string | undefined => metadata.annotations?.[`${PREFIX}/ssa`];

async function find(cluster: GuardedCluster, object: KubeObject): Promise<KubeObject | undefined> {
  const { status, body } = await cluster.call('admin', 'GET', pathOf(object));
  return status === 404 ? undefined : expectStatus(200, Promise.resolve({ status, body }));
}

/** Throws the API server's own words. */
async function accepted(answer: Promise<Answer>): Promise<void> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error((body as KubeObject).message);
}

/** All fields of either set, as managedFields write them. */
function union(one: object, other: object): object {
  const all: Record<string, unknown> = { ...one };
  for (const [key, value] of Object.entries(other)) {
    const known = all[key];
    all[key] = isSet(known) && isSet(value) ? union(known, value) : value;
  }
  return all;
}

const isSet = (value: unknown): value is object => typeof value === 'object' && value !== null;
