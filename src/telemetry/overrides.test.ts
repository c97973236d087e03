import { expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { overrideMetrics } from './overrides.ts';

it('shows each override while it is in force, and no longer', async () => {
  const registry = new Registry();
  let now = [{ platform: 'us', generation: 'green' }];
  overrideMetrics(registry, () => now);
  expect(await registry.metrics()).toContain('generations_override_in_force{platform="us",generation="green"} 1');
  now = [];
  expect(await registry.metrics()).not.toContain('green');
});
