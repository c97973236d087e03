import { describe, expect, it } from '@jest/globals';
import { keyOf, pathOf, splitKey } from './resource.ts';
import { leases, nodes, secrets } from './resources.ts';

describe('paths', () => {
  it.each([
    [pathOf(nodes), '/api/v1/nodes'],
    [pathOf(nodes, { name: 'a', subresource: 'status' }), '/api/v1/nodes/a/status'],
    [pathOf(secrets), '/api/v1/secrets'],
    [pathOf(secrets, { namespace: 'x', name: 'y' }), '/api/v1/namespaces/x/secrets/y'],
    [pathOf(leases, { namespace: 'x' }), '/apis/coordination.k8s.io/v1/namespaces/x/leases'],
    [pathOf(nodes, { name: '../secrets' }), '/api/v1/nodes/..%2Fsecrets'],
  ])('%s', (path, expected) => {
    expect(path).toBe(expected);
  });

  it.each([
    [() => pathOf(secrets, { name: 'y' }), 'Secret y is namespaced, but no namespace was given'],
    [() => pathOf(nodes, { namespace: 'x', name: 'y' }), 'Node y is cluster-scoped, but namespace x was given'],
    [() => pathOf(nodes, { name: '' }), 'Node has an empty name'],
  ])('refuse what would name something else', (make, message) => {
    expect(make).toThrow(message);
  });
});

describe('keys', () => {
  it.each(['node-1', 'namespace/name'])('%s comes apart and together', (key) => {
    expect(keyOf({ metadata: splitKey(key) })).toBe(key);
  });
});
