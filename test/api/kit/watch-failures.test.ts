import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type ReflectorOptions, reflector } from '../../../src/kube/reflector.ts';
import { type Node, nodes } from '../../../src/kube/resources.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silent } from '../../../src/runtime/logger.ts';
import {
  aNode,
  aStatus,
  initialEventsEnd,
  isStreamingList,
  isWatch,
  line,
  page,
  refuse,
  startFakeServer,
} from './fake-server.ts';
import { clientFor, until } from './kit.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A reflector of Nodes, with the server that it talks to. */
async function against(
  handle: (url: URL, answer: ServerResponse, number: number) => void,
  options: Partial<ReflectorOptions<Node, string>> = {},
) {
  const server = await startFakeServer(handle);
  const client = clientFor(server.url);
  const lists: string[] = [];
  const ends: string[] = [];
  const subject = reflector<Node, string>({
    client,
    resource: nodes,
    clock: systemClock(),
    log: silent,
    project: ({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`,
    observer: { listed: (_, way) => lists.push(way), watchOver: (_, why) => ends.push(why) },
    ...options,
  });
  const abort = new AbortController();
  const running = subject.start(abort.signal);
  cleanups.push(async () => {
    abort.abort();
    await running;
    await client.transport.close();
    await server.close();
  });
  return { subject, lists, ends, requests: server.requests, items: () => subject.store.list().toSorted() };
}

describe('a server that does not stream lists', () => {
  it.each([
    ['refuses it as invalid', 422, 'Invalid'],
    ['refuses it as a bad request', 400, 'BadRequest'],
  ])('and %s gets paged lists instead', async (_, code, reason) => {
    const one = await against((url, answer) => {
      if (isStreamingList(url)) return refuse(answer, code, reason);
      if (isWatch(url)) return void answer.writeHead(200).write(line('ADDED', aNode('c', '8')));
      if (url.searchParams.get('continue') === 'more') return page(answer, [aNode('b', '2')], '7');
      return page(answer, [aNode('a', '1')], '7', 'more');
    });
    await one.subject.synced;
    await until('the watch', () => one.items().length === 3);
    expect(one.items()).toEqual(['a@1', 'b@2', 'c@8']);
    expect(one.lists).toEqual(['paged']);
    expect(one.requests.at(-1)?.searchParams.get('resourceVersion')).toBe('7');
    expect(one.requests.filter(isStreamingList)).toHaveLength(1);
  });

  it('and sends the objects without ever saying that they are all gets paged lists instead', async () => {
    const one = await against(
      (url, answer) => {
        if (isStreamingList(url)) return void answer.writeHead(200).write(line('ADDED', aNode('a', '1')));
        if (isWatch(url)) return void answer.writeHead(200).flushHeaders();
        return page(answer, [aNode('a', '1'), aNode('b', '2')], '7');
      },
      { initialSilence: 100 },
    );
    await one.subject.synced;
    expect(one.items()).toEqual(['a@1', 'b@2']);
    expect(one.lists).toEqual(['paged']);
  });

  it('and sends an ordinary bookmark instead of the end gets paged lists instead', async () => {
    const one = await against((url, answer) => {
      if (isStreamingList(url)) {
        answer.writeHead(200).write(line('ADDED', aNode('a', '1')));
        return void answer.write(line('BOOKMARK', { kind: 'Node', metadata: { resourceVersion: '5' } }));
      }
      if (isWatch(url)) return void answer.writeHead(200).flushHeaders();
      return page(answer, [aNode('a', '1')], '7');
    });
    await one.subject.synced;
    expect(one.lists).toEqual(['paged']);
  });
});

describe('an expired version', () => {
  const expired: [string, (answer: ServerResponse) => void][] = [
    ['as an HTTP status', (answer) => refuse(answer, 410, 'Expired')],
    ['as an event', (answer) => void answer.writeHead(200).write(line('ERROR', aStatus(410, 'Expired')))],
    [
      'as one from before the server was restored',
      (answer) => {
        const status = aStatus(504, 'Timeout', [{ reason: 'ResourceVersionTooLarge', message: 'Too large' }]);
        answer.writeHead(504, { 'content-type': 'application/json' }).end(JSON.stringify(status));
      },
    ],
  ];
  it.each(expired)('%s makes it read the collection again', async (_, expire) => {
    let reads = 0;
    const one = await against((url, answer) => {
      if (!isStreamingList(url)) return expire(answer);
      answer.writeHead(200).write(line('ADDED', reads++ === 0 ? aNode('a', '1') : aNode('b', '9')));
      answer.write(initialEventsEnd(String(reads * 10)));
      if (reads === 1) answer.end();
    });
    await until('a second read', () => one.lists.length === 2);
    expect(one.items()).toEqual(['b@9']);
    expect(one.ends).toEqual(['ended', 'expired']);
    expect(one.requests[1]?.searchParams.get('resourceVersion')).toBe('10');
  });

  it('of a paged list starts that list over', async () => {
    let attempts = 0;
    const one = await against((url, answer) => {
      if (isStreamingList(url)) return refuse(answer, 422, 'Invalid');
      if (isWatch(url)) return void answer.writeHead(200).flushHeaders();
      if (url.searchParams.has('continue') && attempts++ === 0) return refuse(answer, 410, 'Expired');
      if (url.searchParams.has('continue')) return page(answer, [aNode('b', '2')], '7');
      return page(answer, [aNode('a', '1')], '7', 'more');
    });
    await one.subject.synced;
    expect(one.items()).toEqual(['a@1', 'b@2']);
  });
});

describe('a list that lacks nearly everything that was there', () => {
  const names = Array.from({ length: 20 }, (_, n) => `n${n}`);
  const everything = names.map((name, n) => aNode(name, String(n + 1)));
  /** A reflector that has read twenty Nodes, and then reads lists of only `some` until told to read all. */
  const lacking = async (some: number, doubt: number) => {
    let shown: number | undefined;
    const listed = () => everything.slice(0, shown ?? (one?.lists.length ? some : names.length));
    let one: Awaited<ReturnType<typeof against>> | undefined;
    one = await against(
      (url, answer, number) => {
        if (isStreamingList(url)) {
          answer.writeHead(200);
          for (const node of listed()) answer.write(line('ADDED', node));
          answer.write(initialEventsEnd('30'));
          if (number === 0) answer.end();
          return;
        }
        // The first watch after the first read has expired.
        if (isWatch(url)) return number === 1 ? refuse(answer, 410, 'Expired') : answer.writeHead(200).flushHeaders();
        page(answer, listed(), '40');
      },
      { doubt },
    );
    return {
      one,
      showAll: () => {
        shown = names.length;
      },
    };
  };

  it.each([0, 1])('(%d of 20) is not believed: what was there stays, and is asked for again in pages', async (some) => {
    const { one, showAll } = await lacking(some, 60_000);
    await until('the second list in pages', () => one.requests.filter((url) => !isWatch(url)).length >= 2);
    expect(one.items()).toHaveLength(20);
    expect(String(one.subject.lastError)).toContain(`a list shows ${some} of the 20 nodes that there were`);
    showAll();
    await until('a list that is believed', () => one.lists.length === 2);
    expect(one.items()).toHaveLength(20);
    expect(one.lists).toEqual(['streamed', 'paged']);
  });

  it('is believed when a paged one still says so after a while', async () => {
    const { one } = await lacking(0, 300);
    await until('a list that is believed', () => one.lists.length === 2);
    expect(one.lists).toEqual(['streamed', 'paged']);
    expect(one.items()).toEqual([]);
  });

  it('but not so much is believed at once', async () => {
    const { one } = await lacking(2, 60_000);
    await until('the second list', () => one.lists.length === 2);
    expect(one.items()).toHaveLength(2);
  });
});

describe('a watch', () => {
  const initial = (answer: ServerResponse) => {
    answer.writeHead(200).write(line('ADDED', aNode('a', '1')));
    answer.write(initialEventsEnd('10'));
  };

  it('that the server ends is opened again at once where it was, nine times in a burst', async () => {
    const began = performance.now();
    const one = await against((_, answer, number) => {
      if (number === 0) initial(answer);
      else answer.writeHead(200).write(line('MODIFIED', aNode('a', String(10 + number))));
      if (number < 9) answer.end();
    });
    await until('the tenth watch', () => one.items()[0] === 'a@19');
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(one.requests.slice(1).map((url) => url.searchParams.get('resourceVersion'))).toEqual(
      Array.from({ length: 9 }, (_, i) => String(10 + i)),
    );
    expect(one.lists).toEqual(['streamed']);
  });

  it('that is ended again and again is opened more and more slowly', async () => {
    const one = await against((_, answer, number) => {
      if (number === 0) initial(answer);
      else answer.writeHead(200);
      answer.end();
    });
    const began = performance.now();
    await until('a second', () => performance.now() - began > 1_000);
    // 11 at once, then delays of at least 100, 200, 400, 800 ms.
    expect(one.requests.length).toBeLessThanOrEqual(15);
    expect(String(one.subject.lastError)).toContain('in a row');
  });

  it('goes on from the last bookmark', async () => {
    const one = await against((_, answer, number) => {
      if (number > 0) return void answer.writeHead(200).flushHeaders();
      initial(answer);
      answer.end(line('BOOKMARK', { kind: 'Node', metadata: { resourceVersion: '77' } }));
    });
    await until('the second watch', () => one.requests.length === 2);
    expect(one.requests[1]?.searchParams.get('resourceVersion')).toBe('77');
  });

  it('that stays silent twice in a row makes it read the collection again', async () => {
    const one = await against(
      (url, answer) => {
        if (isStreamingList(url)) return initial(answer);
        answer.writeHead(200).flushHeaders();
      },
      { silence: 300 },
    );
    await until('a second read', () => one.lists.length === 2);
    expect(one.requests.map(isStreamingList)).toEqual([true, false, true]);
  });

  it('survives half a line at the end and goes on where it was', async () => {
    const one = await against((_, answer, number) => {
      if (number > 0) return void answer.writeHead(200).write(line('ADDED', aNode('b', '11')));
      initial(answer);
      answer.end(line('ADDED', aNode('b', '11')).slice(0, 40));
    });
    await until('the event', () => one.items().length === 2);
    expect(one.requests[1]?.searchParams.get('resourceVersion')).toBe('10');
  });

  it('that is told to wait waits as long as it is told', async () => {
    const one = await against((_, answer, number) => {
      if (number > 0) return initial(answer);
      answer.writeHead(429, { 'content-type': 'application/json', 'retry-after': '1' });
      answer.end(JSON.stringify(aStatus(429, 'TooManyRequests')));
    });
    const began = performance.now();
    await one.subject.synced;
    expect(performance.now() - began).toBeGreaterThan(900);
  });

  it('that is forbidden says so, keeps trying with growing delay, and recovers', async () => {
    let allowed = false;
    const one = await against((_, answer) => (allowed ? initial(answer) : refuse(answer, 403, 'Forbidden')));
    await until('some attempts', () => one.requests.length === 3);
    expect(String(one.subject.lastError)).toContain('watch Node: Forbidden on purpose');
    allowed = true;
    await one.subject.synced;
    expect(one.subject.lastError).toBeUndefined();
  });
});
