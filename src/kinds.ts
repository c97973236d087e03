import {
  API_VERSION,
  type ClusterGeneration,
  type Cutover,
  type GenerationClass,
  type GenerationPool,
  type Platform,
} from './api/v1alpha1/index.ts';
import { type KubeObject, type Resource, resource } from './kube/resource.ts';

/** The kinds of the API as the Kubernetes client takes them. */

const kind = <T extends KubeObject>(name: string, plural: string): Resource<T> =>
  resource<T>(API_VERSION, name, plural, false);

export const generationClasses = kind<GenerationClass>('GenerationClass', 'generationclasses');
export const platforms = kind<Platform>('Platform', 'platforms');
export const clusterGenerations = kind<ClusterGeneration>('ClusterGeneration', 'clustergenerations');
export const generationPools = kind<GenerationPool>('GenerationPool', 'generationpools');
export const cutovers = kind<Cutover>('Cutover', 'cutovers');
