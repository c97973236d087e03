import type { Target } from '../sabotage.ts';

/** What is left of a cutover on a generation: when it is retired, what lost cutovers give back, when machines are off. */
export const standby: readonly Target[] = [
  {
    file: 'src/controllers/retirement/decide.ts',
    tests: ['src/controllers/retirement/decide.test.ts'],
    sabotages: [
      {
        what: 'a platform that is not frozen',
        find: 'if (standstillOf(platform) !== undefined) return later(input);',
        replace: '',
      },
      {
        what: 'a guard that works before what a cutover held is given back',
        find: 'return guardTrouble(platform, input) ? later(input) : { effects: given',
        replace: 'return { effects: given',
      },
      {
        what: 'the live one keeping its name, though no generation has it',
        find: 'if (!platform.status.protected?.includes(name) || isLive(platform, { name })) return NOTHING;',
        replace: 'if (!platform.status.protected?.includes(name)) return NOTHING;',
      },
      {
        what: 'unfinished cutovers keeping a name protected',
        find: 'if (unfinished.some(({ spec }) => spec.from === name || spec.to === name)) return NOTHING;',
        replace: '',
      },
      {
        what: 'machines at the cloud keeping a name protected',
        find: 'return input.noMachines ? unprotect(input, platform) : later(input);',
        replace: 'return unprotect(input, platform);',
      },
      {
        what: 'a generation that has a clock at all, was live, is free and is not the live one',
        find: 'if (!retention || !liveTime || reservedBy || isLive(platform, { name, generation })) return NOTHING;',
        replace: 'if (!retention) return NOTHING;',
      },
      {
        what: 'a reservation stopping the clock',
        find: '!liveTime || reservedBy || isLive(',
        replace: '!liveTime || isLive(',
      },
      {
        what: 'the live one having no clock',
        find: 'reservedBy || isLive(platform, { name, generation })',
        replace: 'reservedBy',
      },
      { what: 'a time that can be read', find: 'if (Number.isNaN(due)) return later(input);', replace: '' },
      {
        what: 'the time of the clock',
        find: 'if (now < due) return { effects: [], requeueAfter: due - now };',
        replace: '',
      },
      {
        what: 'a guard that works before anything is retired',
        find: '  if (guardTrouble(platform, input)) return later(input);\n  return {\n',
        replace: '  return {\n',
      },
      {
        what: 'a guard that works before a name is no longer protected',
        find: '  if (guardTrouble(platform, input)) return later(input);\n  const why',
        replace: '  const why',
      },
    ],
  },
  {
    file: 'src/controllers/retirement/forsaken.ts',
    tests: ['src/controllers/retirement/decide.test.ts'],
    sabotages: [
      {
        what: 'a cutover that goes on keeping what it holds',
        find: 'if (holder && !holder.status.outcome) return false;',
        replace: '',
      },
      {
        what: 'an heir taking over what is superseded',
        find: 'return !unfinished.some(({ spec }) => spec.supersedes?.uid === uid);',
        replace: 'return true;',
      },
      {
        what: 'what ever was live staying protected',
        find: 'wasNeverLive(generation, platform) &&',
        replace: '',
      },
      {
        what: 'the live pointer, before a name goes',
        find: '!isLive(platform, { name: metadata.name, generation }) &&',
        replace: '',
      },
      {
        what: 'what was rebound after a restore staying protected',
        find: '!platform.status.rebound?.some((entry) => entry.generation === metadata.name)',
        replace: 'true',
      },
      {
        what: 'another cutover counting on the protection',
        find: ' &&\n    !isWanted(input, reservation);',
        replace: ';',
      },
    ],
  },
  {
    file: 'src/controllers/pool/power.ts',
    tests: ['src/controllers/pool/power.test.ts'],
    sabotages: [
      {
        what: 'only running machines being stopped',
        find: "stop: standby ? are('running').flatMap(",
        replace: "stop: standby ? are('running', 'pending', 'stopped').flatMap(",
      },
      {
        what: 'a Job finishing where it runs',
        find: '(isWorking(machine) ? [] : machine.id)',
        replace: 'machine.id',
      },
      {
        what: 'a standby being what is stopped',
        find: "stop: standby ? are('running').flatMap(",
        replace: "stop: true ? are('running').flatMap(",
      },
      {
        what: 'a standby not being started',
        find: 'standby || leaving || generation === undefined',
        replace: 'leaving || generation === undefined',
      },
      {
        what: 'what goes not being started',
        find: 'standby || leaving || generation === undefined',
        replace: 'standby || generation === undefined',
      },
      {
        what: 'a pause between two starts',
        find: 'now - launchTime > scaled(RESTART_PAUSE)',
        replace: 'now - launchTime > -scaled(RESTART_PAUSE)',
      },
    ],
  },
];
