import { type Machine, type Provider, ProviderError } from '../../providers/provider.ts';

/**
 * Whether machines that were stopped, and run again, have their stop protection back: it was lifted so that they could
 * be stopped. Each is looked at until it is seen whole; that is remembered by this process only, so a new one looks at
 * all of them once.
 */
export interface Revivals {
  /**
   * @param doubtful true: any of these may have been stopped, whatever this process has seen
   * @returns `bare`: ids seen without protection; `unknown`: how many could not be looked at yet
   */
  look(
    provider: Provider,
    machines: readonly Machine[],
    doubtful: boolean,
  ): Promise<{ bare: string[]; unknown: number }>;
}

/** Machines looked at in one round: 40 of the 100 calls that EC2 lets through at once. */
const AT_ONCE = 20;

export function revivals(): Revivals {
  /** Seen off, and not seen protected since. */
  const stopped = new Set<string>();
  const whole = new Set<string>();

  return {
    async look(provider, machines, doubtful) {
      for (const { id, state } of machines) {
        if (state === 'running' || state === 'pending') continue;
        whole.delete(id);
        if (state === 'stopped' || state === 'stopping') stopped.add(id);
        else stopped.delete(id);
      }
      const suspects = machines
        .filter(({ state }) => state === 'running' || state === 'pending')
        .filter(({ id }) => stopped.has(id) || (doubtful && !whole.has(id)));
      const bare: string[] = [];
      let seen = 0;
      try {
        for (const { id } of suspects.slice(0, AT_ONCE)) {
          const { termination, stop } = await provider.protection(id);
          seen++;
          if (!(termination && stop)) {
            bare.push(id);
            continue;
          }
          whole.add(id);
          stopped.delete(id);
        }
      } catch (error) {
        // What the cloud does not say is neither protection nor its absence.
        if (!(error instanceof ProviderError)) throw error;
      }
      return { bare, unknown: suspects.length - seen };
    },
  };
}
