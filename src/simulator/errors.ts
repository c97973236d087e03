/**
 * Every error that the simulated cloud answers with: EC2's own codes, messages and HTTP statuses. Where each is
 * known from, and which are not confirmed, stands in test/simulator/fidelity.json.
 */

/** A request refused, as EC2 says it. `status` is the HTTP status. */
export class Ec2Error extends Error {
  readonly code: string;
  readonly status: number;
  /** Set when a token bucket refused it: which of the two was empty. */
  readonly throttled: 'requests' | 'resources' | undefined;

  constructor(code: string, message: string, status = 400, throttled?: 'requests' | 'resources') {
    super(message);
    this.code = code;
    this.status = status;
    this.throttled = throttled;
  }
}

const refuse = (code: string, message: string, status = 400) => new Ec2Error(code, message, status);

// The request itself
export const authFailure = () =>
  refuse('AuthFailure', 'AWS was not able to validate the provided access credentials', 401);
export const missingAuthentication = () =>
  refuse('MissingAuthenticationToken', 'Request is missing Authentication Token', 403);
export const invalidAction = (action: string) =>
  refuse('InvalidAction', `The action ${action} is not valid for this web service.`);
export const missingParameter = (name: string) =>
  refuse('MissingParameter', `The request must contain the parameter ${name}`);
export const invalidParameterValue = (name: string, value: string) =>
  refuse('InvalidParameterValue', `Value (${value}) for parameter ${name} is invalid.`);
export const parameterValueRefused = (message: string) => refuse('InvalidParameterValue', message);
export const malformedQuery = (name: string) =>
  refuse('MalformedQueryString', `The query string contains a syntax error at ${name}`);
export const parametersExclude = (one: string, other: string) =>
  refuse('InvalidParameterCombination', `The parameter ${one} cannot be used with the parameter ${other}`);
export const parameterCombination = (message: string) => refuse('InvalidParameterCombination', message);
export const notSimulated = (operation: string, name: string) =>
  refuse('UnsupportedOperation', `This simulated cloud does not implement the parameter ${name} of ${operation}.`);
export const invalidFilter = (name: string) => refuse('InvalidParameterValue', `The filter '${name}' is invalid`);
export const filterLimit = (what: string) =>
  refuse('FilterLimitExceeded', `The maximum number of ${what} on a single call has been exceeded.`);
