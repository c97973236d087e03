import { ANNOTATION } from '../../../api/v1alpha1/index.ts';
import { allowanceOf, describeRadius, inMaintenance, radiusOf } from '../../../domain/blast-radius.ts';
import type { Moment } from '../../../domain/moment.ts';
import { isOperator } from '../operator.ts';
import { allow, type Decision, type Review, refuse } from '../review.ts';
import { holderOf, mayGoOn, type View } from '../view.ts';

/** What a live read has said of the pod that is to be evicted. */
export type PodFact =
  | { state: 'placed'; node: string }
  /** Gone, not on any Node yet, or ended: its eviction takes nothing away. */
  | { state: 'idle' }
  /** The API server did not say in time. */
  | { state: 'unknown'; why: string };

/**
 * An eviction takes a pod from its Node. From a Node of a generation that may not lose machines that is only right when
 * the Node is being taken out with leave, or has failed. It makes no difference who asks: a person's drain, a
 * descheduler, an autoscaler.
 */
export function decideEviction(
  review: Review,
  pod: { namespace: string; name: string },
  fact: PodFact,
  view: View,
  moment: Moment,
): Decision {
  if (isOperator(review.user)) return allow();
  const what = `Pod ${pod.namespace}/${pod.name} cannot be evicted`;
  if (fact.state === 'idle') return allow();
  if (fact.state === 'unknown')
    return { allowed: false, code: 429, warnings: [], message: `${what} now: ${fact.why}. Try again` };
  const node = view.node(fact.node);
  const held = node && holderOf(node.labels, view, moment);
  if (!node || !held || !node.ready) return allow();
  const { name } = held.generation.metadata;
  if (!inMaintenance(node))
    return refuse(
      `${what}: its Node ${node.name} belongs to ${name} and serves (${held.hold}). To take this one machine out: ` +
        `kubectl annotate node ${node.name} ${ANNOTATION.maintenance}=${node.name}, then drain it again`,
    );
  const radius = radiusOf(held.generation, held.platform, view.tally, moment);
  if (mayGoOn(node.name, radius, view)) return allow();
  return refuse(
    `${what}: its Node ${node.name} is in maintenance, but the blast radius of ${name} is used up. ` +
      `${describeRadius(radius, allowanceOf(held.platform))}. Wait until fewer are out, or raise spec.blastRadius of Platform ${held.generation.spec.platform}`,
  );
}
