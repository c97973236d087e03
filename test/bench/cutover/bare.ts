import { randomUUID } from 'node:crypto';
import { Agent, request } from 'undici';
import type { Passed } from '../../sweep/proxy.ts';
import { changeOf } from '../../sweep/writes.ts';

/**
 * Makes calls again that the operator has made, and nothing else: no decision, no waiting. Reads are the same; writes are the same too,
 * but to twins of the objects, so that each changes something again.
 */

/** The twin of an object, and its name in a URL. */
export const twinOf = (name: string): string => `bare-${name}`;

/** Kinds whose objects have twins. */
const TWINS = ['platforms', 'clustergenerations', 'cutovers', 'services'];

interface Call extends Pick<Passed, 'at' | 'method' | 'url' | 'body' | 'headers' | 'status'> {
  /** The object that a write is to, by its URL without a subresource: its versions follow one another. */
  object?: string;
}

export interface BareResult {
  calls: number;
  /** Real ms. */
  ms: number;
  /** Answers other than the operator had, by what was asked and the status: they cost less than the call they stand for. */
  refused: Record<string, number>;
}

/** The calls as they will be made. */
export function bareCalls(passed: readonly Passed[]): Call[] {
  return passed.map(({ at, method, url, body, headers, status: answered }) => {
    const call = { at, method, url, body, headers, status: answered };
    if (changeOf(call) === undefined || at === 'cloud') return call;
    const [, before, plural = '', name, rest = ''] =
      /^(.*\/)([a-z]+)\/([^/?]+)(.*)$/.exec(url.replace(/\/status(?=$|\?)/, '#status')) ?? [];
    if (!TWINS.includes(plural) || !before || !name) return call;
    const [plain = '', status] = name.split('#');
    const object = `${before}${plural}/${twinOf(plain)}`;
    return { ...call, object, url: `${object}${status ? '/status' : ''}${rest}` };
  });
}

/**
 * @param servers where the operator had sent them
 * @param parallel calls under way at once, those to one object one after the other; 1: all in their order
 */
export async function makeCalls(
  calls: readonly Call[],
  servers: Record<Passed['at'], string>,
  parallel: number,
): Promise<BareResult> {
  const agent = new Agent({ allowH2: false, connections: parallel });
  const refused: BareResult['refused'] = {};
  /** Each twin as it was last answered. */
  const known = new Map<string, string>();
  const ask = async (url: string, options: Parameters<typeof request>[1] = {}) => {
    const answer = await request(url, { ...options, dispatcher: agent });
    return { status: answer.statusCode, text: await answer.body.text() };
  };
  const send = async ({ at, method, url, headers, object, status, body: text }: Call): Promise<void> => {
    const { host: _, connection: __, 'content-length': ___, 'transfer-encoding': ____, ...kept } = headers;
    const base = servers[at];
    const isEvent = kindOf({ at, method, url, body: text }) === 'POST events';
    const body = object ? asTwin(text, method, known.get(object) ?? '') : isEvent ? renamed(text) : text;
    const answer = await ask(base + url, { method: method as 'PUT', headers: kept, ...(body && { body }) });
    if (answer.status > 299 && answer.status !== status) {
      const what = `${answer.status} ${kindOf({ at, method, url, body: text })}`;
      refused[what] = (refused[what] ?? 0) + 1;
    }
    if (answer.status <= 299 && object && method === 'PUT') known.set(object, answer.text);
  };
  for (const { at, object, headers } of calls)
    if (object && !known.has(object))
      known.set(object, (await ask(servers[at] + object, { headers: { authorization: headers.authorization } })).text);
  const chains = parallel === 1 ? [[...calls]] : chained(calls);
  const began = performance.now();
  const work = async () => {
    for (let chain = chains.shift(); chain; chain = chains.shift()) for (const call of chain) await send(call);
  };
  await Promise.all(Array.from({ length: parallel }, work));
  const ms = performance.now() - began;
  await agent.close();
  return { calls: calls.length, ms, refused };
}

/** An Event is made once: the same one again needs a name of its own. */
function renamed(body: string): string {
  const event = JSON.parse(body) as { metadata: { name: string } };
  return JSON.stringify({ ...event, metadata: { ...event.metadata, name: `${event.metadata.name}.${randomUUID()}` } });
}

/** `GET pods`, `PUT cutovers/status`, `CreateTags`. */
export function kindOf({ at, method, url, body }: Pick<Call, 'at' | 'method' | 'url' | 'body'>): string {
  if (at === 'cloud') return new URLSearchParams(body).get('Action') ?? 'Service Quotas';
  const parts = new URL(url, 'http://api').pathname.split('/').slice(url.startsWith('/api/') ? 3 : 4);
  const [plural = '', , subresource] = parts[0] === 'namespaces' && parts.length > 2 ? parts.slice(2) : parts;
  return `${method} ${plural}${subresource ? `/${subresource}` : ''}`;
}

/** Calls to one object in one chain, any other by itself. */
function chained(calls: readonly Call[]): Call[][] {
  const chains = new Map<string, Call[]>();
  calls.forEach((call, n) => {
    const key = call.object ?? `${n}`;
    chains.set(key, [...(chains.get(key) ?? []), call]);
  });
  return [...chains.values()];
}

/** The body of a write as one to its twin: the twin's own identity, everything else as it was. */
function asTwin(body: string, method: string, twin: string): string {
  const { metadata } = JSON.parse(twin) as { metadata: { name: string; namespace?: string } };
  const written = JSON.parse(body) as { metadata: { labels?: object; finalizers?: string[] } };
  const { labels, finalizers } = written.metadata;
  const { name, namespace } = metadata;
  const own = method === 'PUT' ? { ...metadata, finalizers } : { name, namespace, labels };
  return JSON.stringify({ ...written, metadata: own });
}
