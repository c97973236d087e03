import type { GenerationClass } from '../../api/v1alpha1/index.ts';
import { conditionOf } from '../../domain/conditions.ts';
import { clusterGenerations } from '../../kinds.ts';
import { type Controller, controller } from '../../runtime/controller.ts';
import { BY, type Context } from '../context.ts';
import { reporting } from '../trouble.ts';
import { apply } from './apply.ts';
import { decide } from './decide.ts';
import { gather } from './gather.ts';

const accepted = (generationClass: GenerationClass | undefined): string | undefined =>
  generationClass && conditionOf(generationClass, 'Accepted')?.status;

/** Wakes for its generations, their pools, platforms and classes. One at a time: two must not be granted the same addresses. */
export function generationController(context: Context): Controller {
  const { caches, clock, log, observer } = context;
  const self = controller({
    name: 'generation',
    clock,
    log,
    observer,
    concurrency: 1,
    reconcile: reporting(context, clusterGenerations, { read: caches.generations.get }, async (generation) => {
      const input = await gather(context, generation);
      const decision = decide(input);
      await apply(context, input, decision);
      return { requeueAfter: decision.requeueAfter };
    }),
  });
  const all = () => {
    for (const { metadata } of caches.generations.list()) self.enqueue(metadata.name);
  };
  caches.generations.subscribe((key, _, after) => after && self.enqueue(key));
  caches.pools.subscribe((_, before, after) => {
    const pool = after ?? before;
    if (pool) self.enqueue(pool.spec.generation);
  });
  caches.platforms.subscribe((key) => {
    for (const { metadata } of caches.generations.byIndex(BY.platform, key)) self.enqueue(metadata.name);
  });
  caches.classes.subscribe((_, before, after) => {
    if (before?.metadata.generation !== after?.metadata.generation || accepted(before) !== accepted(after)) all();
  });
  return self;
}
