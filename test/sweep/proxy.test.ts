import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '../../local/wait.ts';
import { type NumberingProxy, numberingProxy } from './proxy.ts';

let upstream: Server;
let proxy: NumberingProxy;
/** What got through. */
let arrived: string[];

beforeEach(async () => {
  arrived = [];
  upstream = createServer((request, response) => {
    arrived.push(`${request.method} ${request.url}`);
    if (!request.url?.includes('watch')) return void response.writeHead(201).end('{}');
    response.writeHead(200).write('first\n');
    const timer = setInterval(() => response.write('next\n'), 5);
    response.once('close', () => clearInterval(timer));
  });
  await new Promise<void>((done) => upstream.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  proxy = await numberingProxy({ apiServer: { url }, cloud: url });
});

afterEach(async () => {
  await proxy.close();
  upstream.closeAllConnections();
  await new Promise((closed) => upstream.close(closed));
});

const put = (name: string) => fetch(`${proxy.apiServer}/api/v1/nodes/${name}`, { method: 'PUT', body: '{}' });

describe('the numbering proxy', () => {
  it('numbers what counts, and passes everything on', async () => {
    proxy.count(({ object }) => object !== 'nodes/other');
    for (const name of ['a', 'other', 'b']) expect((await put(name)).status).toBe(201);
    await fetch(`${proxy.apiServer}/api/v1/nodes`);
    expect(proxy.stopCounting().map(({ number, object, status }) => [number, object, status])).toEqual([
      [1, 'nodes/a', 201],
      [2, 'nodes/b', 201],
    ]);
    expect(arrived).toHaveLength(4);
  });

  it('holds a write until something else has happened, once, and passes it on', async () => {
    let happened = 0;
    const act = async () => {
      happened += 1;
      expect(arrived).toEqual(['PUT /api/v1/nodes/a']);
    };
    proxy.count(() => true, { number: 2, when: 'quota', act });
    await put('a');
    await put('b');
    expect(arrived).toEqual(['PUT /api/v1/nodes/a', 'PUT /api/v1/nodes/b']);
    expect(proxy.killedAt()).toMatchObject({ number: 2, object: 'nodes/b' });
    await put('c');
    expect(happened).toBe(1);
  });

  it.each([
    ['before', ['PUT /api/v1/nodes/a']],
    ['after', ['PUT /api/v1/nodes/a', 'PUT /api/v1/nodes/b']],
  ] as const)('kills %s the write, once, and answers nothing', async (when, through) => {
    let kills = 0;
    const kill = () => {
      kills += 1;
    };
    proxy.count(() => true, { number: 2, when, kill });
    await put('a');
    await expect(put('b')).rejects.toThrow();
    expect(kills).toBe(1);
    expect(arrived).toEqual(through);
    expect(proxy.killedAt()).toMatchObject({ number: 2, object: 'nodes/b' });
    await put('c');
    expect(kills).toBe(1);
    expect(arrived).toHaveLength(through.length + 1);
  });

  it('lets a watch stream, and ends it with its client', async () => {
    const gone = new AbortController();
    const answer = await fetch(`${proxy.apiServer}/api/v1/nodes?watch=true`, { signal: gone.signal });
    const reader = answer.body!.getReader();
    const texts = [await reader.read(), await reader.read()].map(({ value }) => Buffer.from(value!).toString());
    expect(texts[0]).toMatch(/^first/);
    expect(texts.join('')).toContain('next');
    gone.abort();
    await waitFor('the watch to end', { limitMs: 5_000 }, async () => {
      const open = await new Promise<number>((done) => upstream.getConnections((_, count) => done(count)));
      return open === 0 || undefined;
    });
  });
});
