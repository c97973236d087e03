import { isDeepStrictEqual } from 'node:util';
import { LABEL } from '../../../src/api/v1alpha1/index.ts';
import { addresses, limitedOperations, live, machinesEach, machinesPerMinute, release } from '../cast.ts';
import { operatorCaller } from '../throttling.ts';
import { endOf, machinesOf, mostAtOnce, mostEndedWithin, throttledOf, timeOf } from './books.ts';
import { type Judge, minutes } from './judge.ts';

/** Lines about what the cloud's books must show: pace, limits, and that nothing is left over. */

/** Met, or kept to without being met: two cores that others keep busy do not come as far as each limit. */
export const rateLimits: Judge = ({ ledger, released }) => {
  const throttled = throttledOf(ledger.calls, operatorCaller);
  const met = limitedOperations.filter((operation) => (throttled[operation] ?? 0) > 0);
  const others = limitedOperations.filter((operation) => !met.includes(operation));
  const used = limitedOperations.every((operation) =>
    ledger.calls.some((call) => call.operation === operation && call.caller === operatorCaller),
  );
  const asked = machinesOf(ledger.machines, release);
  const came = asked.filter((record) => timeOf(record.nodeRegistered, Number.POSITIVE_INFINITY) <= released.ready);
  const counts = [
    ...met.map((operation) => `${operation} ${throttled[operation]}x`),
    ...others.map((operation) => `${operation} never asked so fast`),
  ].join(', ');
  return {
    what: 'Unexpected rate limits met',
    in2023: '2; machines failed, twice',
    here: `${met.length} (${counts}): slowed down, ${asked.length - came.length} of ${asked.length} machines failed`,
    holds: met.length > 0 && used && asked.length === machinesEach && came.length === machinesEach,
  };
};

export const oldRemoved: Judge = (evidence) => {
  const { live: old, ledger, retired, scale } = evidence;
  const gone = machinesOf(ledger.machines, live).filter(({ terminated }) => terminated !== undefined);
  const from = timeOf(old?.status.retiredTime, Number.NaN);
  const taken = ((Math.max(...gone.map(endOf)) - from) * scale) / 60_000;
  const busiest = mostEndedWithin(gone, 60_000 / scale);
  return {
    what: 'Old machines removed, by a Cutover that retired them',
    in2023: '21 min, by mistake',
    here: `${gone.length} in ${minutes(retired.until - from, evidence)}, ${busiest} in the busiest minute; the object stays as ${old?.status.stage}`,
    holds:
      gone.length === machinesEach &&
      old?.status.stage === 'Retired' &&
      // The destructive budget begins empty. A minute's worth may be saved up and spent in one minute with what that minute gives.
      busiest <= 2 * machinesPerMinute &&
      taken >= (machinesEach - machinesPerMinute) / machinesPerMinute,
  };
};

export const neverTooMany: Judge = ({ ledger }) => {
  const names = [...new Set(ledger.machines.map(({ tags }) => tags[LABEL.generation] ?? 'no generation'))];
  const most = names.map((name) => mostAtOnce(machinesOf(ledger.machines, name)));
  return {
    what: 'Most machines of a generation at one time',
    in2023: '-',
    here: `${Math.max(...most)}, desired ${machinesEach}`,
    holds: most.length > 0 && most.every((count) => count <= machinesEach) && !names.includes('no generation'),
  };
};

export const addressesKept: Judge = ({ ledger, state }) => {
  const own = new Set(machinesOf(ledger.machines, release).map(({ id }) => id));
  const pointing = state.addresses.filter(({ instanceId }) => instanceId !== null && own.has(instanceId)).length;
  const releases = ledger.calls.filter(({ operation }) => operation === 'ReleaseAddress').length;
  const loose = ledger.addresses.filter(({ history }) => history.some(({ instanceId }) => instanceId === null)).length;
  return {
    what: 'Public addresses',
    in2023: '-',
    here: `${pointing} of ${addresses.length} lead to the release; ${releases} released, ${loose} ever left pointing nowhere`,
    holds: pointing === addresses.length && releases === 0 && loose === 0,
  };
};

export const nothingLeaks: Judge = ({ ledger, state, pools, nodes }) => {
  const booked = ledger.machines.filter(({ terminated }) => terminated === undefined).map(({ id }) => id);
  const exist = state.instances.filter((instance) => instance.state !== 'terminated').map(({ id }) => id);
  const known = pools.flatMap(({ status }) => (status.instances ?? []).map(({ id }) => id));
  const registered = Object.values(nodes).map((providerID) => providerID.slice(providerID.lastIndexOf('/') + 1));
  const [first = [], ...others] = [booked, exist, known, registered].map((ids) => ids.toSorted());
  return {
    what: 'Left over at the cloud, or missing there',
    in2023: '-',
    here: `${exist.length} machines, ${booked.length} in the ledger, ${known.length} in pools, ${registered.length} Nodes`,
    holds: first.length === machinesEach && others.every((ids) => isDeepStrictEqual(ids, first)),
  };
};

export const memory: Judge = ({ operator }) => ({
  what: "The operator's memory at its peak",
  in2023: '-',
  here: `${operator.peakMiB} MiB of the ${operator.limitMiB} that the chart allows${startedAgain(operator.restarts)}${operator.running ? '' : '; IT HAS ENDED'}`,
  holds: operator.running && operator.peakMiB > 0 && operator.peakMiB < operator.limitMiB,
});

const startedAgain = (times: number): string => (times === 0 ? '' : `; it ended and was started again, ${times}x`);