export const dryRun = () => refuse('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412);
export const requestLimitExceeded = (kind: 'requests' | 'resources', account: string, operation: string) =>
  new Ec2Error(
    'RequestLimitExceeded',
    `Request limit exceeded. Account ${account} has been throttled on ec2:${operation} because it exceeded its ${kind === 'requests' ? 'request' : 'resource'} rate limit.`,
    503,
    kind,
  );
export const internalError = (message: string) => refuse('InternalError', message, 500);

// Launching
export const invalidImage = (id: string) => refuse('InvalidAMIID.NotFound', `The image id '[${id}]' does not exist`);
export const subnetNotFound = (id: string) =>
  refuse('InvalidSubnetID.NotFound', `The subnet ID '${id}' does not exist`);
export const instanceTypeRefused = (type: string) =>
  refuse('InvalidParameterValue', `Invalid value '${type}' for InstanceType.`);
export const instanceTypesNotFound = (types: string[]) =>
  refuse('InvalidInstanceType', `The following supplied instance types do not exist: [${types.join(', ')}]`);
export const launchTemplateNotFound = (id: string) =>
  refuse('InvalidLaunchTemplateId.NotFound', `The specified launch template, with template ID ${id}, does not exist.`);
export const launchTemplateNameNotFound = (name: string) =>
  refuse(
    'InvalidLaunchTemplateName.NotFoundException',
    `The specified launch template, with template name ${name}, does not exist.`,
  );
export const launchTemplateVersionNotFound = (version: string, id: string) =>
  refuse(
    'InvalidLaunchTemplateId.VersionNotFound',
    `Could not find the specified version ${version} for the launch template with ID ${id}.`,
  );
export const subnetExhausted = (id: string) =>
  refuse(
    'InsufficientFreeAddressesInSubnet',
    `There are not enough free addresses in subnet '${id}' to satisfy the requested number of instances.`,
  );
export const quotaExceeded = (limit: number) =>
  refuse(
    'VcpuLimitExceeded',
    `You have requested more vCPU capacity than your current vCPU limit of ${limit} allows for the instance bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.`,
  );
export const noCapacity = (type: string, zone: string) =>
  refuse(
    'InsufficientInstanceCapacity',
    `We currently do not have sufficient ${type} capacity in the Availability Zone you requested (${zone}). Our system will be working on provisioning additional capacity.`,
    500,
  );
export const tokenMismatch = () =>
  refuse(
    'IdempotentParameterMismatch',
    'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
  );

// Instances
export const instanceMalformed = (id: string) => refuse('InvalidInstanceID.Malformed', `Invalid id: "${id}"`);
export const instancesNotFound = (ids: string[]) =>
  refuse(
    'InvalidInstanceID.NotFound',
    ids.length === 1
      ? `The instance ID '${ids[0]}' does not exist`
      : `The instance IDs '${ids.join(', ')}' do not exist`,
  );
export const terminationProtected = (id: string) =>
  refuse(
    'OperationNotPermitted',
    `The instance '${id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
  );
export const terminationStopProtected = (id: string) =>
  refuse(
    'OperationNotPermitted',
    `The instance '${id}' may not be terminated. Modify its 'disableApiStop' instance attribute and try again.`,
  );
export const stopProtected = (id: string) =>
  refuse(
    'OperationNotPermitted',
    `The instance '${id}' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.`,
  );
export const wrongState = (id: string, act: 'stopped' | 'started' | 'modified') =>
  refuse('IncorrectInstanceState', `The instance '${id}' is not in a state from which it can be ${act}.`);
export const neverRan = (id: string) =>
  refuse('IncorrectInstanceState', `Instance '${id}' cannot be stopped as it has never reached the 'running' state.`);
export const attributeNeedsStopped = (id: string) =>
  refuse('IncorrectInstanceState', `The instance '${id}' is not in the 'stopped' state.`);

// Tags
export const tagReserved = () =>
  refuse('InvalidParameterValue', "Tag keys starting with 'aws:' are reserved for internal use");
export const tooManyTags = () =>
  refuse('TagLimitExceeded', 'You have reached the maximum number of tags for the resource.');
export const resourceNotFound = (id: string) => refuse('InvalidID', `The ID '${id}' is not valid`);

// Addresses
export const allocationNotFound = (id: string) =>
  refuse('InvalidAllocationID.NotFound', `The allocation ID '${id}' does not exist`);
export const publicAddressNotFound = (ip: string) => refuse('InvalidAddress.NotFound', `Address '${ip}' not found.`);
export const associationNotFound = (id: string) =>
  refuse('InvalidAssociationID.NotFound', `The association ID '${id}' does not exist`);
export const alreadyAssociated = (allocation: string, association: string) =>
  refuse('Resource.AlreadyAssociated', `resource ${allocation} is already associated with associate-id ${association}`);
export const addressInUse = (ip: string) => refuse('InvalidIPAddress.InUse', `Address ${ip} is in use.`);
export const severalInterfaces = (id: string) =>
  refuse(
    'InvalidInstanceID',
    `There are multiple interfaces attached to instance '${id}'. Please specify an interface ID for the operation instead.`,
  );
export const interfaceNotFound = (id: string) =>
  refuse('InvalidNetworkInterfaceID.NotFound', `The networkInterface ID '${id}' does not exist`);
export const instanceUnfit = (id: string, state: string) =>
  refuse('InvalidInstanceID', `The ${state} instance '${id}' is not in a valid state for this operation.`);
