import { describe, expect, it } from '@jest/globals';
import { gotNoAnswer } from './stage.ts';

const said = (stderr: string, status = 1) => gotNoAnswer({ status, stdout: '', stderr });

describe('a command of kubectl', () => {
  it.each([
    'Unable to connect to the server: net/http: TLS handshake timeout',
    'The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port? (connection refused)',
    'Error from server: etcdserver: request timed out',
    'Error from server (TooManyRequests): the server has received too many requests',
    'Error from server (InternalError): Internal error occurred: failed calling webhook "nodes.generations.dev": connect: connection refused',
  ])('is given again when nobody has decided: %s', (words) => expect(said(words)).toBe(true));

  it.each([
    `Error from server (Forbidden): clustergenerations.generations.dev "a" is forbidden: ValidatingAdmissionPolicy 'generations-guard-state' denied`,
    'Error from server (NotFound): clustergenerations.generations.dev "a" not found',
  ])('is not when somebody has: %s', (words) => expect(said(words)).toBe(false));

  it('is not when it was done, whatever was said on the way', () => expect(said('timed out', 0)).toBe(false));
});
