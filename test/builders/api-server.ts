import type { KubeClient } from '../../src/kube/client.ts';
import { clientOver } from '../../src/kube/client.ts';
import { ApiError } from '../../src/kube/errors.ts';
import { type KubeObject, keyOf, type Resource } from '../../src/kube/resource.ts';
import type { Pod } from '../../src/kube/resources.ts';
import type { ApiRequest, Transport } from '../../src/kube/transport.ts';
import { applied, merged, operated, strategic } from './patching.ts';

/**
 * An API server in memory, as far as preconditions go: versions, UIDs, finalizers, status apart from spec, who owns a
 * Service's selector. It checks no schema and no policy. In go requests of the real client, out come the answers and
 * errors of a real server, and every change to who listens.
 */

export type Stored = KubeObject & { spec?: unknown; status?: unknown };

/** One change, as watchers see it. */
export interface Change {
  resource: Resource;
  verb: 'create' | 'update' | 'status' | 'patch' | 'delete';
  before: Stored | undefined;
  after: Stored | undefined;
}

/** What may happen to the requests of one process. Throwing in `before`: never sent. In `after`: done, answer lost. */
export interface Fate {
  before?(request: ApiRequest): void | Promise<void>;
  after?(request: ApiRequest, changed: boolean): void;
}

export interface ApiServer {
  /** A client of a process of its own. */
  client(fate?: Fate): KubeClient;
  /** Puts an object there as it is. */
  seed(resource: Resource, object: object): void;
  /** An object as it is now. */
  read<T extends KubeObject>(resource: Resource<T>, key: string): T | undefined;
  all<T extends KubeObject>(resource: Resource<T>): T[];
  /** A person edits an object: no precondition. */
  edit<T extends KubeObject>(resource: Resource<T>, key: string, change: (object: T) => void): void;
  subscribe(listener: (change: Change) => void): () => void;
  /** Requests received, oldest first: `PUT platforms us status`. */
  readonly requests: string[];
  /** Lines of the log of a pod, by `namespace/name`. */
  readonly logs: Record<string, string[]>;
}

/** What a pod is given to end, s: Kubernetes' own default. */
const GRACE = 30;

export const refusal = (status: number, reason: string, message: string): ApiError =>
  new ApiError({ status, reason, message });

