import { describe, expect, it } from '@jest/globals';
import * as errors from './errors.ts';

const aStatus = (code: number, reason: string, details?: object) =>
  JSON.stringify({ kind: 'Status', code, reason, message: 'because', details });

describe('errors from answers', () => {
  it('carry what the API server says', () => {
    const details = { causes: [{ field: 'spec.x', reason: 'FieldValueInvalid' }], retryAfterSeconds: 3 };
    const error = errors.errorFrom(422, aStatus(422, 'Invalid', details), 'create Node');
    expect(error).toMatchObject({
      status: 422,
      reason: 'Invalid',
      message: 'create Node: because',
      retryAfterSeconds: 3,
    });
    expect(error.causes[0]?.field).toBe('spec.x');
    expect(errors.isInvalid(error)).toBe(true);
  });

  it('cope with answers that are no Status, as proxies send them', () => {
    const error = errors.errorFrom(503, '<html>busy</html>', 'list Node', '7');
    expect(error).toMatchObject({ status: 503, reason: 'Http503', retryAfterSeconds: 7 });
    expect(error.message).toBe('list Node: HTTP 503 <html>busy</html>');
    expect(errors.errorFrom(429, '', 'list Node', 'Wed, 21 Oct 2026 07:28:00 GMT').retryAfterSeconds).toBeUndefined();
  });

  it('tell a conflict from a name that is taken', () => {
    const conflict = errors.errorFrom(409, aStatus(409, 'Conflict'), 'x');
    const taken = errors.errorFrom(409, aStatus(409, 'AlreadyExists'), 'x');
    expect([errors.isConflict(conflict), errors.isAlreadyExists(conflict)]).toEqual([true, false]);
    expect([errors.isConflict(taken), errors.isAlreadyExists(taken)]).toEqual([false, true]);
  });
});

describe('requests without an answer', () => {
  it('name the lowest cause', () => {
    const error = errors.unreachable(
      new Error('fetch failed', { cause: new AggregateError([new Error('ECONNREFUSED ::1'), new Error('other')]) }),
      'get Node a',
    );
    expect(error.message).toBe('get Node a: no answer: ECONNREFUSED ::1');
    expect(errors.isUnreachable(error)).toBe(true);
    expect(errors.isServerError(error)).toBe(false);
  });
});

it('predicates say no to what is no ApiError', () => {
  for (const predicate of [errors.isNotFound, errors.isConflict, errors.isUnreachable])
    expect([predicate(new Error('x')), predicate(undefined), predicate({ status: 404 })]).toEqual([
      false,
      false,
      false,
    ]);
});
