import type { FailureReason } from '../../api/v1alpha1/index.ts';
import { ProviderError } from '../provider.ts';

/** What every error of EC2 means to us, and what a person can do about it. */

interface Meaning {
  reason: FailureReason;
  /** Whether the request certainly had no effect. */
  refused: boolean;
  advice: string;
}

const meaning = (reason: FailureReason, advice: string): Meaning => ({ reason, refused: true, advice });

const THROTTLED = meaning('Throttled', 'It is asked again more slowly; nothing needs to be done.');
const ADDRESSES = meaning(
  'AddressesExhausted',
  'Give the GenerationClass another subnet, or remove machines that hold addresses in this one (stopped ones do too).',
);
const CAPACITY = meaning(
  'CapacityUnavailable',
  'The cloud has no such machines in that zone now: it is tried again; a subnet in another zone or another machine type may help.',
);
const SUBNET = meaning(
  'SubnetUnsuitable',
  'Such machines are placed in the other subnets of the GenerationClass. If none of them can have them, add a subnet in another zone, or make a new ClusterGeneration with another machine type.',
);
const QUOTA = meaning('QuotaExceeded', 'Raise the quota at the cloud, or remove machines that use it.');
const CREDENTIALS = meaning(
  'Unauthorized',
  'Check the credentials of the GenerationClass (spec.ec2.credentialsSecretRef, or the role of the operator).',
);
const RIGHTS = meaning('Unauthorized', 'Allow this operation to the role or user of the GenerationClass.');
const TEMPLATE = meaning(
  'InvalidTemplate',
  'Correct the GenerationClass, or make a new ClusterGeneration with a template that names what exists.',
);
const ELSEWHERE = meaning('Unknown', 'Look at the object at the cloud.');
const PROTECTED = meaning(
  'Unknown',
  'Termination or stop protection is on: it has to be lifted for this machine first.',
);
// The token was used before, for something else: this request did nothing, that one may have launched machines.
const TOKEN: Meaning = {
  reason: 'Unknown',
  refused: false,
  advice: 'This token was used for another launch: look for machines with this client token.',
};
const UNCLEAR: Meaning = {
  reason: 'Unknown',
  refused: false,
  advice: 'Whether it had its effect is not known: it is repeated or looked at again.',
};
const UNREACHED: Meaning = {
  reason: 'Unknown',
  refused: false,
  advice:
    'Check spec.ec2.endpoint and spec.ec2.region of the GenerationClass, and the network between; it is tried again.',
};

const MEANINGS: [Meaning, string[]][] = [
  [
    THROTTLED,
    // biome-ignore format: a table
    ['RequestLimitExceeded', 'Throttling', 'ThrottlingException', 'ThrottledException', 'RequestThrottled',
      'RequestThrottledException', 'TooManyRequestsException', 'RequestLimitExceededException', 'SlowDown',
      'BandwidthLimitExceeded', 'EC2ThrottledException', 'PriorRequestNotComplete'],
  ],
  [ADDRESSES, ['InsufficientFreeAddressesInSubnet', 'InsufficientAddressCapacity', 'PrivateIpAddressLimitExceeded']],
  [
    CAPACITY,
    // biome-ignore format: a table
    ['InsufficientInstanceCapacity', 'InsufficientCapacity', 'InsufficientHostCapacity',
      'InsufficientCapacityOnHost', 'InsufficientReservedInstanceCapacity'],
  ],
  [
    QUOTA,
    // biome-ignore format: a table
    ['VcpuLimitExceeded', 'InstanceLimitExceeded', 'VolumeLimitExceeded', 'NetworkInterfaceLimitExceeded',
      'AddressLimitExceeded', 'MaxIOPSLimitExceeded', 'TagLimitExceeded', 'ResourceCountExceeded',
      'MaxSpotInstanceCountExceeded'],
  ],
  [
    CREDENTIALS,
    // biome-ignore format: a table
    ['AuthFailure', 'InvalidClientTokenId', 'SignatureDoesNotMatch', 'IncompleteSignature', 'InvalidSignatureException',
      'MissingAuthenticationToken', 'MissingAuthenticationTokenException', 'UnrecognizedClientException', 'ExpiredToken',
      'ExpiredTokenException', 'RequestExpired', 'InvalidAccessKeyId', 'CredentialsProviderError', 'CredentialsError',
      'TokenProviderError', 'Blocked', 'PendingVerification', 'OptInRequired'],
  ],
  [RIGHTS, ['UnauthorizedOperation', 'AccessDenied', 'AccessDeniedException', 'UnauthorizedAccess', 'NotAuthorized']],
  [
    TEMPLATE,
    // biome-ignore format: a table
    ['InvalidInstanceType', 'Unsupported', 'UnsupportedOperation', 'InvalidParameter', 'InvalidParameterValue',
      'InvalidParameterCombination', 'MissingParameter', 'UnknownParameter', 'InvalidUserData.Malformed',
      'InvalidBlockDeviceMapping', 'InvalidAvailabilityZone', 'VPCIdNotSpecified', 'VPCResourceNotSpecified',
      'NoSuchResourceException'],
  ],
  [PROTECTED, ['OperationNotPermitted']],
  [TOKEN, ['IdempotentParameterMismatch']],
  [UNREACHED, ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'TimeoutError']],
];

