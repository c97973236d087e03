import { beforeEach, describe, expect, it } from '@jest/globals';
import { aCutover, aGeneration, anApiServer, refusal } from '../../test/builders/index.ts';
import type { Cutover } from '../api/v1alpha1/index.ts';
import { isTrue } from '../domain/conditions.ts';
import { clusterGenerations, cutovers } from '../kinds.ts';
import type { EventInput } from '../kube/events.ts';
import { manualClock } from '../runtime/clock.ts';
import { silent } from '../runtime/logger.ts';
import { NotDone } from './refusal.ts';
import { reporting } from './trouble.ts';

const clock = manualClock();
let server: ReturnType<typeof anApiServer>;
let events: EventInput[];
beforeEach(() => {
  server = anApiServer(clock.now);
  events = [];
});

const contextOf = () => ({
  client: server.client(),
  clock,
  log: silent,
  events: { record: (event: EventInput) => void events.push(event), flush: async () => {} },
});

describe('a write to what is not there', () => {
  const green = aGeneration();
  const trouble = (present: boolean) => {
    if (present) server.seed(clusterGenerations, green);
    const context = contextOf();
    return reporting(context, clusterGenerations, { read: () => green }, async () => {
      await context.client.get(clusterGenerations, 'nobody');
      return undefined;
    })('green');
  };

  it('is no trouble once the object itself is gone', async () => {
    expect(await trouble(false)).toBeUndefined();
  });

  it('is trouble as long as the object is there: something else is missing', async () => {
    await expect(trouble(true)).rejects.toMatchObject({ status: 404 });
  });
});

describe('what the API server refuses', () => {
  const forbidden = refusal(403, 'Forbidden', 'create Job : jobs.batch "second" is forbidden: exceeded quota: one-job');
  const unavailable = refusal(503, 'ServiceUnavailable', 'patch Service edge/www: etcdserver: leader changed');
  const stored = () => server.read(cutovers, 'to-green');
  const told = () => stored()?.status.conditions?.find(({ type }) => type === 'Blocked');
  const ended = ({ status }: Cutover) => status.outcome !== undefined;

  /** A reconcile that writes to its object and is then refused `errors`, one a time. */
  function attempts(errors: (Error | undefined)[], status: object = {}) {
    server.seed(cutovers, { ...aCutover(), status });
    const context = contextOf();
    const reconcile = reporting<Cutover>(
      context,
      cutovers,
      { read: (key) => context.client.get(cutovers, key), stopped: ['Blocked'], ended },
      async () => {
        server.edit(cutovers, 'to-green', ({ metadata }) => {
          metadata.annotations = { written: String(errors.length) };
        });
        const error = errors.shift();
        if (error) throw error;
        return undefined;
      },
    );
    return () => reconcile('to-green').catch((error: unknown) => error);
  }

  it('is told upon the object as it is by then, whoever has written to it meanwhile', async () => {
    await attempts([new NotDone('run migration second', forbidden)])();
    expect(told()).toMatchObject({ status: 'True', reason: 'QuotaExceeded' });
    expect(told()?.message).toMatch(
      /^the API server refuses run migration second: create Job : .* exceeded quota: one-job\. Raise the ResourceQuota /,
    );
    expect(events).toMatchObject([{ type: 'Warning', reason: 'QuotaExceeded', note: told()?.message }]);
  });

  it('is written once as long as the words are the same', async () => {
    const words = (port: number) =>
      refusal(500, 'InternalError', `failed calling webhook "x": write tcp 10.0.0.1:${port}->10.0.0.2:443: reset`);
    const attempt = attempts([words(40001), words(40002), words(40003)]);
    await attempt();
    const [first, writes] = [told(), server.requests.filter((line) => line.startsWith('PUT')).length];
    await attempt();
    await attempt();
    expect(first?.reason).toBe('WebhookFails');
    expect(told()).toEqual(first);
    expect(server.requests.filter((line) => line.startsWith('PUT'))).toHaveLength(writes);
  });

  it.each([
    [409, 'Conflict', 'admission webhook "policy.example.com" denied the request: not now', 'WebhookDenies'],
    [403, 'Forbidden', 'unable to create new content because it is being terminated', 'NamespaceTerminating'],
    [403, 'Forbidden', 'User "x" cannot patch resource "services"', 'Forbidden'],
    [404, 'NotFound', 'namespaces "jobs" not found', 'NotFound'],
    [422, 'Invalid', 'spec.selector: Invalid value', 'Invalid'],
    [400, 'BadRequest', 'strict decoding error', 'BadRequest'],
    [409, 'AlreadyExists', 'jobs "a" already exists', 'AlreadyExists'],
  ])('is told at once when it is %i %s: %s', async (status, reason, message, said) => {
    await attempts([refusal(status, reason, message)])();
    expect(told()).toMatchObject({ status: 'True', reason: said, message: expect.stringContaining(message) });
  });

  it('is told the second time in a row when it is the trouble of a server, which may be over', async () => {
    const attempt = attempts([unavailable, undefined, unavailable, unavailable]);
    await attempt();
    await attempt();
    await attempt();
    expect(told()).toBeUndefined();
    await attempt();
    expect(told()).toMatchObject({ status: 'True', reason: 'ServiceUnavailable' });
  });

  it.each([
    ['a conflict', refusal(409, 'Conflict', 'the object has been modified')],
    ['no answer', refusal(0, 'Unreachable', 'no answer')],
    ['an expired list', refusal(410, 'Expired', 'too old resource version')],
    ['what is no answer of the API server', new TypeError('a bug')],
  ])('is not %s', async (_, error) => {
    const attempt = attempts([error, error]);
    await attempt();
    await attempt();
    expect(told()).toBeUndefined();
    expect(events).toEqual([]);
  });

  it('takes nothing back of an outcome that is written', async () => {
    const conditions = [{ type: 'Ready', status: 'True', reason: 'Succeeded', message: 'green is live' }];
    await attempts([forbidden], { outcome: 'Succeeded', conditions })();
    expect(stored()?.status.conditions).toMatchObject([
      ...conditions,
      { type: 'Reconciling', status: 'False' },
      { type: 'Stalled', status: 'True', reason: 'QuotaExceeded' },
    ]);
  });

  it('stands in the status that is written before the effects, until they are done', async () => {
    server.seed(cutovers, aCutover());
    const context = contextOf();
    const fates = [forbidden, forbidden, undefined, undefined];
    const seen: boolean[] = [];
    const reconcile = reporting<Cutover>(context, cutovers, { read: () => stored() }, async (object, { kept }) => {
      const status = kept({ ...object.status, conditions: [] });
      seen.push(isTrue({ status }, 'Stalled'));
      const error = fates.shift();
      if (error) throw error;
      return { requeueAfter: 5_000 };
    });
    const results: unknown[] = [];
    for (let n = 0; n < 4; n++)
      results.push(await reconcile('to-green').catch(({ reason }: { reason: string }) => reason));
    expect(seen).toEqual([false, true, true, false]);
    expect(results).toEqual(['Forbidden', 'Forbidden', { requeueAfter: 0 }, { requeueAfter: 5_000 }]);
  });
});
