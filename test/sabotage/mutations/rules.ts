import type { Target } from '../sabotage.ts';

/** What says that a generation is held, that a platform is frozen, that the guard works, and that an override is in force. */
export const rules: readonly Target[] = [
  {
    file: 'src/domain/protection.ts',
    tests: ['src/domain/protection.test.ts', 'src/guard/destroy.test.ts'],
    sabotages: [
      {
        what: "the platform's live pointer, by name",
        find: 'if (live?.name === name || live?.uid === uid)',
        replace: 'if (live?.uid === uid)',
      },
      {
        what: "the platform's live pointer, by UID",
        find: 'if (live?.name === name || live?.uid === uid)',
        replace: 'if (live?.name === name)',
      },
      { what: 'a reservation', find: 'if (reservedBy) return', replace: 'if (reservedBy && !uid) return' },
      {
        what: 'having been live and not retired',
        find: 'if (liveTime && !retiredTime) return',
        replace: 'if (liveTime && !retiredTime && !uid) return',
      },
      {
        what: 'being adopted and not retired',
        find: 'if (generation.spec.adopt && !retiredTime) return',
        replace: 'if (generation.spec.adopt && !retiredTime && !uid) return',
      },
      {
        what: 'a platform that does not know yet what it protects',
        find: 'if (!platform.status.protected)\n',
        replace: 'if (!platform.status.protected) return undefined;\n  if (!platform.status.protected)\n',
      },
      {
        what: "the platform's status.protected",
        find: 'if (platform.status.protected.includes(name))',
        replace: 'if (platform.status.protected.includes(uid))',
      },
    ],
  },
  {
    file: 'src/domain/standby.ts',
    tests: ['src/domain/standby.test.ts', 'src/guard/destroy.test.ts'],
    sabotages: [
      {
        what: 'a Platform that says what is live, before a stop',
        find: 'if (!platform) return `Platform',
        replace: 'if (!platform) return undefined;\n  if (!platform) return `Platform',
      },
      {
        what: 'the live one being kept from a stop, by name',
        find: '(live.name === name || uidsOf(generation).includes(live.uid))',
        replace: 'uidsOf(generation).includes(live.uid)',
      },
      {
        what: 'the live one being kept from a stop, by UID',
        find: '(live.name === name || uidsOf(generation).includes(live.uid))',
        replace: 'live.name === name',
      },
      {
        what: 'a reservation, before a stop',
        find: 'if (reservedBy) return',
        replace: 'if (reservedBy && !live) return',
      },
      {
        what: 'a stop being for what is kept stopped',
        find: "if (retention?.standby !== 'Stopped') return",
        replace: 'if (!retention) return',
      },
    ],
  },
  {
    file: 'src/domain/override.ts',
    tests: ['src/domain/override.test.ts', 'src/domain/protection.test.ts'],
    sabotages: [
      {
        what: 'the end of an override',
        find: 'Date.parse(until) > now && Date.parse(until) - now <= scaled',
        replace: 'Date.parse(until) - now <= scaled',
      },
      {
        what: 'the longest time of an override',
        find: 'Date.parse(until) > now && Date.parse(until) - now <= scaled(OVERRIDE_FOR + CLOCK_SLACK);',
        replace: 'Date.parse(until) > now && scaled(1) > 0;',
      },
      {
        what: 'the UID in an override',
        find: 'there.uid !== generation.metadata.uid || there.until !== here.until',
        replace: 'there.until !== here.until',
      },
      {
        what: 'both objects saying the same of an override',
        find: 'there.uid !== generation.metadata.uid || there.until !== here.until',
        replace: 'there.uid !== generation.metadata.uid',
      },
      {
        what: 'both objects agreeing on release',
        find: 'if ((there.release ?? false) !== (here.release ?? false)) return undefined;',
        replace: '',
      },
    ],
  },
  {
    file: 'src/domain/guard.ts',
    tests: ['src/domain/guard.test.ts', 'src/guard/destroy.test.ts'],
    sabotages: [
      {
        what: 'a guard that has been probed at all',
        find: 'if (!guard) return `the guard of',
        replace: 'if (!guard) return undefined;\n  if (!guard) return `the guard of',
      },
      { what: 'holes that the probes found', find: 'if (holes.length > 0) {', replace: 'if (holes.length < 0) {' },
      { what: 'the report saying effective', find: 'if (!guard.effective)', replace: 'if (guard.effective === null)' },
      {
        what: 'the age of the report',
        find: 'return Math.abs(age) > realLimit(',
        replace: 'return -Math.abs(age) > realLimit(',
      },
      { what: 'a report from the future', find: 'return Math.abs(age) >', replace: 'return age >' },
    ],
  },
  {
    file: 'src/domain/freeze.ts',
    tests: ['src/domain/freeze.test.ts', 'src/guard/destroy.test.ts'],
    sabotages: [
      {
        what: 'the freeze of a platform that disagrees with its cloud',
        find: "return consistent?.status === 'False' ?",
        replace: "return consistent?.status === 'Never' ?",
      },
      {
        what: 'the standstill until the two sides were compared',
        find: 'if (platform.status.protected === undefined)',
        replace: 'if (platform.status.protected === null)',
      },
    ],
  },
  {
    file: 'src/domain/consistency.ts',
    tests: ['src/domain/consistency.test.ts'],
    sabotages: [
      {
        what: 'machines that no generation owns',
        find: 'if (strangers.size === 0) return undefined;',
        replace: 'if (strangers.size >= 0) return undefined;',
      },
      {
        what: "the cloud's newest word on what is live",
        find: 'if (known || settled) return undefined;',
        replace: 'return undefined;',
      },
      {
        what: 'the newest tag counting',
        find: '.toSorted((a, b) => Date.parse(b.time) - Date.parse(a.time))[0];',
        replace: '.toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time))[0];',
      },
    ],
  },
  {
    file: 'src/domain/identity.ts',
    tests: ['src/domain/identity.test.ts', 'src/guard/destroy.test.ts'],
    sabotages: [
      {
        what: 'ownership tags at the cloud, each of them',
        find: 'return Object.entries(ownership).every(',
        replace: 'return Object.entries(ownership).some(',
      },
      {
        what: 'machines that were let go being left alone',
        find: '): boolean => !isReleased(tags) && wasLaunchedFor(',
        replace: '): boolean => wasLaunchedFor(',
      },
    ],
  },
];