export function anApiServer(now: () => number): ApiServer {
  const collections = new Map<string, Map<string, Stored>>();
  const listeners = new Set<(change: Change) => void>();
  const requests: string[] = [];
  const logs: Record<string, string[]> = {};
  const uids = new Set<string>();
  let version = 100;

  /** A namesake made later is another object. */
  const uidFor = (name: string, dryRun: boolean): string => {
    let uid = `uid-${name}`;
    for (let again = 2; uids.has(uid); again++) uid = `uid-${name}-${again}`;
    if (!dryRun) uids.add(uid);
    return uid;
  };

  const collection = ({ plural }: Resource) => {
    const present = collections.get(plural) ?? new Map<string, Stored>();
    collections.set(plural, present);
    return present;
  };

  const store = (resource: Resource, verb: Change['verb'], before: Stored | undefined, next: Stored): Stored => {
    if (before && JSON.stringify(before) === JSON.stringify(next)) return before;
    const { deletionTimestamp, finalizers = [], deletionGracePeriodSeconds = 0 } = next.metadata;
    const gone = deletionTimestamp !== undefined && finalizers.length === 0 && deletionGracePeriodSeconds === 0;
    const after: Stored = { ...next, metadata: { ...next.metadata, resourceVersion: String(++version) } };
    if (gone) collection(resource).delete(keyOf(after));
    else collection(resource).set(keyOf(after), after);
    for (const listener of listeners)
      listener({ resource, verb: gone ? 'delete' : verb, before, after: gone ? undefined : after });
    return after;
  };

  const present = ({ resource, target }: ApiRequest): Stored => {
    const found = collection(resource).get(keyOf({ metadata: target as { name: string } }));
    if (found) return found;
    throw refusal(404, 'NotFound', `${resource.plural} "${target?.name}" not found`);
  };

  const check = (before: Stored, { uid, resourceVersion }: { uid?: string; resourceVersion?: string }) => {
    const { metadata } = before;
    if (uid !== undefined && uid !== metadata.uid)
      throw refusal(409, 'Conflict', `UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`);
    if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
      throw refusal(409, 'Conflict', `${before.kind} ${metadata.name}: the object has been modified`);
  };

  const bumped = (before: Stored, next: Stored): Stored => {
    const same = JSON.stringify(before.spec) === JSON.stringify(next.spec);
    return same
      ? next
      : { ...next, metadata: { ...next.metadata, generation: ((before.metadata.generation as number) ?? 0) + 1 } };
  };

  const create = (request: ApiRequest): Stored => {
    const { status: _, ...body } = request.body as Stored;
    const key = keyOf(body);
    if (collection(request.resource).has(key))
      throw refusal(409, 'AlreadyExists', `${request.resource.plural} "${key}" already exists`);
    const dryRun = request.query?.dryRun !== undefined;
    const metadata = {
      ...body.metadata,
      uid: uidFor(body.metadata.name, dryRun),
      generation: 1,
      creationTimestamp: new Date(now()).toISOString(),
    };
    const created = { ...body, metadata, status: { observedGeneration: -1 } } as Stored;
    return dryRun ? created : store(request.resource, 'create', undefined, created);
  };

  const update = (request: ApiRequest): Stored => {
    const before = present(request);
    const body = request.body as Stored;
    check(before, body.metadata);
    if (request.target?.subresource === 'status')
      return store(request.resource, 'status', before, { ...before, status: body.status });
    const { labels, annotations, finalizers = [] } = body.metadata;
    const metadata = { ...before.metadata, ...(labels && { labels }), ...(annotations && { annotations }), finalizers };
    return store(
      request.resource,
      'update',
      before,
      bumped(before, json({ ...body, metadata, status: before.status })),
    );
  };

  const patch = (request: ApiRequest): Stored => {
    const before = present(request);
    const body = request.body as { metadata?: { resourceVersion?: string; uid?: string } };
    check(before, {
      ...(body.metadata?.uid !== undefined && { uid: body.metadata.uid }),
      ...(body.metadata?.resourceVersion !== undefined && { resourceVersion: body.metadata.resourceVersion }),
    });
    const { fieldManager = 'unknown', force, dryRun } = request.query ?? {};
    const next = patched(before, request, { fieldManager, force: force === 'true' });
    const after = { ...next, metadata: { ...next.metadata, resourceVersion: before.metadata.resourceVersion } };
    return dryRun === undefined ? store(request.resource, 'patch', before, bumped(before, after)) : after;
  };

  const patched = (
    before: Stored,
    { contentType = '', body }: ApiRequest,
    { fieldManager, force }: { fieldManager: string; force: boolean },
  ): Stored => {
    if (contentType.includes('apply')) return applied(before, body as Stored, fieldManager, force);
    if (contentType.includes('strategic')) return strategic(before, body) as Stored;
    return (Array.isArray(body) ? operated(before, body) : merged(before, body)) as Stored;
  };

  const remove = (request: ApiRequest): Stored => {
    const before = present(request);
    const body = request.body as {
      preconditions: { uid: string; resourceVersion: string };
      dryRun?: string[];
      gracePeriodSeconds?: number;
    };
    check(before, body.preconditions);
    if (body.dryRun) return before;
    const deletionTimestamp = before.metadata.deletionTimestamp ?? new Date(now()).toISOString();
    // A pod that has a machine is there until its kubelet has ended it.
    const graceful = request.resource.plural === 'pods' && (before as Pod).spec?.nodeName !== undefined;
    const { deletionGracePeriodSeconds: left = graceful ? GRACE : 0 } = before.metadata;
    const deletionGracePeriodSeconds = Math.min(left, body.gracePeriodSeconds ?? left);
    return store(request.resource, 'update', before, {
      ...before,
      metadata: { ...before.metadata, deletionTimestamp, deletionGracePeriodSeconds },
    });
  };

  /** What a list or a watch is narrowed to: a namespace, labels, one name. */
  const chosenBy = ({
    target,
    query,
  }: {
    target?: ApiRequest['target'] | undefined;
    query?: ApiRequest['query'] | undefined;
  }) => {
    const wanted = selectorOf(query?.labelSelector ?? '');
    const [, name] = /^metadata\.name=(.+)$/.exec(query?.fieldSelector ?? '') ?? [];
    return ({ metadata }: Stored): boolean =>
      (target?.namespace === undefined || metadata.namespace === target.namespace) &&
      (name === undefined || metadata.name === name) &&
      wanted(metadata.labels ?? {});
  };

  const list = (request: ApiRequest) => {
    const items = [...collection(request.resource).values()].filter(chosenBy(request));
    return { items, metadata: { resourceVersion: String(version) } };
  };

  const handle = (request: ApiRequest): unknown => {
    switch (request.method) {
      case 'GET':
        return request.target?.name === undefined ? list(request) : present(request);
      case 'POST':
        return create(request);
      case 'PUT':
        return update(request);
      case 'PATCH':
        return patch(request);
      case 'DELETE':
        return remove(request);
    }
  };

  /** A watch: what there is, the mark of its end, then each change as it happens. */
  const stream: Transport['stream'] = ({ resource, target, query, signal, onOpen, onData }) => {
    if (target?.subresource === 'log') {
      onOpen();
      onData(Buffer.from(`${(logs[keyOf({ metadata: target as { name: string } })] ?? []).join('\n')}\n`));
      return Promise.resolve();
    }
    const tell = (type: string, object: Stored) => onData(Buffer.from(`${JSON.stringify({ type, object })}\n`));
    onOpen();
    const chosen = chosenBy({ target, query });
    for (const object of [...collection(resource).values()].filter(chosen)) tell('ADDED', object);
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    const end = {
      metadata: { name: '', uid: '', creationTimestamp: '', resourceVersion: String(version), annotations },
    };
    tell('BOOKMARK', { apiVersion: resource.apiVersion, kind: resource.kind, ...end });
    const listener = ({ resource: { plural }, before, after }: Change) => {
      if (plural !== resource.plural) return;
      const was = before !== undefined && chosen(before);
      if (after && chosen(after)) tell(was ? 'MODIFIED' : 'ADDED', after);
      else if (was) tell('DELETED', { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } });
    };
    listeners.add(listener);
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => {
        listeners.delete(listener);
        reject(signal.reason);
      });
    });
  };

  return {
    requests,
    logs,
    client(fate = {}) {
      const send = async (request: ApiRequest) => {
        await fate.before?.(request);
        const { method, resource, target } = request;
        requests.push([method, resource.plural, target?.name, target?.subresource].filter(Boolean).join(' '));
        const before = version;
        const answer = json(handle(request));
        fate.after?.(request, version !== before);
        return answer;
      };
      const transport = { send, stream, close: async () => {} };
      return clientOver(transport, 'generations-operator', 'generations-system');
    },
    seed(resource, object) {
      const { apiVersion, kind } = resource;
      store(resource, 'create', undefined, json({ ...object, apiVersion, kind }) as Stored);
    },
    read: <T extends KubeObject>(resource: Resource<T>, key: string) =>
      json(collection(resource).get(key)) as T | undefined,
    all: <T extends KubeObject>(resource: Resource<T>) => json([...collection(resource).values()]) as T[],
    edit(resource, key, change) {
      const before = collection(resource).get(key);
      if (!before) throw new Error(`there is no ${resource.kind} ${key} to edit`);
      const next = json(before);
      change(next as never);
      store(resource, 'update', before, bumped(before, next));
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** A label selector, as far as the operator writes them: `key=value`, `key in (a,b)`, `key`, `!key`. */
function selectorOf(text: string): (labels: Record<string, string>) => boolean {
  const terms = text.split(/,(?![^(]*\))/).filter(Boolean);
  const tests = terms.map((term) => {
    const [, key = '', list = ''] = /^\s*(\S+)\s+in\s+\(([^)]*)\)\s*$/.exec(term) ?? [];
    const values = list.split(',').map((value) => value.trim());
    if (key) return (labels: Record<string, string>) => values.includes(labels[key] ?? '');
    const [name = '', value] = term.split(/==?/);
    if (value !== undefined) return (labels: Record<string, string>) => labels[name] === value;
    return name.startsWith('!')
      ? (labels: Record<string, string>) => !(name.slice(1) in labels)
      : (labels: Record<string, string>) => name in labels;
  });
  return (labels) => tests.every((test) => test(labels));
}

/** A copy as JSON carries it: what is undefined is absent, and nobody shares it. */
const json = <T>(value: T): T => (value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T));
