import { describe, expect, it } from '@jest/globals';
import type { EndpointSlice } from '../../src/kube/resources.ts';
import { readyNodes } from './websites.ts';

describe('a look at the websites', () => {
  it('counts the endpoints of all slices that take traffic', () => {
    const slices = [
      {
        endpoints: [
          { nodeName: 'a', conditions: { ready: true } },
          { nodeName: 'b', conditions: { ready: false } },
        ],
      },
      { endpoints: [{ nodeName: 'c' }] },
      {},
    ] as EndpointSlice[];
    expect(readyNodes(slices)).toEqual(['a', 'c']);
    expect(readyNodes([])).toEqual([]);
  });
});
