import { describe, expect, it } from '@jest/globals';
import { refusalsIn } from './attempts.ts';

describe('what kubectl prints', () => {
  it('is a refusal by a policy, told by its name and words', () => {
    const stderr = `Error from server (Forbidden): nodes "a" is forbidden: ValidatingAdmissionPolicy 'guard-node' with binding 'guard-node' denied request: Node a cannot be deleted: it is live
Error from server (Forbidden): nodes "b" is forbidden: ValidatingAdmissionPolicy 'guard-node' with binding 'guard-node' denied request: Node b cannot be deleted: it is live
`;
    expect(refusalsIn(stderr)).toEqual([
      '[guard-node] Node a cannot be deleted: it is live',
      '[guard-node] Node b cannot be deleted: it is live',
    ]);
  });

  it('is a refusal by RBAC, or by a rule of the schema', () => {
    expect(
      refusalsIn('Error from server (Forbidden): nodes "a" is forbidden: User "alice" cannot delete it\n'),
    ).toEqual(['[RBAC] nodes "a" is forbidden: User "alice" cannot delete it']);
    expect(refusalsIn('The ClusterGeneration "a" is invalid: <nil>: Invalid value: it may not shrink\n')).toEqual([
      '[schema] ClusterGeneration "a": it may not shrink',
    ]);
  });

  it('is told of by a drain in two ways, and repeated at its end', () => {
    const denied = (what: string, words: string) =>
      `${what} is forbidden: ValidatingAdmissionPolicy 'guard' with binding 'guard' denied request: ${words}`;
    const stderr = [
      `error: unable to cordon node "a": ${denied('nodes "a"', 'Node a cannot be cordoned')}`,
      'evicting pod edge/web-1',
      `error when evicting pods/"web-1" -n "edge" : ${denied('pods "web-1"', 'Pod web-1 cannot be evicted')}`,
      `There are pending nodes to be drained: ${denied('pods "web-1"', 'Pod web-1 cannot be evicted')}`,
    ].join('\n');
    expect(refusalsIn(stderr)).toEqual(['[guard] Node a cannot be cordoned', '[guard] Pod web-1 cannot be evicted']);
  });

  it('is none when something else went wrong: that did not protect anything', () => {
    const stderr = 'Unable to connect to the server: EOF\nError from server (NotFound): nodes "a" not found\n';
    expect(refusalsIn(stderr)).toEqual([]);
  });
});
