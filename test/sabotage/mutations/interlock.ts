import type { Target } from '../sabotage.ts';

/** What guard/destroy.ts checks before it acts, and the budget that it spends. */
export const interlock: readonly Target[] = [
  {
    file: 'src/guard/destroy.ts',
    tests: ['src/guard/destroy.test.ts'],
    sabotages: [
      {
        what: 'a lease that is fresh at the decision',
        find: 'if (options.leaseAge() > LEASE_AGE) return { refused:',
        replace: 'if (options.leaseAge() < 0) return { refused:',
      },
      {
        what: 'the generation being the very one, by UID',
        find: 'if (!generation || !uidsOf(generation).includes(pool.spec.generationUID))',
        replace: 'if (!generation)',
      },
      {
        what: 'what stands against a removal',
        find: 'const refused = objectionToRemoval(generation, platform, moment);',
        replace: 'const refused = undefined as string | undefined;',
      },
      {
        what: 'what stands against a stop',
        find: 'const refused = objectionToStop(generation, platform, moment);',
        replace: 'const refused = undefined as string | undefined;',
      },
      {
        what: 'letting machines go when an override says release',
        find: 'if (admission.refused !== undefined || !admission.release) return admission;',
        replace: 'return admission;',
      },
      {
        what: 'the pool being the very one, by UID, and not yet deleted',
        find: 'if (now?.metadata.uid !== pool.metadata.uid || now.metadata.deletionTimestamp) return undefined;',
        replace: 'if (!now) return undefined;',
      },
      {
        what: 'admission before a pool is deleted',
        find: "if (admission.refused !== undefined) return refuse('pool', now, admission.refused);",
        replace: '',
      },
      {
        what: 'admission before machines are terminated or stopped',
        find: 'if (admission.refused !== undefined) return { done: [], refused: refuse(',
        replace: 'if (admission.refused === null) return { done: [], refused: refuse(',
      },
      {
        what: 'the tags at the cloud saying whose a machine is',
        find: 'const ours = machines.filter(({ tags }) => isMachineOf(pool, cluster, tags, generation.status.formerUIDs));',
        replace: 'const ours = machines;',
      },
      {
        what: "the cloud's own word on what is live",
        find: '(platform && inconsistencyOf(platform, [generation], ours)?.message) ?? retagged(',
        replace: 'retagged(',
      },
      {
        what: 'machines that are dead or dying being left alone',
        find: "applies: ({ state }) => state !== 'terminated' && state !== 'shutting-down',",
        replace: 'applies: () => true,',
      },
      {
        what: 'the memory of what was terminated or stopped a moment ago',
        find: 'act.applies(machine) && !isUnderWay(act.name, machine)',
        replace: 'act.applies(machine)',
      },
      {
        what: 'the destructive budget',
        find: 'await takeDown(act.steps(destroyer), due.slice(0, grant.machines), {',
        replace: 'await takeDown(act.steps(destroyer), due, {',
      },
      {
        what: 'one machine at a time being without protection',
        find: 'batch: wasEverLive(generation) ? 1 : BATCH,',
        replace: 'batch: BATCH,',
      },
      {
        what: 'a fresh decision before each batch',
        find: 'const refused = lifted.length === 0 ? await about.objection() : undefined;',
        replace: 'const refused = undefined as string | undefined;',
      },
      {
        what: 'a lease that is fresh before protection is lifted',
        find: 'if (about.leaseAge() > LEASE_AGE) break;',
        replace: '',
      },
      {
        what: 'a lease that is fresh before machines are terminated',
        find: 'if (lifted.length === 0 || about.leaseAge() > LEASE_AGE) return;',
        replace: 'if (lifted.length === 0) return;',
      },
      {
        what: 'letting machines go, not stopping them, when an override says release',
        find: 'return release\n',
        replace: 'return release && !platform\n',
      },
      {
        what: 'a stop lifting the stop protection only',
        find: 'steps: ({ allowStop, stop }) => ({ bare: allowStop, end: stop }),',
        replace: 'steps: ({ unprotect, stop }) => ({ bare: unprotect, end: stop }),',
      },
    ],
  },
  {
    file: 'src/domain/removal.ts',
    tests: ['src/guard/destroy.test.ts'],
    sabotages: [
      {
        what: 'the hold of the generation',
        find: 'const hold = holdOf(generation, platform, moment) ?? (platform && freezeOf(platform));',
        replace: 'const hold = platform && freezeOf(platform);',
      },
      {
        what: 'the freeze of the platform',
        find: 'const hold = holdOf(generation, platform, moment) ?? (platform && freezeOf(platform));',
        replace: 'const hold = holdOf(generation, platform, moment);',
      },
      {
        what: 'a guard that is seen to work',
        find: 'const trouble = platform && wasEverLive(generation) && guardTrouble(platform, moment);',
        replace: 'const trouble = platform && wasEverLive(generation) && guardTrouble(platform, moment) && undefined;',
      },
      {
        what: 'a stop being for a standby only',
        find: 'const objection = objectionToStopping(generation, platform) ?? (platform && standstillOf(platform));',
        replace: 'const objection = platform && standstillOf(platform);',
      },
      {
        what: 'the freeze of the platform, for a stop',
        find: 'const objection = objectionToStopping(generation, platform) ?? (platform && standstillOf(platform));',
        replace: 'const objection = objectionToStopping(generation, platform);',
      },
      {
        what: 'a guard that is seen to work, for a stop',
        find: 'const trouble = platform && guardTrouble(platform, moment);',
        replace: 'const trouble = platform && guardTrouble(platform, moment) && undefined;',
      },
    ],
  },
  {
    file: 'src/guard/destroy.ts',
    tests: ['test/cloud/'],
    sabotages: [
      {
        what: 'machines that a live generation was tagged with',
        find: 'ours)?.message) ?? retagged(generation, ours);',
        replace: 'ours)?.message);',
      },
    ],
  },
  {
    file: 'src/guard/budget.ts',
    tests: ['src/guard/destroy.test.ts'],
    sabotages: [
      {
        what: 'a budget for what was ever live',
        find: 'if (!wasEverLive(generation) || wanted === 0) return { machines: wanted };',
        replace: 'return { machines: wanted };',
      },
      {
        what: 'a Platform that has the budget',
        find: 'if (!platform) return { machines: 0, retryAfter: clock.scaled(60_000) };',
        replace: 'if (!platform) return { machines: wanted };',
      },
      {
        what: 'at most one batch at a time',
        find: 'Math.min(wanted, BATCH),',
        replace: 'wanted,',
      },
      {
        what: 'the budget being written down first',
        find: 'await client.update(',
        replace: 'await (async (..._: unknown[]) => {})(',
      },
      {
        what: 'the precondition of that write',
        find: 'if (isConflict(error)) return { machines: 0, retryAfter: 200 };',
        replace: 'if (isConflict(error)) return { machines: granted, retryAfter };',
      },
    ],
  },
  {
    file: 'src/domain/destructive-budget.ts',
    tests: ['src/domain/destructive-budget.test.ts'],
    sabotages: [
      {
        what: 'a clock that went backwards refilling nothing',
        find: 'Math.max(0, now - budget.time)',
        replace: 'Math.abs(now - budget.time)',
      },
      {
        what: "a minute's worth being the most",
        find: 'Math.min(perMinute, (budget?.machines ?? 0) + elapsed * perMs)',
        replace: '(budget?.machines ?? 0) + elapsed * perMs',
      },
      {
        what: 'a new budget being empty',
        find: '(budget?.machines ?? 0)',
        replace: '(budget?.machines ?? perMinute)',
      },
      {
        what: 'whole machines only',
        find: 'Math.floor(available)',
        replace: 'Math.ceil(available)',
      },
    ],
  },
];
