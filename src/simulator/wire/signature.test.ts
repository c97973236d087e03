import { describe, expect, it } from '@jest/globals';
import { accessKeyId } from './signature.ts';

const none = new URLSearchParams();

describe('the access key of a request', () => {
  it('comes from the Authorization header', () => {
    const header =
      'AWS4-HMAC-SHA256 Credential=AKIA1/20261124/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=00';
    expect(accessKeyId(header, none)).toBe('AKIA1');
  });

  it('or from a presigned request', () => {
    expect(
      accessKeyId(undefined, new URLSearchParams('X-Amz-Credential=AKIA2/20261124/us-east-1/ec2/aws4_request')),
    ).toBe('AKIA2');
  });

  it('is not there when the request is not signed', () => {
    expect(accessKeyId(undefined, none)).toBeUndefined();
    expect(accessKeyId('Bearer abc', none)).toBeUndefined();
  });
});
