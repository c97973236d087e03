import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Environment, startEnvironment } from '../../../local/environment.ts';
import { paths } from '../../../local/paths.ts';
import { type TestControlPlane, testControlPlane } from '../../../local/testing.ts';
import { waitFor } from '../../../local/wait.ts';

/** The operator as it is shipped, with no more rights than the chart gives it. */

let environment: Environment;
let controlPlane: TestControlPlane;

beforeAll(async () => {
  environment = await startEnvironment({ scenario: paths.upScenario });
  controlPlane = testControlPlane(environment.controlPlane);
}, 180_000);
afterAll(() => environment?.stop());

describe('the webhook of an installed operator', () => {
  it('is called and trusted, and counts what it answers', async () => {
    const platform = {
      apiVersion: 'generations.dev/v1alpha1',
      kind: 'Platform',
      metadata: { name: 'us' },
      spec: { className: 'none', roles: [{ name: 'web' }] },
    };
    expect(await controlPlane.kubectl('admin', ['apply', '-f', '-'], JSON.stringify(platform))).toMatchObject({
      status: 0,
    });
    const patch = '{"spec":{"retention":{"standby":"None"}}}';
    const args = ['patch', 'platform', 'us', '--type=merge', '--dry-run=server', `-p=${patch}`];
    await waitFor('the warning', { limitMs: 30_000 }, async () => {
      const { stderr } = await controlPlane.kubectl('admin', args);
      return stderr.includes('leaves nothing to roll back to') || undefined;
    });
    const metrics = await (await fetch(`${environment.operator!.metricsUrl}/metrics`)).text();
    expect(metrics).toMatch(/generations_webhook_requests_total\{act="update-platform",outcome="warned"\} [1-9]/);
    const line = metrics
      .split('\n')
      .find((text) => /^generations_webhook_certificate_expiry_timestamp_seconds\b/.test(text));
    expect(line).toMatch(/ 1[0-9]{9}$/);
    expect(Number(line?.split(' ').at(-1))).toBeGreaterThan(Date.now() / 1000 + 80 * 86_400);
  }, 60_000);
});
