const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  // Node 24 strips the types itself; no Babel, no ts-jest.
  transform: {},
};

const started = {
  ...shared,
  globalSetup: '<rootDir>/local/jest-setup.ts',
  globalTeardown: '<rootDir>/local/jest-teardown.ts',
};

/** Sweeps and matrices, minutes each: `make test-slow`. */
const slow = [
  'test/api/canary/gating.test.ts',
  'test/api/guard/matrix/matrix.test.ts',
  'test/api/guard/mutation.test.ts',
  'test/api/lag/lag.test.ts',
  'test/api/override/override.test.ts',
  'test/chaos/restarts.test.ts',
  'test/scenarios/absence.test.ts',
  'test/scenarios/gitops-at-its-worst.test.ts',
  'test/scenarios/restore.test.ts',
].map((path) => `<rootDir>/${path}`);

/** @type {import('jest').Config} */
export default {
  coverageProvider: 'v8',
  // Many calls go to real processes on a machine that others share: only what hangs may run into it. Projects have no say in it.
  testTimeout: 60_000,
  // Many tests wait for a real API server: three at a time keep two cores busy, more would only slow each other down.
  maxWorkers: 3,
  reporters: ['default', '<rootDir>/local/jest-summary.ts'],
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/src/**/*.test.ts', '<rootDir>/local/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/(api|scenarios|chaos|sweep/sweep)'],
    },
    {
      ...started,
      // Starts a control plane before its first test, and only then.
      displayName: 'api',
      testMatch: ['<rootDir>/test/{api,scenarios,chaos}/**/*.test.ts', '<rootDir>/test/sweep/sweep.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', ...slow],
    },
    { ...started, displayName: 'slow', testMatch: slow },
  ],
};
