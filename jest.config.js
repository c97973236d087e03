const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  // Node 24 strips the types itself; no Babel, no ts-jest.
  transform: {},
};

/** @type {import('jest').Config} */
export default {
  coverageProvider: 'v8',
  // Many tests wait for a real API server: two at a time keep two cores busy, more would only slow each other down.
  maxWorkers: 2,
  reporters: ['default', '<rootDir>/local/jest-summary.ts'],
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/src/**/*.test.ts', '<rootDir>/local/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/(api|scenarios|chaos)/'],
    },
    {
      ...shared,
      // Starts a control plane before its first test, and only then.
      displayName: 'api',
      testMatch: ['<rootDir>/test/{api,scenarios,chaos}/**/*.test.ts'],
      globalSetup: '<rootDir>/local/jest-setup.ts',
      globalTeardown: '<rootDir>/local/jest-teardown.ts',
    },
  ],
};