const BY_CODE = new Map(MEANINGS.flatMap(([means, codes]) => codes.map((code) => [code, means] as const)));

/** What is said of a launch in one subnet and may well be different in another. Of the class's subnets as such it is said of the class. */
const OF_ITS_SUBNET = [
  'Unsupported',
  'InvalidAvailabilityZone',
  'InvalidSubnetID.NotFound',
  'InvalidSubnetId.NotFound',
];

/** Families of codes: `InvalidAMIID.NotFound`, `.Malformed`, `.Unavailable`, ... */
const TEMPLATE_FAMILIES =
  /^Invalid(AMIID|AllocationID|Group|GroupId|GroupName|KeyPair|LaunchTemplate\w*|NetworkInterfaceID|PlacementGroup|SecurityGroup\w*|Snapshot|SubnetID|SubnetId|IamInstanceProfile\w*)(\.|$)/;

/** Long words of the cloud (an encoded authorisation failure) would not fit into a status. */
const MOST_WORDS = 600;

/** What was asked for, in words that end a sentence: `5 machines in subnet-a`. */
export interface Asked {
  operation: string;
  what: string;
  endpoint: string;
}

/** Turns whatever the SDK throws into a ProviderError. `partial`: a refusal does not mean that nothing happened. */
export function classify(
  error: unknown,
  asked: Asked,
  options: { retryAfter?: number; partial?: boolean } = {},
): ProviderError {
  const code = codeOf(error);
  const means = meaningOf(error, code, asked.operation);
  const asking = `${asked.operation} (${asked.what}) at ${asked.endpoint}`;
  const words = wordsOf(error);
  const refused = means.refused && !(options.partial && means !== THROTTLED && means.reason !== 'Unauthorized');
  return new ProviderError(
    `${asking} ${refused ? 'was refused' : 'failed'}: ${code}${words && words !== code ? `: ${words}` : ''} ${means.advice}`,
    {
      reason: means.reason,
      code,
      refused,
      ...(options.retryAfter !== undefined && { retryAfter: options.retryAfter }),
      cause: error,
    },
  );
}

/** Whether the cloud says that it was asked too often. */
export function isThrottlingAnswer(error: unknown): boolean {
  return BY_CODE.get(codeOf(error)) === THROTTLED;
}

/** An answer that lacks what it must have: it is no answer, least of all an empty one. */
export function incomplete(operation: string, missing: string): ProviderError {
  return new ProviderError(`${operation} answered without ${missing}. It is asked again.`, {
    reason: 'Unknown',
    code: 'IncompleteAnswer',
    refused: false,
  });
}

/** What a spec asks for and the provider cannot do. */
export function invalidTemplate(code: string, message: string): ProviderError {
  return new ProviderError(message, { reason: 'InvalidTemplate', code, refused: true });
}

function meaningOf(error: unknown, code: string, operation: string): Meaning {
  if (operation === 'RunInstances' && OF_ITS_SUBNET.includes(code)) return SUBNET;
  const known = BY_CODE.get(code);
  if (known) return known;
  if (TEMPLATE_FAMILIES.test(code)) return TEMPLATE;
  const status = statusOf(error);
  // The cloud read the request and said no: nothing was done, whatever the code means.
  if (status !== undefined && status >= 400 && status < 500 && status !== 408) return ELSEWHERE;
  return UNCLEAR;
}

/** The cloud's code, or that of the connection (ECONNREFUSED), or of the SDK (TimeoutError). */
function codeOf(thrown: unknown): string {
  const error = unwrapped(thrown);
  if (!(error instanceof Error)) return 'Unknown';
  // Only our own time limit aborts calls.
  if (error.name === 'AbortError') return 'TimeoutError';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  // The SDK names an error `Unknown` when the answer has no code.
  if (error.name === 'Error') return code ?? 'Unknown';
  return error.name === 'Unknown' ? `HTTP${statusOf(error) ?? ''}` : error.name;
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata as { httpStatusCode?: unknown } | undefined;
  return typeof metadata?.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

/** The SDK wraps errors of the connection, and Node the attempts at several addresses of a host. */
function unwrapped(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return unwrapped(error.errors[0]);
  if (error instanceof Error && error.name === 'Error' && error.cause instanceof Error) return unwrapped(error.cause);
  return error;
}

function wordsOf(thrown: unknown): string {
  const error = unwrapped(thrown);
  const aggregated = error instanceof AggregateError ? error.errors[0] : undefined;
  const text =
    aggregated instanceof Error ? aggregated.message : error instanceof Error ? error.message : String(error);
  // The encoded part differs each time and would make a status change for ever.
  const line = text.split(/\n| Encoded authorization failure message/, 1)[0]?.trim() ?? '';
  const words = line.length > MOST_WORDS ? `${line.slice(0, MOST_WORDS)}...` : line;
  return words === '' || /[.!?]$/.test(words) ? words : `${words}.`;
}
