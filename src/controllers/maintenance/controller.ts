import { ANNOTATION, LABEL } from '../../api/v1alpha1/index.ts';
import { allowanceOf, inMaintenance, isOut, radiusOf } from '../../domain/blast-radius.ts';
import { momentOf } from '../../domain/moment.ts';
import { holdOf } from '../../domain/protection.ts';
import type { EventInput } from '../../kube/events.ts';
import { namespaces } from '../../kube/resources.ts';
import { type Controller, controller } from '../../runtime/controller.ts';
import { BY, type Context } from '../context.ts';
import type { NodeView } from '../nodes.ts';
import { decide, type MaintainedNode, type MaintenanceDecision, type MaintenanceInput } from './decide.ts';

/** While somebody waits for room. Declared ms; all else wakes it by itself. */
const WAITING = 15_000;

/** Everything is one decision: which Nodes may be drained, in all protected namespaces. */
const ALL = 'all';

/** Wakes for Nodes in maintenance and what counts with them, and for protected namespaces. */
export function maintenanceController(context: Context): Controller {
  const { caches, clock, log, observer } = context;
  // What this process has told people; after a restart it is read from the namespaces.
  let begun = new Set<string>();
  let refused = new Map<string, string>();

  const self = controller({
    name: 'maintenance',
    clock,
    log,
    observer,
    async reconcile(_key, signal) {
      const decision = decide(gather(context, begun));
      await apply(context, decision, refused, signal);
      begun = new Set(decision.draining);
      refused = new Map(decision.refusals.map(({ node, why }) => [node.name, why]));
      return { requeueAfter: decision.refusals.length > 0 ? clock.scaled(WAITING) : undefined };
    },
  });
  caches.nodes.subscribe((_, before, after) => {
    const concerned = (node: NodeView | undefined) => node !== undefined && inMaintenance(node);
    // A Node that comes back makes room for one that waits.
    const changed = (before && isOut(before)) !== (after && isOut(after));
    if (concerned(before) || concerned(after) || (changed && refused.size > 0)) self.enqueue(ALL);
  });
  caches.namespaces.subscribe((_, __, after) => after && self.enqueue(ALL));
  return self;
}

function gather({ caches, clock }: Context, begun: ReadonlySet<string>): MaintenanceInput {
  const moment = momentOf(clock);
  const heldBy = ({ labels }: NodeView): MaintainedNode['held'] => {
    const generation = caches.generations.get(labels[LABEL.generation] ?? '');
    if (!generation) return undefined;
    const platform = caches.platforms.get(generation.spec.platform);
    if (holdOf(generation, platform, moment) === undefined) return undefined;
    const allowance = allowanceOf(platform);
    const radius = radiusOf(generation, platform, caches.outages.of, moment);
    return { generation: generation.metadata.name, platform: generation.spec.platform, radius, allowance };
  };
  return {
    nodes: caches.nodes.byIndex(BY.maintenance, BY.maintenance).map((node) => ({ node, held: heldBy(node) })),
    namespaces: caches.namespaces
      .list()
      .map(({ metadata }) => ({ name: metadata.name, draining: metadata.annotations?.[ANNOTATION.draining] })),
    begun,
  };
}

async function apply(
  { client, events, log }: Context,
  { writes, begins, refusals, draining }: MaintenanceDecision,
  refused: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<void> {
  for (const { namespace, draining: value } of writes) {
    const body = { metadata: { annotations: { [ANNOTATION.draining]: value } } };
    await client.patch(namespaces, namespace, body, { type: 'merge', signal });
  }
  if (writes.length > 0) log.info('Protected namespaces say which Nodes are drained', { draining });
  const action = 'Maintenance';
  for (const node of begins)
    events.record({
      ...about(node),
      type: 'Normal',
      reason: 'MaintenanceBegun',
      action,
      note: `its pods may be evicted now: kubectl drain ${node.name}. Remove the annotation ${ANNOTATION.maintenance} when it is back`,
    });
  for (const { node, why } of refusals)
    if (refused.get(node.name) !== why)
      events.record({ ...about(node), type: 'Warning', reason: 'MaintenanceRefused', action, note: why });
}

const about = ({ name, uid }: NodeView): Pick<EventInput, 'regarding'> => ({
  regarding: { apiVersion: 'v1', kind: 'Node', name, uid },
});
