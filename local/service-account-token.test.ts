import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Access } from './access.ts';
import { keepTokenFresh } from './service-account-token.ts';
import { waitFor } from './wait.ts';

let folder: string;
let server: Server;
let requests: string[];
let status: number;

/** Gives tokens `token-1`, `token-2`, ... that are valid for 300 ms. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'token-test-'));
  requests = [];
  status = 201;
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const expirationTimestamp = new Date(Date.now() + 300).toISOString();
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ status: { token: `token-${requests.length}`, expirationTimestamp } }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', () => listening()));
});
afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

function keep(log: (line: string) => void = () => {}) {
  const access = {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tokens: { admin: 'a' },
  } as Access;
  const account = { namespace: 'generations-system', serviceAccount: 'generations-operator' };
  return keepTokenFresh({ access, ...account, file: join(folder, 'token'), validForSeconds: 600, log });
}

describe('a token file', () => {
  it('has a token from the start, and newer ones before each expires', async () => {
    const begin = Date.now();
    const token = await keep();
    expect(await readFile(join(folder, 'token'), 'utf8')).toBe('token-1');
    const third = async () => ((await readFile(join(folder, 'token'), 'utf8')) === 'token-3' ? true : undefined);
    await waitFor('the third token', { limitMs: 4_000, everyMs: 5 }, third);
    token.stop();
    // Twice half of 300 ms; renewing without a pause would be much faster.
    expect(Date.now() - begin).toBeGreaterThan(250);
    expect(await readdir(folder)).toEqual(['token']);
    expect(requests[0]).toBe('POST /api/v1/namespaces/generations-system/serviceaccounts/generations-operator/token');
  });

  it('keeps the last token and says so when a renewal is refused', async () => {
    const lines: string[] = [];
    const token = await keep((line) => lines.push(line));
    status = 500;
    await waitFor('the failure', { limitMs: 4_000, everyMs: 5 }, async () => lines[0]);
    token.stop();
    expect(lines[0]).toMatch(
      /^the token of generations-operator could not be renewed, next try in 5 s: .*answered 500/,
    );
    expect(await readFile(join(folder, 'token'), 'utf8')).toBe('token-1');
  });

  it('is not there at all when the first one is refused', async () => {
    status = 404;
    await expect(keep()).rejects.toThrow(
      'answered 404 to the request for a token of generations-system/generations-operator',
    );
    expect(await readdir(folder)).toEqual([]);
  });
});
