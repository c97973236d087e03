import { commandLine } from './command-line.ts';
import type { Stage, Who } from './stage.ts';

/** What somebody tried against what must not be touched, and how it ended. */
export interface Attempt {
  /** Who, and what as typed. */
  what: string;
  /** Objects or machines that it was aimed at. */
  targets: number;
  /** How many of them it was refused for. */
  refused: number;
}

/** Tries things, tells what is said about each, and keeps count. */
export interface Attempter {
  /** With kubectl; `targets` is how many objects it is aimed at, 1 unless told. */
  kubectl(who: Who, args: ReadonlyArray<string>, targets?: number): Promise<void>;
  /** At the cloud's own API; `call` resolves with the refusal, or undefined when it was done. */
  cloud(who: string, what: string, targets: number, call: () => Promise<string | undefined>): Promise<void>;
  attempts: Attempt[];
}

export function attempter(stage: Stage): Attempter {
  const { tell } = stage;
  const attempts: Attempt[] = [];
  const heard = new Set<string>();
  const hear = (words: string) => {
    tell.told(heard.has(words) ? 'refused with the same words' : words);
    heard.add(words);
  };
  return {
    attempts,
    async kubectl(who, args, targets = 1) {
      const what = commandLine(args);
      tell.does(who === 'operator' ? 'generations-operator' : who, what);
      const { stdout, stderr } = await stage.kubectl(who, args);
      const refusals = refusalsIn(stderr);
      if (refusals.length === 0) tell.told(`NOT REFUSED: ${stdout.trim()} ${stderr.trim()}`);
      // One of each policy: the other Nodes of 180 are refused in the same words.
      for (const [words] of Map.groupBy(refusals, policyOf).values()) if (words !== undefined) hear(words);
      if (refusals.length > 1) tell.say(`... and so on: ${refusals.length} of ${targets} are refused.`);
      attempts.push({ what: `${who}: ${what}`, targets, refused: refusals.length });
    },
    async cloud(who, what, targets, call) {
      tell.does(who, what);
      const refusal = await call();
      if (refusal === undefined) tell.told('NOT REFUSED: the cloud does it');
      else hear(refusal);
      attempts.push({ what: `${who}: ${what}`, targets, refused: refusal === undefined ? 0 : targets });
    },
  };
}

const policyOf = (refusal: string): string => refusal.slice(0, refusal.indexOf(']'));

/** Every refusal that kubectl printed: what refused in brackets, then its words. */
export function refusalsIn(stderr: string): string[] {
  return stderr.split('\n').flatMap((line) => {
    // A drain goes on after its cordon is refused, and tells of each in its own way; in the end it repeats the lot.
    const policy = /^(.*?)ValidatingAdmissionPolicy '([^']+)' .*?denied request: (.*)$/.exec(line);
    if (policy && /^(Error from server \(Forbidden\)|error: unable to cordon|error when evicting)/.test(line))
      return [`[${policy[2]}] ${policy[3]}`];
    const forbidden = /^Error from server \(Forbidden\): (.*)$/.exec(line);
    if (forbidden) return [`[RBAC] ${forbidden[1]}`];
    const invalid = /^The (\w+ "[^"]+") is invalid: (?:<nil>: Invalid value: )?(.*)$/.exec(line);
    return invalid ? [`[schema] ${invalid[1]}: ${invalid[2]}`] : [];
  });
}
