import type { Target } from '../sabotage.ts';

/** What has to be so before an absence counts, and what is done on it. */
export const absence: readonly Target[] = [
  {
    file: 'src/domain/absence.ts',
    tests: ['src/domain/absence.test.ts', 'src/controllers/pool/absence.test.ts'],
    sabotages: [
      {
        what: 'the time that an absence has to last',
        find: 'return isFull(look) && now - deniedSince > scaled(DENIED_FOR)',
        replace: 'return isFull(look) && now >= deniedSince',
      },
      {
        what: 'the look having to be whole',
        find: 'return isFull(look) && now - deniedSince > scaled(DENIED_FOR)',
        replace: 'return now - deniedSince > scaled(DENIED_FOR)',
      },
      {
        what: 'what is seen to run contradicting a look',
        find: 'contradicted.length === 0 && shown > 0',
        replace: 'contradicted.length >= 0 && shown > 0',
      },
      {
        what: 'the share that a look has to show',
        find: 'shown > 0 && shown >= known * LEAST_SHARE;',
        replace: 'shown >= 0;',
      },
    ],
  },
  {
    file: 'src/controllers/pool/accounting.ts',
    tests: ['src/controllers/pool/accounting.test.ts', 'src/controllers/pool/absence.test.ts'],
    sabotages: [
      {
        what: 'the time being that of the first look which lacked it',
        find: 'const since = deniedSince ?? time;',
        replace: 'const since = instance.time;',
      },
      {
        what: 'the dead staying dead',
        find: '&& !known.has(machine.id) && !dead.has(machine.id)',
        replace: '&& !known.has(machine.id)',
      },
    ],
  },
  {
    file: 'src/controllers/pool/decide.ts',
    tests: ['src/controllers/pool/absence.test.ts', 'src/controllers/pool/decide.test.ts'],
    sabotages: [
      {
        what: 'Nodes of machines that nobody knows keeping a pool from launching',
        find: 'const doubt = input.sight.unseen.length > 0;',
        replace: 'const doubt = false;',
      },
      {
        what: 'Nodes not lacking nearly all at once',
        find: 'if (members.late.length > 0 && !sight.nodesLack)',
        replace: 'if (members.late.length > 0)',
      },
    ],
  },
  {
    file: 'src/controllers/pool/census.ts',
    tests: ['src/controllers/pool/absence.test.ts'],
    sabotages: [
      {
        what: 'a machine that had registered not being one that never did',
        find: 'if (registered) members.lost.push(machine.id);',
        replace: 'if (!instance) members.lost.push(machine.id);',
      },
    ],
  },
  {
    file: 'src/providers/same-account.ts',
    tests: ['test/providers/same-account.test.ts'],
    sabotages: [
      {
        what: 'the account being the known one',
        find: '} else if (account !== known) throw',
        replace: '} else if (account === null) throw',
      },
    ],
  },
  {
    file: 'src/controllers/placement/gather.ts',
    tests: ['src/controllers/placement/gather.test.ts', 'src/controllers/placement/forgotten.test.ts'],
    sabotages: [
      {
        what: 'the journal of what is no more, for a machine that is not shown',
        find: 'return state === undefined ? ended.has(id) :',
        replace: 'return state === undefined ? true :',
      },
    ],
  },
];
