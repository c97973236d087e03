import { expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { cutoverMetrics } from './cutovers.ts';

it('shows what keeps a cutover and what it holds until it has ended', async () => {
  const registry = new Registry();
  let now = [{ platform: 'us', cutover: 'to-green', begun: true, blocked: true, held: 2 }];
  cutoverMetrics(registry, () => now);
  const labels = '{platform="us",cutover="to-green",begun="true"}';
  expect(await registry.metrics()).toContain(`generations_cutover_blocked${labels} 1`);
  expect(await registry.metrics()).toContain(`generations_cutover_held_targets${labels} 2`);
  now = now.map((sight) => ({ ...sight, blocked: false }));
  expect(await registry.metrics()).toContain(`generations_cutover_blocked${labels} 0`);
  now = [];
  expect(await registry.metrics()).not.toContain('to-green');
});
