import type { GenerationClass, GenerationPool } from '../../api/v1alpha1/index.ts';
import { kstatus, timestamp, type Verdict, withConditions } from '../../domain/conditions.ts';
import { type BudgetState, type Capacity, ProviderError } from '../../providers/provider.ts';
import { addressesToCome, type Grounds, needOf } from '../generation/addresses.ts';

/**
 * controllers/class reports what a GenerationClass has to offer: is its cloud reachable, do its subnets exist, how
 * many addresses are free, how fast may its API be called. It decides nothing else and changes nothing at the cloud.
 */

/** How often to look, declared ms: sooner while something is wrong. */
const QUIET = 60_000;
const BUSY = 15_000;

export interface ClassInput {
  generationClass: GenerationClass;
  /** What the cloud answers, or what is wrong. */
  capacity: Capacity | ProviderError;
  /** Whose subnets these are; undefined when that could not be seen. */
  account: string | undefined;
  budgets: BudgetState[];
  /** Pools whose machines come from this class. */
  pools: GenerationPool[];
  now: number;
  scaled(ms: number): number;
}

/** Trouble that the class itself is to blame for; the rest is trouble in reaching the cloud. */
const AT_FAULT = ['InvalidTemplate', 'AnotherAccount'];

export function decide(input: ClassInput): { status: GenerationClass['status']; requeueAfter: number } {
  const { generationClass, capacity, pools, now, scaled } = input;
  const account = generationClass.status.account ?? accountSeen(input);
  const failed = capacity instanceof ProviderError;
  const about = { generation: generationClass.metadata.generation, now };
  return {
    status: {
      ...generationClass.status,
      observedGeneration: generationClass.metadata.generation,
      ...(account && { account }),
      pools: pools.length,
      ...(!failed && offersOf({ spec: generationClass.spec, capacity, pools: input.pools })),
      apiBudgets: input.budgets.map(({ lastThrottledTime, ...budget }) => ({
        ...budget,
        ...(lastThrottledTime !== undefined && { lastThrottledTime: timestamp(lastThrottledTime) }),
      })),
      conditions: withConditions(generationClass.status.conditions, verdicts(generationClass, capacity), about),
    },
    requeueAfter: scaled(failed ? BUSY : QUIET),
  };
}

/** The first account is the class's own for good: what it holds would be lost in another. */
const accountSeen = ({ generationClass, account }: ClassInput): GenerationClass['status']['account'] =>
  account === undefined ? undefined : { id: account, region: generationClass.spec.ec2?.region ?? '' };

/** What the class's subnets have left, and what a machine of each type in use takes of them. */
function offersOf(grounds: Grounds): Pick<GenerationClass['status'], 'subnets' | 'addressesPerMachine'> {
  const { capacity, pools } = grounds;
  const taken = pools.flatMap((pool) => addressesToCome(pool, grounds));
  const needs = pools.map(({ spec }) => needOf(spec.template, grounds)).toSorted((a, b) => b.addresses - a.addresses);
  const types = [...new Set(needs.map(({ type }) => type))].toSorted();
  return {
    subnets: capacity.subnets.map(({ id, zone, cidr, total, free }) => ({
      id,
      zone,
      cidr,
      total,
      free,
      reserved: taken.reduce((sum, { subnet, addresses }) => sum + (subnet === id ? addresses : 0), 0),
    })),
    addressesPerMachine: types.flatMap((type) => {
      const need = needs.find((one) => one.type === type);
      if (!need) return [];
      const { addresses: needed, declared, observed } = need;
      return [{ type, needed, declared, ...(observed && { observed: observed.addresses, machine: observed.machine }) }];
    }),
  };
}

function verdicts(generationClass: GenerationClass, capacity: Capacity | ProviderError): Verdict[] {
  if (!(capacity instanceof ProviderError)) {
    const misplaced = zonesThatDiffer(generationClass, capacity);
    const accepted: Verdict = misplaced
      ? { type: 'Accepted', status: false, reason: 'ZoneMismatch', message: misplaced }
      : { type: 'Accepted', status: true, reason: 'Accepted', message: '' };
    return [
      accepted,
      { type: 'Reachable', status: true, reason: 'Answered', message: '' },
      { type: 'Ready', status: accepted.status, reason: accepted.reason, message: accepted.message },
      ...kstatus(misplaced ? 'Stalled' : 'Current', accepted.reason, accepted.message),
    ];
  }
  const { message } = capacity;
  const reason = capacity.reason === 'Unknown' ? 'NoAnswer' : capacity.reason;
  const atFault = AT_FAULT.includes(reason);
  return [
    atFault
      ? { type: 'Accepted', status: false, reason, message }
      : { type: 'Accepted', status: 'Unknown', reason, message: 'the cloud could not be asked' },
    { type: 'Reachable', status: atFault, reason: atFault ? 'Answered' : reason, message: atFault ? '' : message },
    { type: 'Ready', status: false, reason, message },
    ...kstatus(atFault ? 'Stalled' : 'Reconciling', reason, message),
  ];
}

/** A zone that is written wrong would mislead every reader of the spec. */
function zonesThatDiffer({ spec, metadata }: GenerationClass, capacity: Capacity): string | undefined {
  const wrong = spec.subnets.flatMap(({ id, zone }) => {
    const actual = capacity.subnets.find((subnet) => subnet.id === id)?.zone;
    return actual !== undefined && actual !== zone ? [`${id} is in ${actual}, not in ${zone}`] : [];
  });
  if (wrong.length === 0) return undefined;
  return `${wrong.join('; ')}: correct spec.subnets of GenerationClass ${metadata.name}`;
}
