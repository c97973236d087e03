import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Simulator } from '../../src/simulator/start.ts';
import { PYTHON_LIMIT, runPython } from './python.ts';
import { quickSimulator } from './quick.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await quickSimulator();
});
afterAll(() => simulator.stop());

describe('boto3', () => {
  it(
    'lives a whole life with the simulated cloud',
    async () => {
      expect(await runPython('boto3_life.py', [simulator.url])).toEqual({
        'dry run': ['DryRunOperation', 412],
        launched: ['pending', 'pending', 'pending'],
        repeated: true,
        mismatch: ['IdempotentParameterMismatch', 400],
        running: true,
        tags: [{ Key: 'role', Value: 'a & b' }],
        paged: true,
        protected: true,
        refused: ['OperationNotPermitted', 400],
        retagged: [{ Key: 'team', Value: 'x' }],
        associated: [true, true],
        public: '203.0.113.1',
        interface: [true, true],
        addresses: ['eipalloc-2'],
        stopping: ['running', 'stopping'],
        starting: ['stopped', 'pending'],
        freed: [248, 251],
        vcpus: 2,
        template: { ImageId: 'ami-1', InstanceType: 'm6i.large', SecurityGroupIds: ['sg-1'] },
        quota: 1920,
        'no quota': ['NoSuchResourceException', 400],
        nobody: ['AuthFailure', 401],
      });
      const { machines } = simulator.cloud.ledger;
      expect([...machines.values()].every(({ terminatedBy }) => terminatedBy === 'operator')).toBe(true);
    },
    PYTHON_LIMIT,
  );
});
