/** A check that is taken out of the code, to see that a test notices. */
export interface Sabotage {
  /** What is no longer checked, to be read after "without". */
  what: string;
  /** Found exactly once in the file. */
  find: string;
  replace: string;
}

/** The sabotages of one file, and the unit tests that must notice. */
export interface Target {
  /** From the root of the tree. */
  file: string;
  tests: readonly string[];
  /** Tests on a real API server, asked only when those notice nothing. */
  slow?: readonly string[];
  sabotages: readonly Sabotage[];
}

/** The text of a file without one of its checks. Throws when the search text is not there exactly once: the list is out of date. */
export function sabotaged(text: string, file: string, { find, replace }: Sabotage): string {
  const times = text.split(find).length - 1;
  if (times !== 1) throw new Error(`${file} has ${times} times, not once: ${find}`);
  return text.replace(find, () => replace);
}

/** What came of one sabotage. `caughtBy`: full names of the tests that went red; none when it survived. */
export interface Verdict {
  where: string;
  without: string;
  caughtBy: string[];
  /** Why it survived, or could not be tried. */
  trouble?: string;
}
