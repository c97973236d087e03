import { describe, expect, it } from '@jest/globals';
import { manualClock } from '../runtime/clock.ts';
import { silent } from '../runtime/logger.ts';
import type { KubeClient } from './client.ts';
import { ApiError } from './errors.ts';
import { leaderElection } from './lease.ts';
import type { Lease } from './resources.ts';

/** An API server that holds one Lease, with optimistic concurrency. */
function aLeaseServer() {
  let stored: Lease | undefined;
  let version = 0;
  const state = { down: false, writes: 0 };
  const answer = (lease: Lease): Lease => structuredClone(lease);
  const fail = (status: number, reason: string) => new ApiError({ status, reason, message: reason });
  const reach = () => {
    if (state.down) throw fail(0, 'Unreachable');
  };
  const store = (lease: Lease) => {
    state.writes++;
    stored = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(++version) } };
    return answer(stored);
  };
  const client = {
    async get() {
      reach();
      if (!stored) throw fail(404, 'NotFound');
      return answer(stored);
    },
    async create(_: unknown, lease: Lease) {
      reach();
      if (stored) throw fail(409, 'AlreadyExists');
      return store(lease);
    },
    async update(_: unknown, lease: Lease) {
      reach();
      if (lease.metadata.resourceVersion !== stored?.metadata.resourceVersion) throw fail(409, 'Conflict');
      return store(lease);
    },
  } as unknown as KubeClient;
  return { client, state, spec: () => stored?.spec };
}

const clock = () => manualClock({ now: Date.UTC(2026, 0, 1) });

function aCandidate(server: ReturnType<typeof aLeaseServer>, identity: string, time = clock()) {
  const election = leaderElection({
    client: server.client,
    clock: time,
    log: silent,
    namespace: 'n',
    name: 'l',
    identity,
  });
  const abort = new AbortController();
  let ended = false;
  const running = election.start(abort.signal).then(() => {
    ended = true;
  });
  return { election, abort, running, time, hasEnded: () => ended };
}

describe('a candidate alone', () => {
  it('leads at once, renews every 2 s, and knows how old its last renewal is', async () => {
    const server = aLeaseServer();
    const { election, time, abort, running } = aCandidate(server, 'a');
    await time.advance(0);
    expect(election.isLeader()).toBe(true);
    await time.advance(1_999);
    expect(election.heldFor()).toBe(1_999);
    await time.advance(1);
    expect(election.heldFor()).toBe(0);
    expect(server.spec()).toMatchObject({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:02.000000Z',
      leaseTransitions: 0,
    });
    abort.abort();
    await running;
    expect(server.spec()).toMatchObject({ holderIdentity: '' });
  });

  it('stops leading when it cannot renew for 10 s, and says so before that to whoever asks', async () => {
    const server = aLeaseServer();
    const { election, time, hasEnded } = aCandidate(server, 'a');
    await time.advance(0);
    server.state.down = true;
    await time.advance(9_999);
    expect([election.isLeader(), hasEnded()]).toEqual([true, false]);
    await time.advance(1);
    expect(election.isLeader()).toBe(false);
    await time.advance(2_000);
    expect(hasEnded()).toBe(true);
    // It is not its own to give back any more.
    expect(server.spec()).toMatchObject({ holderIdentity: 'a' });
  });

  it('goes on leading over a short failure', async () => {
    const server = aLeaseServer();
    const { election, time, hasEnded } = aCandidate(server, 'a');
    await time.advance(0);
    server.state.down = true;
    await time.advance(7_000);
    server.state.down = false;
    await time.advance(1_000);
    expect(election.heldFor()).toBe(0);
    await time.advance(60_000);
    expect([election.isLeader(), hasEnded()]).toEqual([true, false]);
  });

  it('counts age by the wall clock as well, which runs on while a machine is paused', async () => {
    const server = aLeaseServer();
    const time = clock();
    let paused = 0;
    const { election } = aCandidate(
      server,
      'a',
      Object.assign(Object.create(time), { now: () => time.now() + paused }),
    );
    await time.advance(0);
    paused = 60_000;
    expect(election.isLeader()).toBe(false);
  });
});

describe('a second candidate', () => {
  it('does not trust the time in the lease, but waits its duration by its own clock', async () => {
    const server = aLeaseServer();
    const first = aCandidate(server, 'a');
    await first.time.advance(0);
    const late = manualClock({ now: Date.UTC(2027, 0, 1) });
    const second = aCandidate(server, 'b', late);
    await late.advance(14_000);
    expect(second.election.isLeader()).toBe(false);
    await late.advance(4_000);
    expect(second.election.isLeader()).toBe(true);
    expect(server.spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
    await first.time.advance(2_000);
    expect([first.election.isLeader(), first.hasEnded()]).toEqual([false, true]);
  });

  it('that starts again under the same name leads at once', async () => {
    const server = aLeaseServer();
    await aCandidate(server, 'a').time.advance(0);
    const again = aCandidate(server, 'a');
    await again.time.advance(0);
    expect(again.election.isLeader()).toBe(true);
  });
});

it('refuses times that could let two lead', () => {
  const options = {
    client: aLeaseServer().client,
    clock: clock(),
    log: silent,
    namespace: 'n',
    name: 'l',
    identity: 'a',
  };
  expect(() => leaderElection({ ...options, leaseDuration: 10_000 })).toThrow('renewDeadline (10000 ms)');
});
