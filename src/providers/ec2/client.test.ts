import { describe, expect, it } from '@jest/globals';
import { manualClock } from '../../runtime/clock.ts';
import { limitsOf } from '../ceilings.ts';
import { ProviderError } from '../provider.ts';
import { Budgets } from './budgets.ts';
import { type Call, pacedClient } from './client.ts';
import { DOCUMENTED_BUDGETS, OPERATIONS, type Operation, type Transport } from './operations.ts';

const throttling = () =>
  Object.assign(new Error('Request limit exceeded.'), {
    name: 'RequestLimitExceeded',
    $metadata: { httpStatusCode: 503 },
  });

async function refusal(promise: Promise<unknown>): Promise<ProviderError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ProviderError) return error;
  throw new Error('expected a ProviderError');
}

/** A client on a transport that answers `respond(n)` to the n-th call, and what was sent and told. */
function aClient(respond: (n: number) => Promise<unknown> = async () => ({}), scale = 1) {
  const clock = manualClock({ scale });
  const sent: Operation[] = [];
  const told: Call[] = [];
  const transport = (async (operation: Operation) => {
    sent.push(operation);
    return respond(sent.length);
  }) as Transport;
  const limits = new Map(
    OPERATIONS.map((operation) => [operation, limitsOf(undefined, DOCUMENTED_BUDGETS[operation], '20%', clock.rate)]),
  );
  const budgets = new Budgets(limits, clock);
  const client = pacedClient({ transport, budgets, clock, region: 'us-east-1', observe: (call) => told.push(call) });
  const launch = (machines = 1) =>
    client.send('RunInstances', {} as never, { priority: 'planned', what: `${machines}`, machines });
  const budget = () => client.budgets().find(({ operation }) => operation === 'RunInstances')!;
  return { client, clock, sent, told, launch, budget };
}

describe('the paced client', () => {
  it('sends while there are tokens, then refuses without asking the cloud', async () => {
    const { clock, sent, launch } = aClient();
    // A burst of 5 requests, of which the fifth is the reserve.
    for (let n = 0; n < 4; n++) await launch();
    await expect(launch()).rejects.toMatchObject({
      reason: 'Throttled',
      code: 'BudgetExhausted',
      refused: true,
      retryAfter: 500,
    });
    expect(sent).toHaveLength(4);
    await clock.advance(500);
    await launch();
    expect(sent).toHaveLength(5);
  });

  it('lets recovery have the reserve', async () => {
    const { client, launch, sent } = aClient();
    for (let n = 0; n < 4; n++) await launch();
    await client.send('RunInstances', {} as never, { priority: 'recovery', what: '', machines: 1 });
    expect(sent).toHaveLength(5);
  });

  it('keeps a budget for each operation', async () => {
    const { client, launch } = aClient();
    for (let n = 0; n < 4; n++) await launch();
    await expect(launch()).rejects.toMatchObject({ reason: 'Throttled' });
    await expect(client.send('DescribeInstances', {}, { priority: 'planned', what: '' })).resolves.toEqual({});
  });

  it('learns from a throttling answer, and says when to try again', async () => {
    const { clock, launch, budget, sent } = aClient(async (n) => {
      if (n === 2) throw throttling();
      return {};
    });
    await clock.advance(1000);
    await launch();
    const refused = await refusal(launch());
    expect(refused).toMatchObject({ reason: 'Throttled', code: 'RequestLimitExceeded', refused: true });
    expect(budget()).toMatchObject({ requestsPerSecond: 1, throttledTotal: 1, lastThrottledTime: clock.now() });
    const held = await refusal(launch());
    expect(held).toMatchObject({ code: 'BudgetExhausted', retryAfter: refused.retryAfter });
    expect(held.retryAfter).toBeGreaterThan(1000);
    expect(sent).toHaveLength(2);
    await clock.advance(held.retryAfter!);
    await launch();
    await clock.advance(60_000);
    expect(budget().requestsPerSecond).toBe(2);
  });

  it('tells a call among others from one after a quiet time', async () => {
    const { clock, client, launch, budget } = aClient(async (n) => {
      if (n !== 1) throw throttling();
      return {};
    });
    await launch(100);
    await refusal(launch(100));
    expect(budget()).toMatchObject({ requestsPerSecond: 1, resourcesPerSecond: 2 });
    await clock.advance(60_000);
    await refusal(launch(100));
    expect(budget()).toMatchObject({ requestsPerSecond: 2, resourcesPerSecond: 1 });
    await clock.advance(500);
    expect(client.affordable('RunInstances', 'recovery')).toBe(50);
  });

  it('forgets its suspicion when a call is let through', async () => {
    const { clock, launch, budget } = aClient(async (n) => {
      if (n === 2 || n === 4) throw throttling();
      return {};
    });
    await launch();
    await refusal(launch());
    await clock.advance(5_000);
    const slow = budget().requestsPerSecond;
    expect(slow).toBeLessThan(2);
    await launch();
    await clock.advance(1_990);
    await refusal(launch());
    expect(budget().requestsPerSecond).toBeLessThan(slow);
  });

  it('does not charge twice for machines whose launch is repeated', async () => {
    const { client, launch } = aClient(async (n) => {
      if (n === 1) throw Object.assign(new Error('late'), { name: 'TimeoutError' });
      return {};
    });
    await expect(launch(500)).rejects.toMatchObject({ refused: false });
    await launch(500);
    expect(client.affordable('RunInstances', 'planned')).toBe(300);
  });

  it('does not slow down for other errors', async () => {
    const { launch, budget } = aClient(async () => {
      throw Object.assign(new Error('no'), {
        name: 'InsufficientInstanceCapacity',
        $metadata: { httpStatusCode: 500 },
      });
    });
    await expect(launch()).rejects.toMatchObject({ reason: 'CapacityUnavailable' });
    expect(budget()).toMatchObject({ requestsPerSecond: 2, throttledTotal: 0 });
  });

  it('runs at the pace of the clock, and reports declared rates', async () => {
    const { clock, launch, budget } = aClient(undefined, 60);
    for (let n = 0; n < 4; n++) await launch();
    await expect(launch()).rejects.toMatchObject({ retryAfter: 9 });
    await clock.advance(9);
    await launch();
    expect(budget()).toMatchObject({ requestsPerSecond: 2, resourcesPerSecond: 2 });
  });

  it('tells of every call, sent or not', async () => {
    const { launch, told } = aClient(async (n) => {
      if (n === 2) throw throttling();
      return {};
    });
    await launch(3);
    await launch(2).catch(() => {});
    await launch(1).catch(() => {});
    const common = { operation: 'RunInstances', region: 'us-east-1', endpoint: 'AWS in us-east-1', duration: 0 };
    expect(told).toEqual([
      { ...common, outcome: 'ok', sent: true, machines: 3 },
      { ...common, outcome: 'Throttled', code: 'RequestLimitExceeded', sent: true, machines: 2 },
      { ...common, outcome: 'Throttled', code: 'BudgetExhausted', sent: false, machines: 1 },
    ]);
  });

  it('never holds more than the largest budget: such a launch is refused, not waited for', async () => {
    const { client, launch } = aClient();
    expect(client.affordable('RunInstances', 'planned')).toBe(800);
    await expect(launch(801)).rejects.toMatchObject({ reason: 'Throttled', refused: true });
  });
});
