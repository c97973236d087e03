import type { Evidence } from './evidence.ts';
import * as harm from './harm.ts';
import type { Judge, Line } from './judge.ts';
import * as service from './service.ts';
import * as upkeep from './upkeep.ts';

/** The whole table, in its order. Pure. */
export const linesOf = (evidence: Evidence): Line[] => judges.map((judge) => judge(evidence));

const judges: Judge[] = [
  harm.refusedBeforeStart,
  harm.attemptsRefused,
  harm.liveTerminated,
  harm.liveUnchanged,
  harm.halfStartedRemoved,
  upkeep.rateLimits,
  service.releaseUp,
  service.failureUndone,
  service.cutoverDone,
  service.rolledBack,
  service.websitesDown,
  service.websitesHeld,
  service.rolesDown,
  service.alwaysOnDown,
  service.movedAddressNamed,
  upkeep.oldRemoved,
  upkeep.neverTooMany,
  upkeep.addressesKept,
  upkeep.nothingLeaks,
  upkeep.memory,
];
