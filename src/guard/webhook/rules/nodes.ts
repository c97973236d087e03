import { ANNOTATION } from '../../../api/v1alpha1/index.ts';
import { allowanceOf, describeRadius, radiusOf, roomFor } from '../../../domain/blast-radius.ts';
import type { Moment } from '../../../domain/moment.ts';
import { isReady, type Node } from '../../../kube/resources.ts';
import { isOperator } from '../operator.ts';
import { allow, type Decision, type Review, refuse } from '../review.ts';
import { type Held, holderOf, mayGoOn, type View } from '../view.ts';
import { expiredOverride } from './override.ts';

/** Cordoning a Node, taking it into maintenance. Whether it may be done to this one Node at all is the policies' to say. */
export function decideUpdate(review: Review, before: Node, after: Node, view: View, moment: Moment): Decision {
  const { name } = before.metadata;
  const cordoned = !before.spec?.unschedulable && after.spec?.unschedulable === true;
  const asked = maintenanceOf(after);
  const annotated = asked !== undefined && asked !== maintenanceOf(before);
  if (!cordoned && !annotated) return allow();
  const held = holderOf(before.metadata.labels, view, moment);
  if (!held || (isOperator(review.user) && !isLive(held))) return allow();
  if (annotated && asked !== name && !cordoned)
    return allow(`${ANNOTATION.maintenance} of Node ${name} is "${asked}": it permits nothing until it is ${name}`);
  return takingOut(before, held, cordoned ? 'cordoned' : 'taken into maintenance', view, moment);
}

/** The policies let Nodes go that are not Ready; what is Ready must not go by this way either, beyond the allowance. */
export function decideDeletion(before: Node, view: View, moment: Moment): Decision {
  const held = holderOf(before.metadata.labels, view, moment);
  if (!held) return allow();
  const expired = expiredOverride(held, moment);
  if (expired !== undefined) return refuse(`Node ${before.metadata.name} cannot be deleted: ${expired}`);
  return takingOut(before, held, 'deleted', view, moment);
}

function takingOut(before: Node, held: Held, what: string, view: View, moment: Moment): Decision {
  const { name } = before.metadata;
  const radius = radiusOf(held.generation, held.platform, view.tally, moment);
  const { generation } = held;
  // The object itself is fresher than any cache: one that is out already takes nothing more away.
  const isOut = !isReady(before) || before.spec?.unschedulable === true;
  const fits = maintenanceOf(before) === name ? mayGoOn(name, radius, view) : roomFor(name, radius);
  if (isOut || fits)
    return { allowed: true, warnings: [], takesOut: { generationUID: generation.metadata.uid, node: name } };
  const allowance = allowanceOf(held.platform);
  return refuse(
    `Node ${name} cannot be ${what}: the blast radius of ${generation.metadata.name} is used up (${held.hold}). ` +
      `${describeRadius(radius, allowance)}. Wait until fewer are out, or raise spec.blastRadius of Platform ${generation.spec.platform}`,
  );
}

const maintenanceOf = ({ metadata }: Node): string | undefined => metadata.annotations?.[ANNOTATION.maintenance];

const isLive = ({ generation, platform }: Held): boolean =>
  !platform || platform.status.live?.uid === generation.metadata.uid;
