import { describe, expect, it } from '@jest/globals';
import { ProviderError } from '../provider.ts';
import { classify, isThrottlingAnswer } from './errors.ts';

const asked = { operation: 'RunInstances', what: '5 machines in subnet-a', endpoint: 'AWS in us-east-1' };

/** An error as the SDK throws it. */
const sdkError = (name: string, status?: number, message = `${name} it is.`) =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });

describe('an error of EC2', () => {
  it.each([
    ['RequestLimitExceeded', 503, 'Throttled', true],
    ['ThrottlingException', 400, 'Throttled', true],
    ['TooManyRequestsException', 429, 'Throttled', true],
    ['InsufficientFreeAddressesInSubnet', 400, 'AddressesExhausted', true],
    ['InsufficientInstanceCapacity', 500, 'CapacityUnavailable', true],
    ['VcpuLimitExceeded', 400, 'QuotaExceeded', true],
    ['InstanceLimitExceeded', 400, 'QuotaExceeded', true],
    ['AuthFailure', 401, 'Unauthorized', true],
    ['UnauthorizedOperation', 403, 'Unauthorized', true],
    ['InvalidClientTokenId', 403, 'Unauthorized', true],
    ['CredentialsProviderError', undefined, 'Unauthorized', true],
    ['InvalidAMIID.NotFound', 400, 'InvalidTemplate', true],
    ['InvalidAMIID.Malformed', 400, 'InvalidTemplate', true],
    ['InvalidLaunchTemplateId.VersionNotFound', 400, 'InvalidTemplate', true],
    ['InvalidLaunchTemplateName.NotFoundException', 400, 'InvalidTemplate', true],
    ['InvalidSubnetID.NotFound', 400, 'SubnetUnsuitable', true],
    ['InvalidGroup.NotFound', 400, 'InvalidTemplate', true],
    ['InvalidInstanceType', 400, 'InvalidTemplate', true],
    ['Unsupported', 400, 'SubnetUnsuitable', true],
    ['OperationNotPermitted', 400, 'Unknown', true],
    ['InvalidInstanceID.NotFound', 400, 'Unknown', true],
    ['SomethingNew', 400, 'Unknown', true],
    ['IdempotentParameterMismatch', 400, 'Unknown', false],
    ['InternalError', 500, 'Unknown', false],
    ['Unavailable', 503, 'Unknown', false],
    ['Unknown', 503, 'Unknown', false],
    ['TimeoutError', undefined, 'Unknown', false],
    ['AbortError', undefined, 'Unknown', false],
    ['SyntaxError', 200, 'Unknown', false],
  ])('%s (HTTP %s) means %s, refused: %s', (code, status, reason, refused) => {
    const error = classify(sdkError(code, status), asked);
    expect(error).toBeInstanceOf(ProviderError);
    expect({ reason: error.reason, refused: error.refused }).toEqual({ reason, refused });
  });

  it('speaks of the class where no launch was asked for', () => {
    const describing = { ...asked, operation: 'DescribeSubnets' };
    expect(classify(sdkError('InvalidSubnetID.NotFound', 400), describing).reason).toBe('InvalidTemplate');
  });

  it.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPIPE'])(
    'of the connection (%s) may have had its effect',
    (code) => {
      const error = classify(Object.assign(new Error(`connect ${code} 127.0.0.1:9`), { code }), asked);
      expect(error).toMatchObject({ reason: 'Unknown', code, refused: false });
    },
  );

  it('of all addresses of a host is told by its first', () => {
    const each = ['::1', '127.0.0.1'].map((ip) =>
      Object.assign(new Error(`connect ECONNREFUSED ${ip}:9`), { code: 'ECONNREFUSED' }),
    );
    const error = classify(new AggregateError(each), asked);
    expect(error.code).toBe('ECONNREFUSED');
    expect(error.message).toContain('connect ECONNREFUSED ::1:9.');
  });

  it('says what was asked, what the cloud said and what to do, in one line', () => {
    const error = classify(
      sdkError('VcpuLimitExceeded', 400, 'You have requested more vCPU capacity than your limit of 8\nmore'),
      asked,
    );
    expect(error.message).toBe(
      'RunInstances (5 machines in subnet-a) at AWS in us-east-1 was refused: VcpuLimitExceeded: ' +
        'You have requested more vCPU capacity than your limit of 8. Raise the quota at the cloud, or remove machines that use it.',
    );
  });

  it('fits into a status and stays the same from one time to the next', () => {
    const encoded = (text: string) =>
      `You are not authorized to perform this operation. Encoded authorization failure message: ${text.repeat(2000)}`;
    const [one, two] = ['a', 'b'].map(
      (text) => classify(sdkError('UnauthorizedOperation', 403, encoded(text)), asked).message,
    );
    expect(one).toBe(two);
    expect(classify(sdkError('SomethingNew', 400, 'x'.repeat(5000)), asked).message.length).toBeLessThan(1024);
  });

  it('keeps the original as its cause', () => {
    const cause = sdkError('AuthFailure', 401);
    expect(classify(cause, asked).cause).toBe(cause);
  });

  it('to a batch that may be half done does not say that nothing happened, unless it was never looked at', () => {
    const partial = (code: string, status: number) =>
      classify(sdkError(code, status), asked, { partial: true }).refused;
    expect(partial('OperationNotPermitted', 400)).toBe(false);
    expect(partial('RequestLimitExceeded', 503)).toBe(true);
    expect(partial('UnauthorizedOperation', 403)).toBe(true);
  });

  it('that is not even an Error is Unknown', () => {
    expect(classify('what?', asked)).toMatchObject({ reason: 'Unknown', code: 'Unknown', refused: false });
    expect(isThrottlingAnswer(undefined)).toBe(false);
  });
});
