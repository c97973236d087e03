import type { Exploration } from './explore.ts';

const number = (value: number): string => Math.round(value).toLocaleString('en-US');

/** What was visited with every protection in place, and what was found wrong there. */
export function reportScenarios(names: readonly string[], results: readonly Exploration[]): Report {
  const lines = results.map((result, index) => {
    const { states, transitions, seconds } = result;
    const size = `${number(states)} states, ${number(transitions)} transitions, ${seconds.toFixed(1)} s, ${number(states / seconds)} states/s`;
    return `  ${names[index]}: ${size}${verdictOf(result)}`;
  });
  const total = (of: (result: Exploration) => number) => number(results.reduce((sum, result) => sum + of(result), 0));
  const sum = `  in all: ${total(({ states }) => states)} states, ${total(({ transitions }) => transitions)} transitions`;
  return {
    text: ['with everything in place', ...lines, sum].join('\n'),
    good: results.every(({ complete, counterexample }) => complete && !counterexample),
  };
}

/** Whether each protection that was taken out is missed. */
export function reportRemovals(
  removals: readonly { without: readonly string[] }[],
  results: readonly Exploration[],
): Report {
  const lines = results.map((result, index) => {
    const without = removals[index]?.without.join(' and ');
    const found = result.counterexample ? 'MISSED' : 'NOT MISSED: nothing goes wrong without it';
    return `  without ${without}: ${found}, ${number(result.states)} states${verdictOf(result)}`;
  });
  return {
    text: ['with a protection taken out', ...lines].join('\n'),
    good: results.every(({ counterexample }) => counterexample !== undefined),
  };
}

export interface Report {
  text: string;
  good: boolean;
}

function verdictOf({ complete, counterexample }: Exploration): string {
  if (!counterexample) return complete ? '' : '\n    NOT FINISHED';
  return `\n    ${counterexample.wrong}\n${shortened(counterexample.trace)
    .map((line) => `      ${line}`)
    .join('\n')}`;
}

/** What one of them does without a break, on one line. */
function shortened(trace: readonly string[]): string[] {
  const lines: string[] = [];
  let last = '';
  for (const label of trace) {
    const who = /^(the leader|a former leader|the interlock) /.exec(label)?.[0] ?? '';
    if (who !== '' && who === last) lines[lines.length - 1] += `; ${label.slice(who.length)}`;
    else lines.push(label);
    last = who;
  }
  return lines;
}
