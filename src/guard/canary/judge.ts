import { ApiError } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/resource.ts';
import type { Pod } from '../../kube/resources.ts';
import type { Amendment } from './probe.ts';

/** What an answer to a forbidden act means. */
export type Judgement =
  /** A policy of ours refused it. */
  | { outcome: 'Denied'; policy: string }
  /** It would have been done. */
  | { outcome: 'Hole' }
  /** Something else refused it, so nothing is known of the policy; `stale`: because what we knew of the object is old. */
  | { outcome: 'Skipped'; reason: string; stale: boolean }
  /** Nobody answered: this is no result. */
  | { outcome: 'Unanswered'; reason: string };

/** Longest part of somebody else's refusal that is passed on. */
const REASON_LENGTH = 160;

/** Judges what came of an act. `error`: undefined when the API server accepted it. */
export function judge(error: unknown): Judgement {
  if (error === undefined) return { outcome: 'Hole' };
  if (!(error instanceof ApiError)) throw error;
  const { status, message } = error;
  const policy = /ValidatingAdmissionPolicy '(generations-guard-[a-z-]+)'/.exec(message)?.[1];
  if (status === 403 && policy !== undefined) return { outcome: 'Denied', policy };
  const reason = message.slice(0, REASON_LENGTH);
  // A policy that cannot be evaluated refuses everything, for a while after it was installed: that is no proof either.
  const mutating = /: policy ['"]generations-[a-z-]+['"] .*denied request: /.test(message);
  if (policy !== undefined || mutating) return { outcome: 'Unanswered', reason };
  // Webhooks of others on what there are most of, pods, must not keep the guard from being proved when they are down.
  if (status === 403 || (status === 500 && message.includes('failed calling webhook')))
    return { outcome: 'Skipped', reason: `refused, but by no policy of ours: ${reason}`, stale: false };
  if (status === 404 || status === 409)
    return { outcome: 'Skipped', reason: `changed meanwhile: ${reason}`, stale: true };
  if (status === 422) return { outcome: 'Skipped', reason: `invalid: ${reason}`, stale: false };
  return { outcome: 'Unanswered', reason };
}

/** True when what would be created has all that the amendment wants; a pod may have more, from others. */
export function isAmended(made: KubeObject, { gates, finalizers }: Amendment): boolean {
  const { metadata, spec } = made as Pod;
  const names = (spec?.schedulingGates ?? []).map(({ name }) => name);
  return gates.every((gate) => names.includes(gate)) && finalizers.every((one) => metadata.finalizers?.includes(one));
}
