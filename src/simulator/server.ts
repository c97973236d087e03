import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Cloud } from './cloud.ts';
import { control } from './control/control.ts';
import type { Ec2Error } from './errors.ts';
import { type Outcome, performEc2, performQuota } from './perform.ts';
import { accessKeyId } from './wire/signature.ts';
import { answerXml, errorXml } from './wire/xml.ts';

/** No request that EC2 takes is larger; user data, the largest part, is limited to 16 KB. */
const LARGEST_BODY = 1_000_000;

/** The HTTP server of a cloud, not yet listening. EC2 and Service Quotas on POST `/`, the control API beside it. */
export function createHttpServer(cloud: Cloud): Server {
  const server = createServer((request, response) => {
    answer(cloud, request, response).catch((error: unknown) => {
      cloud.log.error('a request could not be answered', { error: String(error) });
      response.destroy();
    });
  });
  // A client that was left hanging holds its connection for as long as it likes.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 60_000;
  return server;
}

async function answer(cloud: Cloud, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://cloud');
  const body = await read(request);
  if (body === undefined) {
    response.writeHead(413, { connection: 'close' }).end();
    return;
  }
  if (url.pathname !== '/') {
    const { status, body: value } = control(cloud, request.method ?? 'GET', url, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    return;
  }
  const target = request.headers['x-amz-target'];
  const signature = (form: URLSearchParams) => ({ accessKeyId: accessKeyId(request.headers.authorization, form) });
  if (typeof target === 'string') return answerQuota(cloud, target, signature(url.searchParams), body, response);
  const form = new URLSearchParams(request.method === 'POST' ? body : url.searchParams);
  const outcome = performEc2(cloud, signature(form), form);
  const { call, result } = outcome;
  await deliver(cloud, outcome, response, (status) => {
    const xml =
      'answer' in result
        ? answerXml(call.operation, call.requestId, result.answer)
        : errorXml(result.error, call.requestId);
    response
      .writeHead(status, { 'content-type': 'text/xml;charset=UTF-8', 'x-amzn-requestid': call.requestId })
      .end(xml);
  });
}

async function answerQuota(
  cloud: Cloud,
  target: string,
  credentials: { accessKeyId: string | undefined },
  body: string,
  response: ServerResponse,
): Promise<void> {
  const json = (status: number, requestId: string, value: object) =>
    response
      .writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': requestId })
      .end(JSON.stringify(value));
  const input = parse(body);
  if (target !== 'ServiceQuotasV20190624.GetServiceQuota' || !input) {
    const type = input ? 'UnknownOperationException' : 'SerializationException';
    json(400, '', { __type: type });
    return;
  }
  const outcome = performQuota(cloud, credentials, input);
  const { call, result } = outcome;
  await deliver(cloud, outcome, response, () => {
    if ('answer' in result && 'body' in result.answer) return json(200, call.requestId, result.answer.body);
    const error = 'error' in result ? quotaError(result.error) : { code: 'ServiceException', message: '' };
    return json(400, call.requestId, { __type: error.code, message: error.message });
  });
}

/** Service Quotas has other names than EC2 for the same refusals. */
function quotaError({ code, message }: Ec2Error): { code: string; message: string } {
  if (code === 'RequestLimitExceeded') return { code: 'TooManyRequestsException', message };
  if (code === 'AuthFailure') {
    return { code: 'UnrecognizedClientException', message: 'The security token included in the request is invalid.' };
  }
  if (code === 'MissingAuthenticationToken') return { code: 'MissingAuthenticationTokenException', message };
  return { code, message };
}

/** Sends an answer, or does to it what the faults say. */
async function deliver<T>(
  cloud: Cloud,
  { call, delivery }: Outcome<T>,
  response: ServerResponse,
  send: (status: number) => unknown,
): Promise<void> {
  if (delivery.hang) return;
  if (delivery.delayMs > 0 && !(await waited(cloud, delivery.delayMs, response))) return;
  if (delivery.drop) response.destroy();
  else send(call.status);
}

/** Lets real ms pass; false when the client has gone meanwhile. */
async function waited(cloud: Cloud, ms: number, response: ServerResponse): Promise<boolean> {
  const gone = new AbortController();
  const onClose = () => gone.abort();
  response.once('close', onClose);
  try {
    await cloud.clock.sleep(ms, gone.signal);
    return true;
  } catch {
    return false;
  } finally {
    response.off('close', onClose);
  }
}

async function read(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LARGEST_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parse(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body || '{}');
    return value && typeof value === 'object' && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
