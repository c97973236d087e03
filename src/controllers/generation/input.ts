import type { GenerationPool, Placement } from '../../api/v1alpha1/index.ts';
import type { Capacity, ProviderError } from '../../providers/provider.ts';
import type { AcceptInput } from './accept.ts';

/** All that a decision about a generation rests on. */
export interface GenerationInput extends AcceptInput {
  /** Pools of this generation, by owner. */
  own: GenerationPool[];
  /** Pools of other generations of the same class. */
  others: GenerationPool[];
  /** Machines at the cloud from before a restore, whose pools are still to be made again. */
  present: Placement[];
  /** Undefined when it was not asked for: nothing is left to place. */
  capacity: Capacity | ProviderError | undefined;
  now: number;
  scaled(ms: number): number;
}
