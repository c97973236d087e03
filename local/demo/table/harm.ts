import { LABEL } from '../../../src/api/v1alpha1/index.ts';
import { live, machinesEach, release, roles } from '../cast.ts';
import { unchanged } from '../snapshot.ts';
import { endOf, launchesFor, machinesOf, timeOf } from './books.ts';
import { type Judge, minutes } from './judge.ts';

/** Lines about what must not happen: a start without room, and harm to what is live. */

export const refusedBeforeStart: Judge = ({ refused, released, ledger }) => {
  const launches = launchesFor(ledger.calls, release, refused.from, released.from);
  const later = launchesFor(ledger.calls, release, released.from, released.ready);
  return {
    what: 'A release that does not fit beside the live one',
    in2023: 'started; many machines failed',
    here: `refused with the sum (${refused.reason}), ${launches} requests for machines`,
    holds:
      refused.reason === 'InsufficientAddresses' && /\d+ short/.test(refused.message) && launches === 0 && later > 0,
  };
};

export const attemptsRefused: Judge = ({ mistaken, removed }) => {
  const attempts = [...mistaken.attempts, ...removed.attempts];
  const stopped = attempts.filter(({ targets, refused }) => refused === targets);
  const through = attempts.filter((attempt) => !stopped.includes(attempt)).map(({ what }) => what);
  return {
    what: 'Attempts on the live machines refused',
    in2023: 'none',
    here: `${stopped.length} of ${attempts.length}${through.length > 0 ? `; NOT: ${through.join('; ')}` : ''}`,
    holds: attempts.length > 0 && through.length === 0,
  };
};

export const liveTerminated: Judge = ({ ledger, live: old }) => {
  const retired = timeOf(old?.status.retiredTime, Number.NaN);
  const lost = machinesOf(ledger.machines, live).filter((record) => endOf(record) < retired);
  const lostNow = machinesOf(ledger.machines, release).filter((record) => Number.isFinite(endOf(record)));
  const count = lost.length + lostNow.length;
  return {
    what: 'Live machines stopped or terminated',
    in2023: 'all of them',
    here: `${count} of ${machinesEach}`,
    holds: count === 0 && Number.isFinite(retired),
  };
};

export const liveUnchanged: Judge = ({ mistaken: { before, after } }) => {
  const same = unchanged(before, after);
  const alive = after.machines.filter(({ state }) => state === 'running').length;
  const ready = after.nodes.filter((node) => node.ready).length;
  return {
    what: 'Live generation after these attempts',
    in2023: 'gone at 15:43',
    here: `${same ? 'the same object' : 'CHANGED'}, ${after.pools.length} pools, ${ready} Nodes ready, ${alive} machines running`,
    holds:
      same &&
      after.generation?.deleting === false &&
      after.pools.length === roles.length &&
      ready === machinesEach &&
      alive === machinesEach,
  };
};

export const halfStartedRemoved: Judge = (evidence) => {
  const { half, removed, ledger } = evidence;
  const gone = ledger.machines.filter(
    ({ tags, terminated }) =>
      tags[LABEL.generation] !== live && tags[LABEL.generation] !== release && terminated !== undefined,
  ).length;
  const onTime = ledger.machines.every(
    (record) => [live, release].includes(record.tags[LABEL.generation] ?? '') || endOf(record) <= removed.until,
  );
  return {
    what: 'Half-started machines removed',
    in2023: 'the live ones, instead',
    here: `${gone} of ${half.machines} in ${minutes(removed.until - removed.from, evidence)}, by one kubectl delete`,
    holds: half.machines > 0 && gone === half.machines && onTime,
  };
};
