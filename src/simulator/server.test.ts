import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../runtime/clock.ts';
import { silent } from '../runtime/logger.ts';
import type { LedgerView } from './control/ledger.ts';
import type { StateView } from './control/state.ts';
import { type Simulator, startSimulator } from './start.ts';
import { aScenario, type ScenarioInput } from './testing.ts';

let simulator: Simulator;
afterEach(() => simulator.stop());

async function started(changes: Partial<ScenarioInput> = {}): Promise<Simulator> {
  simulator = await startSimulator({ scenario: aScenario(changes), clock: systemClock(100), log: silent });
  return simulator;
}
const signed = (key = 'AKOPERATOR') =>
  `AWS4-HMAC-SHA256 Credential=${key}/20261124/us-east-1/ec2/aws4_request, Signature=0`;
const post = (parameters: Record<string, string>, authorization: string | undefined = signed()) =>
  fetch(simulator.url, {
    method: 'POST',
    body: new URLSearchParams(parameters),
    ...(authorization === undefined ? {} : { headers: { authorization } }),
    signal: AbortSignal.timeout(5000),
  });
const ledger = async (query = '') => (await (await fetch(`${simulator.url}/ledger${query}`)).json()) as LedgerView;

describe('the server', () => {
  it('listens on loopback only', async () => {
    expect((await started()).url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('answers a request with its id in body and header', async () => {
    await started();
    const response = await post({ Action: 'DescribeSubnets' });
    const body = await response.text();
    expect(response.status).toBe(200);
    expect(body).toContain(`<requestId>${response.headers.get('x-amzn-requestid')}</requestId>`);
  });

  it.each([
    ['a key that is nobody’s', signed('AKNOBODY'), 401, 'AuthFailure'],
    ['no signature', '', 403, 'MissingAuthenticationToken'],
  ])('refuses %s and notes it', async (_what, authorization, status, code) => {
    await started();
    const response = await post({ Action: 'DescribeSubnets' }, authorization);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(`<Code>${code}</Code>`);
    expect((await ledger()).calls).toMatchObject([{ caller: 'unknown', operation: 'DescribeSubnets', status, code }]);
  });

  it('refuses an action that it does not know', async () => {
    await started();
    const response = await post({ Action: 'CreateVpc' });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('<Code>InvalidAction</Code>');
  });

  it('shows the ledger from any call on', async () => {
    await started();
    for (let call = 0; call < 5; call++) await post({ Action: 'DescribeSubnets' });
    expect(await ledger()).toMatchObject({ last: 5, more: false, timeScale: 100 });
    const page = await ledger('?since=2&limit=2&machines=false');
    expect(page.calls.map(({ seq }) => seq)).toEqual([3, 4]);
    expect(page).toMatchObject({ last: 4, more: true });
    expect(await ledger('?since=5')).toMatchObject({ calls: [], last: 5, more: false });
  });

  it('shows the state now', async () => {
    await started();
    const { subnets } = (await (await fetch(`${simulator.url}/state`)).json()) as StateView;
    expect(subnets[0]).toEqual({ id: 'subnet-a', zone: 'us-east-1a', cidr: '10.0.0.0/28', total: 11, free: 11 });
  });

  it('takes faults at run time, refuses bad ones with the field’s name, and lets them go', async () => {
    await started();
    const add = (fault: unknown) => fetch(`${simulator.url}/faults`, { method: 'POST', body: JSON.stringify(fault) });
    const bad = await add({ name: 'f', effect: { eror: 'Unavailable' } });
    expect([bad.status, await bad.json()]).toEqual([
      400,
      { error: expect.stringContaining('effect: Unrecognized key') },
    ]);
    expect((await add({ name: 'f', effect: { error: 'Unavailable' } })).status).toBe(201);
    expect((await post({ Action: 'DescribeSubnets' })).status).toBe(503);
    expect((await fetch(`${simulator.url}/faults/f`, { method: 'DELETE' })).status).toBe(200);
    expect((await post({ Action: 'DescribeSubnets' })).status).toBe(200);
    expect((await fetch(`${simulator.url}/faults/f`, { method: 'DELETE' })).status).toBe(404);
  });

  it('closes the connection instead of answering when a fault says so, the work being done', async () => {
    await started({ faults: [{ name: 'lost', operations: ['ReleaseAddress'], effect: { dropResponse: true } }] });
    await expect(post({ Action: 'ReleaseAddress', AllocationId: 'eipalloc-1' })).rejects.toThrow('fetch failed');
    expect((await ledger()).calls).toMatchObject([{ status: 200, responseLost: true, faults: ['lost'] }]);
    expect(simulator.cloud.addresses.has('eipalloc-1')).toBe(false);
  });

  it('answers late when a fault says so, and forgets the answer of a client that has gone', async () => {
    await started({ faults: [{ name: 'slow', effect: { slow: '20s' } }] });
    const asked = performance.now();
    expect((await post({ Action: 'DescribeSubnets' })).status).toBe(200);
    expect(performance.now() - asked).toBeGreaterThanOrEqual(190);
    simulator.cloud.faults.add({ ...simulator.cloud.faults.list[0]!, effect: { slow: 3_600_000 } });
    const impatient = fetch(simulator.url, {
      method: 'POST',
      body: 'Action=DescribeSubnets',
      headers: { authorization: signed() },
      signal: AbortSignal.timeout(100),
    });
    await expect(impatient).rejects.toThrow('timeout');
    expect((await ledger()).calls.map(({ status }) => status)).toEqual([200, 200]);
  });

  it('stops although a client has been left hanging', async () => {
    await started({ faults: [{ name: 'hang', effect: { hang: true } }] });
    const hanging = post({ Action: 'DescribeSubnets' });
    hanging.catch(() => {});
    while (simulator.cloud.ledger.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await simulator.stop();
    await expect(hanging).rejects.toThrow();
  });

  it('refuses a body larger than any request of EC2', async () => {
    await started();
    const response = await post({ Action: 'DescribeSubnets', Pad: 'x'.repeat(1_100_000) });
    expect(response.status).toBe(413);
  });
});
