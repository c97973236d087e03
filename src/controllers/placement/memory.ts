import type { Clock } from '../../runtime/clock.ts';
import type { PodView } from '../pods.ts';
import { type Pace, steadyPace } from './pace.ts';

/** What this process knows of one platform's pods before the watch shows it. Losing it costs a refused write. */
export interface Memory {
  pace: Pace;
  /** Remembers that the gate of a pod is being lifted; said before the request, whose answer may be lost. */
  placing(pod: PodView, generation: string): void;
  /** It certainly was not. */
  refused(pod: PodView): void;
  /** A pod as the watch shows it, or as it was placed a moment ago. */
  seen(pod: PodView): PodView;
}

/** The watch shows a write within this time, or the write has not happened. Real ms. */
const BELIEVED = 30_000;

export function memory(clock: Pick<Clock, 'monotonic' | 'rate'>): Memory {
  const placed = new Map<string, { version: string; generation: string; at: number }>();
  const forget = () => {
    for (const [uid, { at }] of placed) if (clock.monotonic() - at > BELIEVED) placed.delete(uid);
  };
  return {
    pace: steadyPace(clock.rate),
    placing({ uid, version }, generation) {
      forget();
      placed.set(uid, { version, generation, at: clock.monotonic() });
    },
    refused: ({ uid }) => void placed.delete(uid),
    seen(pod) {
      const known = placed.get(pod.uid);
      if (!known || known.version !== pod.version || clock.monotonic() - known.at > BELIEVED) return pod;
      return { ...pod, gated: false, labelled: true, selected: known.generation };
    },
  };
}
