import { Agent, request } from 'node:https';
import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../runtime/clock.ts';
import { silent } from '../../runtime/logger.ts';
import { makeAuthority, makeLeaf } from './certificates/make.ts';
import { allow, refuse } from './review.ts';
import { type WebhookServerOptions, webhookServer } from './server.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function aServer(options: Partial<WebhookServerOptions> = {}) {
  const outcomes: string[] = [];
  const server = webhookServer({
    clock: systemClock(),
    log: silent,
    host: '127.0.0.1',
    port: 0,
    decide: () => allow(),
    observer: { answered: (act, outcome) => void outcomes.push(`${act} ${outcome}`), serving: () => {} },
    ...options,
  });
  const stop = new AbortController();
  const over = server.start(stop.signal);
  const port = await server.listening;
  const now = Date.now();
  const authority = await makeAuthority(now);
  server.use(await makeLeaf(authority, ['127.0.0.1'], now));
  const agent = new Agent({ keepAlive: true });
  const end = async () => {
    stop.abort();
    await over;
  };
  stops.push(() => end().finally(() => agent.destroy()));
  const send = (body: string, { path = '/validate', method = 'POST' } = {}) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path, method, ca: authority.cert, agent }, (response) => {
        let text = '';
        response
          .on('data', (chunk) => (text += chunk))
          .on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      sent.on('error', reject).end(body);
    });
  return { send, end, outcomes };
}

const review = (changes: object = {}) =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u1',
      operation: 'CREATE',
      resource: { group: '', version: 'v1', resource: 'pods' },
      subResource: 'eviction',
      name: 'p',
      namespace: 'n',
      userInfo: { username: 'alice' },
      object: null,
      oldObject: null,
      ...changes,
    },
  });

describe('the webhook server', () => {
  it('answers in the words of admission.k8s.io/v1, with warnings', async () => {
    const { send, outcomes } = await aServer({ decide: ({ act }) => allow(`you ${act.kind}`) });
    const { status, text } = await send(review());
    expect({ status, body: JSON.parse(text) }).toEqual({
      status: 200,
      body: {
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid: 'u1', allowed: true, warnings: ['you evict'] },
      },
    });
    expect(outcomes).toEqual(['evict warned']);
  });

  it('says why it refuses, for good or for now', async () => {
    const forGood = await aServer({ decide: async () => refuse('it is live') });
    expect(JSON.parse((await forGood.send(review())).text).response).toEqual({
      uid: 'u1',
      allowed: false,
      status: { code: 403, reason: 'Forbidden', message: 'it is live' },
    });
    const forNow = await aServer({ decide: () => ({ allowed: false, code: 429, message: 'later', warnings: [] }) });
    expect(JSON.parse((await forNow.send(review())).text).response.status).toMatchObject({
      code: 429,
      reason: 'TooManyRequests',
    });
  });

  it.each([
    ['not JSON', 'not an AdmissionReview of admission.k8s.io/v1: Unexpected token'],
    ['{}', 'apiVersion: Invalid input'],
    [review({ operation: 'EAT' }), 'request.operation: Invalid option'],
    [
      review({
        operation: 'DELETE',
        resource: { group: '', version: 'v1', resource: 'nodes' },
        oldObject: { kind: 'Node' },
      }),
      'not an object of its kind',
    ],
  ])('answers 400 to %s, with what is wrong', async (body, message) => {
    const { send, outcomes } = await aServer();
    const { status, text } = await send(body);
    expect(status).toBe(400);
    expect(text).toContain(message);
    expect(outcomes).toEqual(['unknown unreadable']);
  });

  it('takes no more than a review can hold', async () => {
    const { send } = await aServer();
    // The server may hang up before all of it is sent.
    const outcome = await send('x'.repeat(9 * 2 ** 20)).then(
      ({ status }) => status,
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect([413, 'EPIPE', 'ECONNRESET']).toContain(outcome);
    expect((await send(review())).status).toBe(200);
  });

  it('answers 500 when judging fails, at once or later, and goes on', async () => {
    const failing = () => {
      throw new Error('a bug');
    };
    for (const decide of [failing, async () => failing()]) {
      const { send, outcomes } = await aServer({ decide });
      expect((await send(review())).status).toBe(500);
      expect((await send(review())).status).toBe(500);
      expect(outcomes).toEqual(['evict failed', 'evict failed']);
    }
  });

  it('answers 503 while the caches are not complete, and nothing but reviews', async () => {
    const { send } = await aServer({ unready: () => 'the caches are not complete' });
    expect(await send(review())).toEqual({ status: 503, text: 'not ready: the caches are not complete\n' });
    expect((await send('', { path: '/metrics', method: 'GET' })).status).toBe(404);
    expect((await send('', { method: 'PUT' })).status).toBe(405);
  });

  it('answers what is in work before it ends', async () => {
    const begun = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const { send, end } = await aServer({
      async decide() {
        begun.resolve();
        await answer.promise;
        return allow();
      },
    });
    const asked = send(review());
    await begun.promise;
    const ended = end();
    answer.resolve();
    expect((await asked).status).toBe(200);
    await ended;
  });
});
