/** What this needs of jest's result. */
interface Result {
  numPassedTests: number;
  numFailedTests: number;
  numFailedTestSuites: number;
  numRuntimeErrorTestSuites: number;
}

/** One line at the very end, for people and scripts that read the last line only. A test file that could not run counts as a failure. */
export function summaryLine({ numPassedTests, numFailedTests, numRuntimeErrorTestSuites }: Result): string {
  return `${numPassedTests} passed, ${numFailedTests + numRuntimeErrorTestSuites} failed`;
}

/** A jest reporter; jest's own, which prints everything else, comes before it. */
export default class SummaryReporter {
  onRunComplete(_contexts: unknown, result: Result): void {
    process.stderr.write(`${summaryLine(result)}\n`);
  }
}
