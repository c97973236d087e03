import type { KubeClient } from '../../kube/client.ts';
import { type Event, events, type Job } from '../../kube/resources.ts';
import { stable } from '../refusal.ts';

/**
 * Why a Job has no pod: what a quota, a limit or an admission webhook has against it is in the Job's events alone, for an hour.
 * Asked only of a Job without one. Undefined when there is no such event: nothing is known then. Throws ApiError.
 */
export async function refusalOfPods(client: KubeClient, { metadata }: Job): Promise<string | undefined> {
  const { name, namespace, uid } = metadata;
  const fieldSelector = `regarding.uid=${uid},reason=${REASON}`;
  const { items } = await client.list(events, { namespace, fieldSelector });
  const last = items
    .filter(({ regarding, reason }) => regarding?.uid === uid && reason === REASON)
    .toSorted((a, b) => timeOf(a).localeCompare(timeOf(b)))
    .at(-1);
  const words = last?.note?.replace(/^Error creating: /, '');
  // A pod has another name at each attempt, and the message would be another at each.
  return words && stable(words.replaceAll(new RegExp(`${name.replaceAll('.', '\\.')}-[a-z0-9]{5}\\b`, 'g'), name));
}

/** What the controllers of Kubernetes call it. */
const REASON = 'FailedCreate';

const timeOf = ({ deprecatedLastTimestamp, series, eventTime, metadata }: Event): string =>
  deprecatedLastTimestamp ?? series?.lastObservedTime ?? eventTime ?? metadata.creationTimestamp;
