import { Agent, request } from 'undici';
import type { Access } from '../../../local/access.ts';
import type { Method } from './ground.ts';

/** What a request met with, and when it was sent and answered: ms of performance.now(). */
export interface Timed {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: objects are compared, not computed with
  body: any;
  sent: number;
  answered: number;
}

/** Somebody at one API server, on connections that are kept: a handshake per request would be most of what is measured. */
export interface Kept {
  call(method: Method, path: string, body?: object): Promise<Timed>;
  close(): Promise<void>;
}

/** Longest that a request may take, real ms; a server that is stopped answers nothing. */
const ANSWER_LIMIT = 20_000;

export function kept({ server, certificateAuthority }: Access, token: string): Kept {
  const agent = new Agent({ connect: { ca: certificateAuthority }, allowH2: false, connections: 16 });
  return {
    async call(method, path, body) {
      const sent = performance.now();
      const response = await request(server + path, {
        method,
        dispatcher: agent,
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ANSWER_LIMIT),
      });
      const text = await response.body.text();
      const answered = performance.now();
      return { status: response.statusCode, body: parsed(text), sent, answered };
    },
    close: () => agent.destroy(),
  };
}

/** The text itself when it is no JSON: an API server that starts answers in plain words. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
