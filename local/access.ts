import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import type { IdentityName } from './identities.ts';

/** All that a program needs to talk to a local control plane. Plain data: it goes through a file to other processes. */
export interface Access {
  /** Where its logs, kubeconfigs and data are. */
  directory: string;
  /** `https://127.0.0.1:<port>`. */
  server: string;
  /** PEM. */
  certificateAuthority: string;
  tokens: Record<IdentityName, string>;
  /** Path of everyone's kubeconfig. */
  kubeconfigs: Record<IdentityName, string>;
  /** Paths of the clients that belong to this server. */
  programs: { kubectl: string; helm: string };
}

export const accessFileName = 'access.json';

/** Reads what a control plane in this directory wrote about itself. */
export async function readAccess(directory: string): Promise<Access> {
  return JSON.parse(await readFile(join(directory, accessFileName), 'utf8')) as Access;
}

export interface Answer {
  status: number;
  /** The parsed JSON body, or the text when it is not JSON. */
  body: unknown;
}

/**
 * One bare request to the API server in somebody's name, for setting up and for looking from outside: it shares nothing with the
 * operator's own client. Ten seconds at most.
 */
export async function callApi(
  access: Access,
  who: IdentityName,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT',
  path: string,
  options: { body?: unknown; contentType?: string } = {},
): Promise<Answer> {
  const agent = new Agent({ connect: { ca: access.certificateAuthority }, allowH2: false });
  try {
    const response = await request(access.server + path, {
      method,
      dispatcher: agent,
      headers: {
        authorization: `Bearer ${access.tokens[who]}`,
        accept: 'application/json',
        'content-type': options.contentType ?? 'application/json',
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.body.text();
    return { status: response.statusCode, body: parse(text) };
  } finally {
    await agent.destroy();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
