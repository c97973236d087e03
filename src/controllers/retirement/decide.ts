import { timestamp } from '../../domain/conditions.ts';
import { standstillOf } from '../../domain/freeze.ts';
import { guardTrouble } from '../../domain/guard.ts';
import { forsaken, unlisted } from './forsaken.ts';
import type { RetirementDecision, RetirementInput } from './input.ts';
import { isLive } from './live.ts';

/**
 * controllers/retirement does what is left to do when a cutover is over: it retires the generation that was left, for
 * ever, when its time has come, and gives back what a cutover held that has ended or is gone. In go a generation, its
 * platform and the cutovers that the two name, all read live; out come changes of the two statuses, each with the
 * version that was read as its precondition. It goes by the generation's own word: no finished Cutover is needed.
 */

/** How soon to look again at one whose platform is frozen, or whose guard does not work. Declared ms. */
const BUSY = 60_000;

const NOTHING: RetirementDecision = { effects: [], requeueAfter: undefined };

/** What is to be done about a generation that a cutover has to do with. Pure. */
export function decide(input: RetirementInput): RetirementDecision {
  const { generation, platform } = input;
  // Without its Platform nobody knows whether it is live.
  if (!platform) return NOTHING;
  // Whose machines are whose is in doubt: that is no time to give up a protection.
  if (standstillOf(platform) !== undefined) return later(input);
  const given = forsaken(input, platform);
  // A report of the guard is also a sign that the platform was looked at lately: after a restore, it was not.
  if (given.length > 0)
    return guardTrouble(platform, input) ? later(input) : { effects: given, requeueAfter: undefined };
  if (!generation) return gone(input, platform);
  return generation.status.retiredTime ? retired(input, platform) : clock(input, platform, generation);
}

/** The platform lists the name of a generation that is not there any more: released by two people, say. */
function gone(input: RetirementInput, platform: Named): RetirementDecision {
  const { name, unfinished } = input;
  if (!platform.status.protected?.includes(name) || isLive(platform, { name })) return NOTHING;
  if (unfinished.some(({ spec }) => spec.from === name || spec.to === name)) return NOTHING;
  return input.noMachines ? unprotect(input, platform) : later(input);
}

/** Retired, and still listed: the second of two writes was lost. */
const retired = (input: RetirementInput, platform: Named): RetirementDecision =>
  platform.status.protected?.includes(input.name) &&
  !isLive(platform, { name: input.name, generation: input.generation })
    ? unprotect(input, platform)
    : NOTHING;

/**
 * The clock that a cutover has left on the generation. That object's version is the precondition of the write: a cutover
 * back to it, which writes the very same object first, and this clock cannot both win.
 */
function clock(input: RetirementInput, platform: Named, generation: Generation): RetirementDecision {
  const { name, cutovers, now } = input;
  const { retention, reservedBy, liveTime } = generation.status;
  // What was never live is deleted, not retired.
  if (!retention || !liveTime || reservedBy || isLive(platform, { name, generation })) return NOTHING;
  const { cutover, standby, until } = retention;
  const atOnce = standby === 'None' || cutovers.get(cutover.uid)?.spec.retireNow === true;
  const due = atOnce ? now : Date.parse(until);
  // A time that cannot be read is not one that has come.
  if (Number.isNaN(due)) return later(input);
  if (now < due) return { effects: [], requeueAfter: due - now };
  // Retired is for ever: not while the guard may be open, which would show first on what is retired by mistake.
  if (guardTrouble(platform, input)) return later(input);
  return {
    effects: [
      {
        do: 'writeGeneration',
        object: generation,
        status: { ...generation.status, retiredTime: timestamp(now), retiredBy: cutover },
        reason: 'Retired',
        what: `${name} is retired: Cutover ${cutover.name} left it, and ${atOnce ? 'it was not to be kept any longer' : `it was kept until ${until}`}. Its machines are removed now`,
      },
      ...unlisted(platform, name, `${name} is retired`),
    ],
    requeueAfter: undefined,
  };
}

function unprotect(input: RetirementInput, platform: Named): RetirementDecision {
  if (guardTrouble(platform, input)) return later(input);
  const why = input.generation ? `${input.name} is retired` : `${input.name} does not exist any more`;
  return { effects: unlisted(platform, input.name, why), requeueAfter: undefined };
}

const later = ({ scaled }: RetirementInput): RetirementDecision => ({ effects: [], requeueAfter: scaled(BUSY) });

type Named = NonNullable<RetirementInput['platform']>;
type Generation = NonNullable<RetirementInput['generation']>;
