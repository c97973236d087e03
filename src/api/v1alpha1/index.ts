/**
 * The five kinds of generations.dev/v1alpha1: a file per kind with its zod schema, from which come the TypeScript
 * type and, by api/generate.ts, the CustomResourceDefinition in `crds/`. Imports nothing of ours.
 */
import { clusterGeneration } from './clustergeneration.ts';
import { cutover } from './cutover.ts';
import type { Definition } from './definition.ts';
import { generationClass } from './generationclass.ts';
import { generationPool } from './generationpool.ts';
import { platform } from './platform.ts';

export const definitions: Definition[] = [generationClass, platform, clusterGeneration, generationPool, cutover];

export {
  type ClusterGeneration,
  type MachineTemplate,
  MOST_LIVE_BY,
  type Placement,
  type PoolSpec,
} from './clustergeneration.ts';
export {
  type Cutover,
  type CutoverPlan,
  type CutoverStatus,
  MOST_HOLDS,
  STEPS,
  type StepName,
  type SwitchState,
} from './cutover.ts';
export type { CustomObject, Metadata } from './definition.ts';
export type { Condition, Reference } from './fields.ts';
export { type ApiBudget, EC2_OPERATIONS, type GenerationClass, type GenerationClassStatus } from './generationclass.ts';
export {
  type Failure,
  type FailureReason,
  type GenerationPool,
  type GenerationPoolStatus,
  type Launch,
  MOST_ENDED,
  type Refusal,
} from './generationpool.ts';
export {
  ANNOTATION,
  API_VERSION,
  CLUSTER_TAG,
  CUTOVER_FINALIZER,
  FINALIZER,
  FLUX_SSA,
  GROUP,
  JOB_FINALIZER,
  LABEL,
  LIVE_TIME_TAG,
  PLACEMENT,
  RELEASED_TAG,
  VERSION,
} from './labels.ts';
export {
  type Platform,
  type PlatformStatus,
  TRAFFIC_STATES,
  type TrafficStatus,
  type TrafficTarget,
} from './platform.ts';
