import type { Stage, Who } from './stage.ts';

/** What somebody tried against what must not be touched, and how it ended. */
export interface Attempt {
  /** As typed. */
  what: string;
  /** Objects or machines that it was aimed at. */
  targets: number;
  /** How many of them it was refused for. */
  refused: number;
}

/** Tries something with kubectl, tells it, and the first refusal of each policy. */
export async function tryKubectl(stage: Stage, who: Who, args: ReadonlyArray<string>, targets = 1): Promise<Attempt> {
  const what = `kubectl ${args.map(quoted).join(' ')}`;
  stage.tell.does(who, what);
  const { status, stdout, stderr } = await stage.kubectl(who, args);
  const refusals = refusalsIn(stderr);
  const [first] = refusals;
  if (first !== undefined) stage.tell.told(first);
  else stage.tell.told(status === 0 ? `NOT REFUSED: ${stdout.trim()}` : stderr.trim());
  if (refusals.length > 1) stage.tell.say(`and so on: ${refusals.length} of ${targets} refused`);
  return { what: `${who}: ${what}`, targets, refused: refusals.length };
}

/** Tries something at the cloud's own API, where neither Kubernetes nor the operator is asked. */
export async function tryCloud(
  stage: Stage,
  who: string,
  what: string,
  targets: number,
  call: () => Promise<string | undefined>,
): Promise<Attempt> {
  stage.tell.does(who, what);
  const refusal = await call();
  stage.tell.told(refusal ?? 'NOT REFUSED: the cloud did it');
  return { what: `${who}: ${what}`, targets, refused: refusal === undefined ? 0 : targets };
}

/** Every refusal that kubectl printed, without what it says the same way before each. */
export function refusalsIn(stderr: string): string[] {
  return stderr
    .split('\n')
    .filter((line) => /^(Error from server \((Forbidden|Invalid)\)|The \w+ "[^"]+" is invalid)/.test(line))
    .map((line) =>
      line
        .replace(
          /^Error from server \(Forbidden\): .*?ValidatingAdmissionPolicy '([^']+)' with binding '[^']+' denied request: /,
          '[$1] ',
        )
        .replace(/^Error from server \(Forbidden\): /, '[RBAC] '),
    );
}

const quoted = (arg: string): string => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg}'`);
