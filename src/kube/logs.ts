import { stripVTControlCharacters } from 'node:util';
import type { KubeClient } from './client.ts';
import { lineSplitter } from './lines.ts';
import { pods } from './resources.ts';

/** Longest wait for a log, real ms: the API server asks the kubelet, which may be gone. */
const TIMEOUT = 5_000;
/** Of one line no more is kept, characters. */
const WIDTH = 200;

/**
 * The last lines of a container's log, oldest first, without colours and control characters; empty ones are left out.
 * Throws ApiError: when the container never ran, its pod is gone, or its kubelet does not answer.
 */
export async function lastLines(
  client: KubeClient,
  { namespace, name, container }: { namespace: string; name: string; container: string },
  count: number,
): Promise<string[]> {
  const lines: string[] = [];
  const keep = (line: string) => {
    const text = plain(line);
    if (text === '') return;
    lines.push(text);
    if (lines.length > count) lines.shift();
  };
  const split = lineSplitter(keep);
  await client.transport.stream({
    resource: pods,
    target: { namespace, name, subresource: 'log' },
    query: { container, tailLines: String(count) },
    silenceMs: TIMEOUT,
    signal: AbortSignal.timeout(TIMEOUT),
    onOpen: () => {},
    onData: split,
  });
  // The last line of a program that was ended may have no end of its own.
  split(Buffer.from('\n'));
  return lines;
}

/** For a status and a terminal: what moves a cursor or rings a bell is taken out. */
const plain = (line: string): string =>
  stripVTControlCharacters(line)
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, WIDTH);
