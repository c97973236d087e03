import type { ClusterGeneration } from '../../api/v1alpha1/index.ts';
import type { Moment } from '../../domain/moment.ts';
import { allow, type Decision, type Review } from './review.ts';
import { decideEviction, type PodFact } from './rules/evictions.ts';
import * as generations from './rules/generations.ts';
import * as nodes from './rules/nodes.ts';
import * as platforms from './rules/platforms.ts';
import type { View } from './view.ts';

/** What had to be read live for a review. */
export interface Facts {
  /** For an eviction: where the pod is. */
  pod?: PodFact;
  /** For a move of the live pointer: where it moves to. */
  candidate?: ClusterGeneration | 'unknown' | undefined;
}

/** Judges a review. Pure: what it looks at is the review, the view and the facts. */
export function decide(review: Review, facts: Facts, view: View, moment: Moment): Decision {
  const { act } = review;
  switch (act.kind) {
    case 'update-node':
      return nodes.decideUpdate(review, act.before, act.after, view, moment);
    case 'delete-node':
      return nodes.decideDeletion(act.before, view, moment);
    case 'evict': {
      const pod = facts.pod ?? { state: 'unknown', why: 'nobody has looked where it is' };
      return decideEviction(review, { namespace: act.namespace, name: act.pod }, pod, view, moment);
    }
    case 'update-generation':
      return generations.decideUpdate(act.before, act.after);
    case 'delete-generation':
      return generations.decideDeletion(act.before, view, moment);
    case 'delete-pool':
      return generations.decidePoolDeletion(act.before, view, moment);
    case 'update-platform':
      return platforms.decideUpdate(act.before, act.after, facts.candidate, view, moment);
    case 'other':
      return allow();
  }
}
