import type { Target } from '../sabotage.ts';

const tests = ['src/guard/webhook/'];

/** Each rule of the webhook, and the allowance that it counts by. */
export const webhook: readonly Target[] = [
  {
    file: 'src/guard/webhook/rules/nodes.ts',
    tests,
    sabotages: [
      {
        what: 'cordons',
        find: 'if (!cordoned && !annotated) return allow();',
        replace: 'if (!annotated) return allow();',
      },
      {
        what: 'maintenance annotations',
        find: 'if (!cordoned && !annotated) return allow();',
        replace: 'if (!cordoned) return allow();',
      },
      {
        what: 'the room that the blast radius leaves',
        find: 'if (isOut || fits)',
        replace: 'if (isOut || fits || !fits)',
      },
      {
        what: 'room for maintenance that was let begin',
        find: 'maintenanceOf(before) === name ? mayGoOn(name, radius, view) : roomFor(name, radius);',
        replace: 'roomFor(name, radius);',
      },
      {
        what: 'an override that is over, for Nodes',
        find: 'if (expired !== undefined) return refuse(',
        replace: 'if (expired === null) return refuse(',
      },
      {
        what: 'deletions of Nodes counting',
        find: "return takingOut(before, held, 'deleted', view, moment);",
        replace: 'return allow();',
      },
    ],
  },
  {
    file: 'src/guard/webhook/rules/evictions.ts',
    tests,
    sabotages: [
      {
        what: "an evicted pod's Node being in maintenance",
        find: 'if (!inMaintenance(node))',
        replace: 'if (!inMaintenance(node) && !node)',
      },
      {
        what: 'room for the evictions from a Node in maintenance',
        find: 'if (mayGoOn(node.name, radius, view)) return allow();',
        replace: 'if (mayGoOn(node.name, radius, view) || node) return allow();',
      },
      {
        what: 'a pod whose Node is not known',
        find: "if (fact.state === 'unknown')",
        replace: "if (fact.state === 'unknown') return allow();\n  if (fact.state === 'unknown')",
      },
    ],
  },
  {
    file: 'src/guard/webhook/rules/generations.ts',
    tests,
    sabotages: [
      {
        what: 'an override that is over, for generations',
        find: 'if (expired) return refuse(`ClusterGeneration',
        replace: 'if (expired && !name) return refuse(`ClusterGeneration',
      },
      {
        what: 'an override that is over, for pools',
        find: 'return expired ? refuse(`GenerationPool',
        replace: 'return expired && !pool ? refuse(`GenerationPool',
      },
      {
        what: 'the warning of how many machines go',
        find: 'if (count === 0) return [];',
        replace: 'if (count >= 0) return [];',
      },
    ],
  },
  {
    file: 'src/guard/webhook/rules/override.ts',
    tests,
    sabotages: [
      { what: 'an override that has ended', find: 'if (!override) return undefined;', replace: 'return undefined;' },
    ],
  },
  {
    file: 'src/guard/webhook/rules/platforms.ts',
    tests,
    sabotages: [
      {
        what: 'the live pointer naming what exists',
        find: 'if (candidate?.metadata.uid !== next.uid)',
        replace: 'if (!next.uid)',
      },
      {
        what: 'the live pointer naming a generation of this platform',
        find: 'if (candidate.spec.platform !== after.metadata.name)',
        replace: 'if (candidate?.spec.platform === null)',
      },
    ],
  },
  {
    file: 'src/guard/webhook/view.ts',
    tests,
    sabotages: [
      {
        what: "labels that name a generation's former UID",
        find: 'if (uid !== undefined && !uidsOf(generation).includes(uid))',
        replace: 'if (uid === null)',
      },
      {
        what: 'the hold of a generation',
        find: 'hold === undefined ? undefined :',
        replace: 'hold !== null ? undefined :',
      },
    ],
  },
  {
    file: 'src/guard/webhook/operator.ts',
    tests,
    sabotages: [
      {
        what: "the operator's own token",
        find: 'username === OPERATOR && CREDENTIAL in extra',
        replace: 'username === OPERATOR',
      },
    ],
  },
  {
    file: 'src/domain/blast-radius.ts',
    tests: ['src/domain/blast-radius.test.ts'],
    sabotages: [
      {
        what: 'those counting that went out within the window',
        find: 'for (const [name, at] of tally.wentOut) if (at > since) counted.add(name);',
        replace: '',
      },
      {
        what: 'those counting that were let go a moment ago',
        find: 'for (const [name, until] of tally.letGo) if (until > now) counted.add(name);',
        replace: '',
      },
      {
        what: 'those counting that have no Node',
        find: 'used: counted.size + missing,',
        replace: 'used: counted.size,',
      },
      {
        what: 'the limit',
        find: 'radius.counted.has(name) || radius.used < radius.limit;',
        replace: 'radius.counted.has(name) || radius.used <= radius.total;',
      },
      { what: 'one machine at least', find: 'Math.max(1, Math.floor((total', replace: 'Math.max(0, Math.floor((total' },
      {
        what: 'an annotation that names its own Node',
        find: 'maintenance === name;',
        replace: 'maintenance !== undefined && name !== undefined;',
      },
    ],
  },
];
