import { describe, expect, it } from '@jest/globals';
import { summaryLine } from './jest-summary.ts';

describe('the last line of a test run', () => {
  it('counts tests, and a test file that could not run as a failure', () => {
    expect(summaryLine({ numPassedTests: 7, numFailedTests: 0, numRuntimeErrorTestSuites: 0 })).toBe(
      '7 passed, 0 failed',
    );
    expect(summaryLine({ numPassedTests: 7, numFailedTests: 2, numRuntimeErrorTestSuites: 1 })).toBe(
      '7 passed, 3 failed',
    );
  });
});
