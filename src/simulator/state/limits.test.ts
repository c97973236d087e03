import { describe, expect, it } from '@jest/globals';
import { manualClock } from '../../runtime/clock.ts';
import { Limits, sizesOf } from './limits.ts';

describe('the limits of the API', () => {
  it("are EC2's own by default", () => {
    expect(sizesOf('RunInstances', false)).toEqual({
      requestBurst: 5,
      requestsPerSecond: 2,
      resourceBurst: 1000,
      resourcesPerSecond: 2,
    });
    expect(sizesOf('DescribeInstances', false)).toEqual({ requestBurst: 100, requestsPerSecond: 20 });
    expect(sizesOf('DescribeInstances', true)).toEqual({ requestBurst: 50, requestsPerSecond: 10 });
    expect(sizesOf('ModifyInstanceAttribute', false)).toEqual({ requestBurst: 50, requestsPerSecond: 5 });
  });

  it('are overridden field by field', () => {
    expect(sizesOf('RunInstances', false, { resourceBurst: 10 })).toMatchObject({ requestBurst: 5, resourceBurst: 10 });
  });

  it('are separate per operation, and for Describe calls that ask for everything', () => {
    const limits = new Limits({ DescribeInstances: { requestBurst: 1 } }, manualClock(), '123456789012');
    limits.takeRequest('DescribeInstances', true);
    expect(() => limits.takeRequest('DescribeInstances', true)).toThrow(
      'Request limit exceeded. Account 123456789012 has been throttled on ec2:DescribeInstances because it exceeded its request rate limit.',
    );
    limits.takeRequest('DescribeInstances', false);
    limits.takeRequest('DescribeSubnets', true);
  });

  it('say which of the two buckets was empty', () => {
    const limits = new Limits({ RunInstances: { requestBurst: 1, resourceBurst: 3 } }, manualClock(), '123456789012');
    limits.takeRequest('RunInstances', false);
    expect(() => limits.takeRequest('RunInstances', false)).toThrow(
      expect.objectContaining({ code: 'RequestLimitExceeded', status: 503, throttled: 'requests' }),
    );
    limits.takeResources('RunInstances', 3);
    expect(() => limits.takeResources('RunInstances', 1)).toThrow('exceeded its resource rate limit');
  });
});
