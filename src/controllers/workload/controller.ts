import { ANNOTATION, LABEL } from '../../api/v1alpha1/index.ts';
import { momentOf } from '../../domain/moment.ts';
import { isConflict, isNotFound } from '../../kube/errors.ts';
import { namespaces } from '../../kube/resources.ts';
import { type Controller, controller } from '../../runtime/controller.ts';
import { BY, type Context } from '../context.ts';
import { assertLeads } from '../lead.ts';
import type { WorkloadView } from '../workloads.ts';
import { decide, type WorkloadDecision } from './decide.ts';

/** How soon to look again at what somebody else has just written: its status may be all that has changed. Declared ms. */
const AGAIN = 500;

/** Wakes for workloads that come, go or change whose they are, and for what protects them. Keys are names of Namespaces. */
export function workloadController(context: Context): Controller {
  const { caches, clock, log, observer } = context;

  const self = controller({
    name: 'workload',
    clock,
    log,
    observer,
    concurrency: 4,
    async reconcile(key, signal) {
      const namespace = caches.places.get(key);
      if (!namespace || namespace.leaving) return undefined;
      const workloads = caches.workloads.flatMap((store) => store.byIndex(BY.namespace, key));
      const decision = decide({
        namespace,
        workloads,
        generations: (name) => caches.generations.get(name),
        platforms: caches.platforms.list(),
        moment: momentOf(clock),
      });
      const late = await apply(context, { name: key, version: namespace.version }, decision, signal);
      return late ? { requeueAfter: clock.scaled(AGAIN) } : undefined;
    },
  });
  const ofGeneration = (name: string) => {
    for (const store of caches.workloads)
      for (const { namespace } of store.byIndex(BY.generation, name)) self.enqueue(namespace);
  };
  for (const store of caches.workloads)
    store.subscribe((_, before, after) => {
      const namespace = (after ?? before)?.namespace;
      if (namespace !== undefined && !(before && after && isSame(before, after))) self.enqueue(namespace);
    });
  caches.places.subscribe((key, before, after) => {
    if (after && before?.workloads !== after.workloads) self.enqueue(key);
  });
  caches.generations.subscribe((key) => ofGeneration(key));
  caches.platforms.subscribe((key, before, after) => {
    const listed = [...(before?.status.protected ?? []), ...(after?.status.protected ?? [])];
    const own = caches.generations.byIndex(BY.platform, key).map(({ metadata }) => metadata.name);
    for (const name of new Set([...listed, ...own])) ofGeneration(name);
  });
  return self;
}

/** What is decided by, that is all but the version: most writes to a workload are its controller's to its status. */
const isSame = (before: WorkloadView, after: WorkloadView): boolean =>
  JSON.stringify({ ...before, version: '' }) === JSON.stringify({ ...after, version: '' });

/**
 * Writes the list first, then the labels. Resolves with whether something had changed meanwhile. Throws at the end when a write was refused,
 * by somebody's policy for example: that is said on the workload too.
 */
async function apply(
  context: Context,
  namespace: { name: string; version: string },
  { list, labels, left }: WorkloadDecision,
  signal: AbortSignal,
): Promise<boolean> {
  const { client, events, log } = context;
  const refusals: unknown[] = [];
  let late = false;
  const write = async (act: () => Promise<unknown>, refused: (why: string) => void) => {
    assertLeads(context);
    try {
      await act();
    } catch (error) {
      if (isConflict(error)) late = true;
      else if (!isNotFound(error)) {
        refusals.push(error);
        refused(error instanceof Error ? error.message : String(error));
      }
    }
  };
  const unguarded = (workload: WorkloadView, why: string) =>
    events.record({
      regarding: {
        apiVersion: workload.resource.apiVersion,
        kind: workload.resource.kind,
        namespace: workload.namespace,
        name: workload.name,
        uid: workload.uid,
      },
      type: 'Warning',
      reason: 'NotGuarded',
      action: 'Guard',
      note: `the label ${LABEL.generation} cannot be set, by which policies find it: ${why}`,
    });

  if (list !== undefined) {
    const metadata = { resourceVersion: namespace.version, annotations: { [ANNOTATION.workloads]: list } };
    await write(
      () => client.patch(namespaces, namespace.name, { metadata }, { type: 'merge', signal }),
      (why) => log.warn('The guarded workloads of a namespace cannot be listed', { namespace: namespace.name, why }),
    );
    if (left > 0)
      log.error('A namespace has more workloads than its list takes: the rest can be scaled to zero', {
        namespace: namespace.name,
        left,
      });
  }
  for (const { workload, generation } of labels) {
    const metadata = { resourceVersion: workload.version, labels: { [LABEL.generation]: generation } };
    const { resource, name } = workload;
    const options = { type: 'merge', namespace: workload.namespace, signal } as const;
    await write(
      () => client.patch(resource, name, { metadata }, options),
      (why) => unguarded(workload, why),
    );
  }
  if (refusals.length > 0) throw refusals[0];
  return late;
}
