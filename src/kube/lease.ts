import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Election } from '../runtime/manager.ts';
import type { KubeClient } from './client.ts';
import { isAlreadyExists, isConflict, isNotFound } from './errors.ts';
import { type Lease, leases } from './resources.ts';

export type LeaderElectionOptions = {
  client: KubeClient;
  clock: Clock;
  log: Logger;
  namespace: string;
  /** The Lease's name: processes that use the same one exclude each other. */
  name: string;
  /** Who we are; different for every process, also after a restart. */
  identity: string;
  /** Others wait this long after the last renewal before they take over, real ms. Default 15 000. */
  leaseDuration?: number;
  /** Without a renewal for this long we stop leading, real ms; well below leaseDuration. Default 10 000. */
  renewDeadline?: number;
  /** Between attempts to acquire or renew, real ms. Default 2 000. */
  retryPeriod?: number;
  observer?: { leading?(lease: string, leads: boolean): void } | undefined;
};

export type LeaderElection = Election & {
  /** True while the lease is ours and its last renewal is younger than renewDeadline, at this very moment. */
  isLeader(): boolean;
  /**
   * Age of the last successful renewal, real ms, counted from before its request was sent; Infinity when the lease is
   * not ours. What must not be done by two leaders asks for it right before the act.
   */
  heldFor(): number;
};

/** A lease as last seen, and when by our own clock: the holder's clock is not trusted. */
type Seen = { version: string; at: Instant };
type Instant = { wall: number; monotonic: number };

/**
 * Leader election on a Lease. `start` waits to acquire it, renews it, and returns when it is lost. When its signal
 * aborts it gives the lease back, so that the next process need not wait for it to expire.
 */
export function leaderElection(options: LeaderElectionOptions): LeaderElection {
  const { client, clock, namespace, name, identity, observer } = options;
  const { leaseDuration = 15_000, renewDeadline = 10_000, retryPeriod = 2_000 } = options;
  if (!(retryPeriod < renewDeadline && renewDeadline < leaseDuration))
    throw new RangeError(
      `lease ${name}: retryPeriod (${retryPeriod} ms) must be below renewDeadline (${renewDeadline} ms), and that below leaseDuration (${leaseDuration} ms)`,
    );
  const log = options.log.child({ lease: `${namespace}/${name}`, identity });
  const elected = Promise.withResolvers<void>();
  let renewed: Instant | undefined;
  let held: Lease | undefined;
  let seen: Seen | undefined;

  const instant = (): Instant => ({ wall: clock.now(), monotonic: clock.monotonic() });
  // The larger of two: a paused machine stops the monotonic clock, someone who sets the time moves the wall clock.
  const ageOf = ({ wall, monotonic }: Instant) => Math.max(clock.now() - wall, clock.monotonic() - monotonic);
  const heldFor = () => (renewed ? ageOf(renewed) : Number.POSITIVE_INFINITY);
  const isLeader = () => heldFor() < renewDeadline;
  /** A request must not outlive the time for which its answer would still count. */
  const limit = (ms: number) => AbortSignal.timeout(Math.max(1, Math.round(ms)));

  const spec = (at: Instant, before: Lease['spec']): Lease['spec'] => {
    const time = microTime(at.wall);
    const ours = before?.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDuration / 1000),
      acquireTime: ours && before.acquireTime ? before.acquireTime : time,
      renewTime: time,
      leaseTransitions: (before?.leaseTransitions ?? 0) + (ours || !before ? 0 : 1),
    };
  };

  const isFree = (lease: Lease): boolean => {
    const { holderIdentity, leaseDurationSeconds = leaseDuration / 1000 } = lease.spec ?? {};
    if (seen?.version !== lease.metadata.resourceVersion)
      seen = { version: lease.metadata.resourceVersion, at: instant() };
    return !holderIdentity || holderIdentity === identity || ageOf(seen.at) > leaseDurationSeconds * 1000;
  };

  const write = async (lease: Lease | undefined, timeout: number): Promise<void> => {
    const at = instant();
    const signal = limit(timeout);
    if (lease) held = await client.update(leases, { ...lease, spec: spec(at, lease.spec) ?? {} }, { signal });
    else
      held = await client.create(
        leases,
        { metadata: { name, namespace }, spec: spec(at, undefined) ?? {} },
        { signal },
      );
    renewed = at;
  };

  /** True when the lease is ours now. */
  const tryAcquire = async (): Promise<boolean> => {
    try {
      const lease = await client.get(leases, name, { namespace, signal: limit(renewDeadline / 2) }).catch((error) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
      if (lease && !isFree(lease)) return false;
      await write(lease, renewDeadline / 2);
      return true;
    } catch (error) {
      renewed = undefined;
      if (!isConflict(error) && !isAlreadyExists(error)) log.warn('The lease cannot be acquired', { error });
      return false;
    }
  };

  /** Renews until the signal aborts or leadership is lost. */
  const keep = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(retryPeriod, signal).catch(() => {});
      if (signal.aborted) return;
      try {
        if (!isLeader()) return log.error('The lease could not be renewed in time', { lastRenewalMs: heldFor() });
        await write(held, Math.min(renewDeadline / 2, renewDeadline - heldFor()));
      } catch (error) {
        if (isConflict(error) || isNotFound(error)) {
          const now = await client
            .get(leases, name, { namespace, signal: limit(renewDeadline - heldFor()) })
            .catch(() => undefined);
          if (now?.spec?.holderIdentity !== identity) {
            log.error('The lease was taken over', { holder: now?.spec?.holderIdentity });
            return;
          }
          held = now;
        } else log.warn('The lease could not be renewed; trying again', { error, lastRenewalMs: heldFor() });
      }
    }
  };

  const release = async (): Promise<void> => {
    if (!held || !isLeader()) return;
    const { leaseTransitions = 0 } = held.spec ?? {};
    const time = microTime(clock.now());
    const free = { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: time, renewTime: time, leaseTransitions };
    renewed = undefined;
    try {
      await client.update(leases, { ...held, spec: free }, { signal: limit(renewDeadline / 2) });
      log.info('The lease was given back');
    } catch (error) {
      log.warn('The lease could not be given back; it will expire', { error });
    }
  };

  return {
    name: `lease ${name}`,
    elected: elected.promise,
    isLeader,
    heldFor,
    async start(signal) {
      observer?.leading?.(name, false);
      while (!signal.aborted && !(await tryAcquire()))
        await clock.sleep(retryPeriod * (1 + clock.random() / 5), signal).catch(() => {});
      if (renewed) {
        log.info('Leading');
        observer?.leading?.(name, true);
        elected.resolve();
        await keep(signal);
      }
      if (signal.aborted) await release();
      renewed = undefined;
      observer?.leading?.(name, false);
    },
  };
}

/** RFC 3339 with microseconds, as Leases and Events have it. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
