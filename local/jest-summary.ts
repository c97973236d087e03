import { writeSync } from 'node:fs';

/** What this needs of jest's result. */
interface Result {
  numPassedTests: number;
  numFailedTests: number;
  numRuntimeErrorTestSuites: number;
}

/** One line for people and scripts that read the last line only. A test file that could not run counts as a failure. */
export function summaryLine({ numPassedTests, numFailedTests, numRuntimeErrorTestSuites }: Result): string {
  return `${numPassedTests} passed, ${numFailedTests + numRuntimeErrorTestSuites} failed`;
}

/** A jest reporter. It waits for the end of the process, because jest prints its own summary after every other reporter. */
export default class SummaryReporter {
  onRunComplete(_contexts: unknown, result: Result): void {
    process.once('exit', () => writeSync(process.stderr.fd, `${summaryLine(result)}\n`));
  }
}
