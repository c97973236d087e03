import { afterEach, describe, expect, it } from '@jest/globals';
import { uniqueName, useControlPlane } from '../../../local/testing.ts';
import { leaderElection } from '../../../src/kube/lease.ts';
import { leases } from '../../../src/kube/resources.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silent } from '../../../src/runtime/logger.ts';
import { adminClient, clientFor, until } from './kit.ts';
import { startProxy } from './proxy.ts';

const controlPlane = useControlPlane();
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Short times, so that a test takes seconds. */
const TIMES = { leaseDuration: 3_000, renewDeadline: 1_500, retryPeriod: 200 };

function aCandidate(lease: string, identity: string, server?: string) {
  const client = server ? clientFor(server, { token: controlPlane.tokens.admin }) : adminClient(controlPlane);
  const election = leaderElection({
    client,
    clock: systemClock(),
    log: silent,
    namespace: 'default',
    name: lease,
    identity,
    ...TIMES,
  });
  const abort = new AbortController();
  const ended = election.start(abort.signal);
  const stop = async () => {
    abort.abort();
    await ended;
  };
  cleanups.push(async () => {
    await stop();
    await client.transport.close();
  });
  const holder = async () => (await client.get(leases, lease, { namespace: 'default' })).spec;
  return { election, stop, ended, holder };
}

describe('two candidates for one lease', () => {
  it('never both lead, and the second takes over at once when the first stops cleanly', async () => {
    const lease = uniqueName('lease');
    const first = aCandidate(lease, 'first');
    await first.election.elected;
    expect(first.election.isLeader()).toBe(true);
    const second = aCandidate(lease, 'second');
    // Well past the lease's duration: only renewals keep the second one out.
    const began = performance.now();
    await until('the lease to have been renewed for long', () => {
      if (second.election.isLeader()) throw new Error('both lead');
      if (first.election.heldFor() > TIMES.renewDeadline) throw new Error('the lease was not renewed');
      return performance.now() - began > TIMES.leaseDuration + 500;
    });
    const stopping = performance.now();
    await first.stop();
    expect(first.election.isLeader()).toBe(false);
    expect(first.election.heldFor()).toBe(Number.POSITIVE_INFINITY);
    await second.election.elected;
    expect(performance.now() - stopping).toBeLessThan(1_000);
    expect(await second.holder()).toMatchObject({ holderIdentity: 'second', leaseDurationSeconds: 3 });
  }, 20_000);

  it('the second waits for the lease to expire when the first has crashed', async () => {
    const lease = uniqueName('lease');
    const proxy = await startProxy(controlPlane);
    cleanups.push(() => proxy.close());
    const crashed = aCandidate(lease, 'crashed', proxy.url);
    await crashed.election.elected;
    const second = aCandidate(lease, 'second');
    await until('the second to have seen the lease', async () => (await second.holder())?.renewTime !== undefined);
    await proxy.close();
    const died = performance.now();
    await crashed.ended;
    // The first knows that it leads no more before the second can know that it may.
    expect(crashed.election.isLeader()).toBe(false);
    expect(second.election.isLeader()).toBe(false);
    await second.election.elected;
    expect(performance.now() - died).toBeGreaterThan(TIMES.leaseDuration - TIMES.renewDeadline);
    expect(performance.now() - died).toBeLessThan(TIMES.leaseDuration + 2_000);
    expect(await second.holder()).toMatchObject({ holderIdentity: 'second', leaseTransitions: 1 });
  }, 20_000);

  it('a leader whose lease was taken by force stops leading at its next renewal', async () => {
    const lease = uniqueName('lease');
    const first = aCandidate(lease, 'first');
    await first.election.elected;
    const client = adminClient(controlPlane);
    const usurped = { holderIdentity: 'usurper', leaseDurationSeconds: 30, renewTime: '2099-01-01T00:00:00.000000Z' };
    await client.patch(leases, lease, { spec: usurped }, { type: 'merge', namespace: 'default' });
    await first.ended;
    expect(first.election.isLeader()).toBe(false);
    expect((await first.holder())?.holderIdentity).toBe('usurper');
    await client.transport.close();
  });
});
