import type { Filter, Instance } from '@aws-sdk/client-ec2';
import type { Machine, MachineState, PrimaryInterface, Priority } from '../provider.ts';
import type { Client } from './client.ts';
import { incomplete } from './errors.ts';

/** Machines as DescribeInstances shows them: every page, or an error. A short answer must never look like a small cloud. */

/** EC2 gives up to 1000 on a page. Half of it keeps an answer, some MB of XML, well within the time limit of a call. */
const PAGE = 500;

/** Beyond it something is wrong with the cloud's paging: a quarter of a million machines. */
const MOST_PAGES = 500;

const STATES: readonly MachineState[] = ['pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated'];

/** EC2's most in the values of one filter. */
const IDS_AT_ONCE = 200;

/** All instances that pass the filters. Throws ProviderError when any page fails. */
export async function describeInstances(
  client: Client,
  filters: Filter[],
  what: string,
  priority: Priority,
): Promise<Instance[]> {
  const found: Instance[] = [];
  const seen = new Set<string>();
  let token: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer = await client.send(
      'DescribeInstances',
      { Filters: filters, MaxResults: PAGE, ...(token !== undefined && { NextToken: token }) },
      { priority, what },
    );
    if (!answer.Reservations) throw incomplete('DescribeInstances', 'a list of reservations');
    for (const { Instances } of answer.Reservations) {
      if (!Instances) throw incomplete('DescribeInstances', 'the instances of a reservation');
      found.push(...Instances);
    }
    token = answer.NextToken || undefined;
    if (token === undefined) return found;
    if (seen.has(token)) break;
    seen.add(token);
  }
  throw incomplete('DescribeInstances', 'a last page');
}

/** All machines with the tag `key` = `value`, in every state that the cloud still shows. */
export async function observeTagged(client: Client, key: string, value: string): Promise<Machine[]> {
  const filters = [{ Name: `tag:${key}`, Values: [value] }];
  const machines = (await describeInstances(client, filters, `machines with tag ${key}=${value}`, 'recovery')).map(
    toMachine,
  );
  const stranger = machines.find((machine) => machine.tags[key] !== value);
  if (stranger) throw incomplete('DescribeInstances', `the tag ${key}=${value} on ${stranger.id}`);
  return machines;
}

/** These machines as the cloud shows them now; one that it does not know is left out. */
export async function findMachines(client: Client, ids: readonly string[]): Promise<Machine[]> {
  const machines: Machine[] = [];
  for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
    const asked = ids.slice(from, from + IDS_AT_ONCE);
    // By filter: one id that the cloud has forgotten would fail a request by ids as a whole.
    const filters = [{ Name: 'instance-id', Values: asked }];
    const what = asked.length === 1 ? `machine ${asked[0]}` : `${asked.length} machines by id`;
    const found = (await describeInstances(client, filters, what, 'recovery')).map(toMachine);
    const stranger = found.find((machine) => !asked.includes(machine.id));
    if (stranger) throw incomplete('DescribeInstances', `the filter by id: ${stranger.id} was not asked for`);
    machines.push(...found);
  }
  return machines;
}

/** Throws ProviderError when a member is missing without which nothing can be decided about the machine. */
export function toMachine(instance: Instance): Machine {
  const { InstanceId: id, State, InstanceType: type, LaunchTime, Placement } = instance;
  const state = STATES.find((one) => one === State?.Name);
  const zone = Placement?.AvailabilityZone;
  if (!id || !state || !type || !zone || !LaunchTime) {
    const missing = !id ? 'an id' : !state ? 'a state' : !type ? 'a type' : !zone ? 'a zone' : 'a launch time';
    throw incomplete('DescribeInstances', `${missing} of instance ${id ?? '(without id)'}`);
  }
  const primary = primaryOf(instance);
  const ended = state === 'shutting-down' || state === 'terminated' ? reasonOf(instance) : undefined;
  return {
    id,
    state,
    type,
    // A terminated instance has lost its network interface, and with it its subnet.
    subnet: instance.SubnetId ?? '',
    zone,
    providerID: `aws:///${zone}/${id}`,
    launchTime: LaunchTime.getTime(),
    ...(primary && { primary }),
    ...(ended && { ended }),
    tags: Object.fromEntries((instance.Tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? ''])),
  };
}

/** The code, and the message without the code that EC2 puts before it. */
function reasonOf({ StateReason }: Instance): Machine['ended'] {
  const { Code: code, Message = '' } = StateReason ?? {};
  return code ? { code, message: Message.replace(`${code}: `, '') } : undefined;
}

/** Addresses in a prefix of an interface: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-prefix-eni.html */
const PREFIX = 16;

/** Addresses of its own subnet that an instance holds, with all its interfaces: a CNI may give it some in other subnets as well. */
export const addressesHeld = ({ SubnetId, NetworkInterfaces = [] }: Instance): number =>
  NetworkInterfaces.filter((one) => one.SubnetId === SubnetId).reduce(
    (sum, { PrivateIpAddresses = [], Ipv4Prefixes = [] }) =>
      sum + PrivateIpAddresses.length + PREFIX * Ipv4Prefixes.length,
    0,
  );

function primaryOf({ NetworkInterfaces }: Instance): PrimaryInterface | undefined {
  const primary = NetworkInterfaces?.find(({ Attachment }) => Attachment?.DeviceIndex === 0);
  const address = primary?.PrivateIpAddresses?.find(({ Primary }) => Primary);
  if (!primary?.NetworkInterfaceId || !address?.PrivateIpAddress) return undefined;
  const { PublicIp, IpOwnerId } = address.Association ?? {};
  return {
    id: primary.NetworkInterfaceId,
    privateIP: address.PrivateIpAddress,
    // One that EC2 gave at the start goes as it came: nobody's users know it.
    ...(PublicIp && IpOwnerId !== 'amazon' && { elasticIP: PublicIp }),
  };
}
