import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../../kube/errors.ts';
import { judge } from './judge.ts';

const answer = (status: number, message: string) => new ApiError({ status, reason: 'Tested', message });
const policy = (what: string) =>
  `delete: platforms "us" is forbidden: ValidatingAdmissionPolicy 'generations-guard-${what}' with binding 'generations-guard-${what}' denied request: it protects blue`;

describe('an act that must be refused', () => {
  it('and is, by a policy of ours, is Denied', () =>
    expect(judge(answer(403, policy('platform')))).toEqual({
      outcome: 'Denied',
      policy: 'generations-guard-platform',
    }));

  it('and is accepted is a Hole', () => expect(judge(undefined)).toEqual({ outcome: 'Hole' }));

  it.each([
    ['RBAC', 403, 'platforms "us" is forbidden: User "operator" cannot delete resource "platforms"'],
    ['a policy of somebody else', 403, "ValidatingAdmissionPolicy 'their-guard' denied request: no"],
    ['a webhook', 403, 'admission webhook "x.example.com" denied the request: generations-guard-platform'],
    ['the schema', 422, 'spec is invalid'],
    [
      'a webhook that is down',
      500,
      'Internal error occurred: failed calling webhook "x.example.com": no route to host',
    ],
  ])('and is refused by %s says nothing of our policies', (_, status, message) =>
    expect(judge(answer(status, message))).toMatchObject({ outcome: 'Skipped', stale: false }),
  );

  it.each([404, 409])('on something that is not as it was (%d) came too late', (status) =>
    expect(judge(answer(status, 'changed'))).toMatchObject({ outcome: 'Skipped', stale: true }),
  );

  it.each([0, 400, 401, 429, 500, 503])('with %d for an answer has none', (status) =>
    expect(judge(answer(status, 'no'))).toEqual({ outcome: 'Unanswered', reason: 'no' }),
  );

  it('and is refused by a policy that cannot be evaluated proves nothing', () =>
    expect(judge(answer(422, `${policy('pool')}: failed to configure binding`))).toMatchObject({
      outcome: 'Unanswered',
    }));

  it.each([
    `create Pod a/b: policy 'generations-placement' with binding 'generations-placement' denied request: no such key: live`,
    'create Pod a/b: policy "generations-placement" denied request: failed to configure policy: failed to find resource',
  ])('and is refused by a mutating policy that cannot be evaluated proves nothing either', (message) =>
    expect(judge(answer(403, message))).toMatchObject({ outcome: 'Unanswered' }),
  );

  it('and ends in a mistake of ours throws', () => expect(() => judge(new TypeError('x'))).toThrow('x'));
});
