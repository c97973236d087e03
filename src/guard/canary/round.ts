import type { PlatformStatus } from '../../api/v1alpha1/index.ts';
import type { KubeClient } from '../../kube/client.ts';
import { attempt, effectOf } from './attempt.ts';
import { isAmended, type Judgement, judge } from './judge.ts';
import type { Act, Family, Probe, Subject } from './probe.ts';
import { probesOf } from './probes.ts';

type Reported = NonNullable<PlatformStatus['guard']>['probes'][number];

/** What came of one probe. */
export interface Result extends Reported {
  family: Family;
  /** Why it was Skipped; for people. */
  reason?: string;
}

/** One round of probes of a platform, at every API server that answers. */
export interface Round {
  results: Result[];
  /** When it ended, ms since the epoch. */
  time: number;
  /** Whether there was a live generation to try acts on. */
  live: boolean;
  /** Two people have lifted its protection for a while: that nothing is refused says nothing. */
  overridden: boolean;
}

/** What one API server answered. */
export interface Answers {
  results: Result[];
  /** Why the rest is missing: it did not answer. */
  unanswered?: string;
  /** What a dry run did although it must not; nothing is tried any more. */
  effect?: string;
}

/**
 * Tries every act at one API server, one after the other, and stops at the first that it does not answer. `again`: the
 * subject read anew, for an act that was accepted or came too late: a generation that was retired a moment ago may be
 * deleted.
 */
export async function answersOf(client: KubeClient, subject: Subject, again: () => Promise<Subject>): Promise<Answers> {
  const results: Result[] = [];
  for (const probe of probesOf(subject)) {
    const first = await tried(client, probe);
    const repeated = first.outcome === 'Hole' || (first.outcome === 'Skipped' && first.stale);
    const last = repeated ? renewed(await again(), probe) : probe;
    const judgement = repeated ? await tried(client, last) : first;
    if (judgement.outcome === 'Unanswered') return { results, unanswered: judgement.reason };
    results.push(resultOf(last, judgement));
    const accepted = first.outcome === 'Hole' || (first.outcome === 'Denied' && amendmentOf(probe.act));
    const act = accepted ? probe.act : undefined;
    // A hole is a hole whether or not its object can be read again.
    const effect = act && (await effectOf(client, act).catch(() => undefined));
    if (effect) return { results, effect: `${probe.verb} ${probe.target}: ${effect}` };
  }
  return { results };
}

const renewed = (subject: Subject, { family }: Probe): Probe =>
  probesOf(subject).find((probe) => probe.family === family) as Probe;

async function tried(client: KubeClient, probe: Probe): Promise<Judgement> {
  if (probe.skip !== undefined) return { outcome: 'Skipped', reason: probe.skip, stale: false };
  return tryOnce(client, probe.act);
}

/** Carries one act out as a dry run, and judges the answer. */
export async function tryOnce(client: KubeClient, act: Act): Promise<Judgement> {
  const amendment = amendmentOf(act);
  try {
    const made = await attempt(client, act);
    return made && amendment && isAmended(made, amendment)
      ? { outcome: 'Denied', policy: amendment.policy }
      : judge(undefined);
  } catch (error) {
    const judgement = judge(error);
    // Another policy refuses what this one has not put right.
    return amendment && judgement.outcome === 'Denied' ? judge(undefined) : judgement;
  }
}

const amendmentOf = (act: Act | undefined) => (act?.do === 'create' ? act.amendment : undefined);

const resultOf = (
  { family, verb, target }: Probe,
  judgement: Exclude<Judgement, { outcome: 'Unanswered' }>,
): Result => ({
  family,
  verb,
  target,
  outcome: judgement.outcome,
  ...(judgement.outcome === 'Denied' && { policy: judgement.policy }),
  ...(judgement.outcome === 'Skipped' && { reason: judgement.reason }),
});

const WORST = ['Hole', 'Denied', 'Skipped'] as const;

/** One list from those of several API servers: of each family the worst; a hole says where it is. */
export function merged(lists: ReadonlyMap<string, readonly Result[]>): Result[] {
  const several = lists.size > 1;
  const all = [...lists].flatMap(([address, results]) =>
    results.map((result) =>
      several && result.outcome === 'Hole' ? { ...result, target: `${result.target} at ${address}` } : result,
    ),
  );
  const families = [...new Set(all.map(({ family }) => family))];
  return families.flatMap((family) => {
    const results = all.filter((result) => result.family === family);
    const outcome = WORST.find((worst) => results.some((result) => result.outcome === worst));
    return results.find((result) => result.outcome === outcome) ?? [];
  });
}
