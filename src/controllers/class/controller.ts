import type { GenerationClass } from '../../api/v1alpha1/index.ts';
import { momentOf } from '../../domain/moment.ts';
import { generationClasses } from '../../kinds.ts';
import { writeStatus } from '../../kube/status.ts';
import { ProviderError } from '../../providers/provider.ts';
import { type Controller, controller } from '../../runtime/controller.ts';
import type { Context } from '../context.ts';
import { reporting } from '../trouble.ts';
import { type ClassInput, decide } from './decide.ts';

/** Oldest look at the cloud that a report may rest on. Declared ms. */
const MAX_AGE = 5_000;

/** Wakes for its classes, for pools that come and go, and from time to time: what the cloud has to offer changes without telling. */
export function classController(context: Context): Controller {
  const { caches, client, clock, log, observer } = context;
  const self = controller({
    name: 'class',
    clock,
    log,
    observer,
    concurrency: 2,
    reconcile: reporting(context, generationClasses, { read: caches.classes.get }, async (generationClass) => {
      const { status, requeueAfter } = decide(await gather(context, generationClass));
      await writeStatus(client, generationClasses, generationClass, status);
      return { requeueAfter };
    }),
  });
  caches.classes.subscribe((key, before, after) => {
    if (after && before?.metadata.generation !== after.metadata.generation) self.enqueue(key);
  });
  caches.pools.subscribe((_, before, after) => {
    const pool = before && after ? undefined : (after ?? before);
    if (pool) self.enqueue(pool.spec.className);
  });
  return self;
}

async function gather(context: Context, generationClass: GenerationClass): Promise<ClassInput> {
  const { caches, clock } = context;
  const pools = caches.pools.list().filter(({ spec }) => spec.className === generationClass.metadata.name);
  const base = { generationClass, pools, ...momentOf(clock) };
  try {
    const provider = await context.providerOf(generationClass);
    const types = new Set(pools.flatMap(({ spec }) => (spec.template.ec2 ? [spec.template.ec2.instanceType] : [])));
    const query = { subnets: generationClass.spec.subnets.map(({ id }) => id), types: [...types].toSorted() };
    const capacity = await provider.capacity(query, clock.scaled(MAX_AGE)).catch(providerError);
    const owner = await provider.owner(query.subnets, clock.scaled(MAX_AGE)).catch(providerError);
    const account = owner instanceof ProviderError ? undefined : owner;
    return { ...base, capacity, account, budgets: provider.budgets() };
  } catch (error) {
    return { ...base, capacity: providerError(error), account: undefined, budgets: [] };
  }
}

/** Trouble with the cloud is something to report; anything else is thrown. */
function providerError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  throw error;
}
