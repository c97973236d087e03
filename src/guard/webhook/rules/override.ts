import type { Moment } from '../../../domain/moment.ts';
import type { Held } from '../view.ts';

/**
 * Why an act is refused that the policies let pass for the sake of an override: they have no clock, so one that has
 * ended counts for them until the operator clears it. Undefined when no override has to do with it.
 */
export function expiredOverride({ generation, platform, hold }: Held, { now }: Moment): string | undefined {
  const { name, uid } = generation.metadata;
  const there = platform?.status.override;
  const override = generation.status.override ?? (there?.uid === uid ? there : undefined);
  if (!override) return undefined;
  const { until } = override;
  const why =
    Date.parse(until) <= now
      ? `the override of ${name} ended at ${until}`
      : `the override of ${name} is not in force (Platform and ClusterGeneration must both carry it, until the same time and not for longer than it may last)`;
  return `${why}, and ${hold}. Two people can set spec.override of Platform ${generation.spec.platform} again, or a Cutover can retire it`;
}
