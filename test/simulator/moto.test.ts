import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Simulator } from '../../src/simulator/start.ts';
import { PYTHON_LIMIT, runPython } from './python.ts';
import { quickSimulator } from './quick.ts';

type Answer = { answer?: unknown; code?: string; status?: number; message?: string };
type Both = { moto: Record<string, Answer>; ours: Record<string, Answer> };

/** Where the two may differ, as `step: path`, and why. Everything else must be equal, field by field. */
const differences: [where: RegExp, why: string][] = [
  [/\.(ReservationId|ClientToken|LaunchTime)$/, 'drawn or taken from the clock anew each time'],
  [/\.Attachment\.(AttachmentId|AttachTime)$/, 'drawn or taken from the clock anew each time'],
  [/\.NetworkInterfaces\[\d\]\.(Description|MacAddress)$/, "moto's own"],
  [/\.Attachment\.DeleteOnTermination$/, 'moto keeps what RunInstances made'],
  [/\.NetworkInterfaces\[\d\]\.(.*\.)?PrivateDnsName$/, 'moto leaves them out'],
  [/\.NetworkInterfaces\[\d\]\.Groups\b/, 'a VPC’s default security group is not simulated'],
  [
    /\.Addresses\[\d\]\.NetworkInterface(Id|OwnerId)$/,
    'moto answers an empty element for an address that points nowhere',
  ],
  [/\.(BlockDeviceMappings|RootDeviceName)\b/, 'volumes are not simulated'],
  [/\.(MetadataOptions|ProductCodes|Platform|SriovNetSupport)\b/, 'not simulated'],
  [/\.(CpuOptions|EnaSupport)\b/, 'moto leaves them out'],
  [/\.(PublicDnsName|Ipv6Native|AvailabilityZoneId|PrivateDnsNameOptionsOnLaunch)\b/, 'not simulated'],
  [/\.(NetworkBorderGroup|PublicIpv4Pool)$/, 'moto leaves them out'],
  [/\.Addresses\[\d\]\.InstanceId$/, 'moto answers an empty element for an address that points nowhere'],
  [/\.StateReason\.(Code|Message)$/, 'moto answers empty elements for a running machine'],
  [/^stop protected: \.message$/, "moto says 'terminated' where EC2 says 'stopped'"],
  [/^(no address|released|may not move): \.message$/, "moto's own wording"],
  [/^subnets freed: .*\.AvailableIpAddressCount$/, 'moto does not give back the addresses of terminated machines'],
];

function* fields(value: unknown, path: string): Generator<[string, unknown]> {
  if (Array.isArray(value)) {
    yield [`${path}.length`, value.length];
    for (const [index, item] of value.entries()) yield* fields(item, `${path}[${index}]`);
  } else if (value && typeof value === 'object') {
    for (const [name, item] of Object.entries(value)) yield* fields(item, `${path}.${name}`);
  } else yield [path, value];
}

let simulator: Simulator;
let both: Both;
beforeAll(async () => {
  simulator = await quickSimulator();
  both = await runPython<Both>('moto_compare.py', [simulator.url]);
}, PYTHON_LIMIT);
afterAll(() => simulator.stop());

/** Every field of one step of both, as `[where, moto, ours]`. */
function compared(step: string): [string, unknown, unknown][] {
  const moto = new Map(fields(both.moto[step], `${step}: `));
  const ours = new Map(fields(both.ours[step], `${step}: `));
  return [...new Set([...moto.keys(), ...ours.keys()])].map((where) => [where, moto.get(where), ours.get(where)]);
}

describe('moto', () => {
  it('and the simulated cloud live the same story', () => {
    expect(Object.keys(both.ours)).toEqual(Object.keys(both.moto));
    expect(Object.keys(both.moto).length).toBeGreaterThan(35);
  });

  it('and the simulated cloud answer alike, field by field', () => {
    const unlike = Object.keys(both.moto)
      .flatMap(compared)
      .filter(([where, moto, ours]) => moto !== ours && !differences.some(([known]) => known.test(where)));
    expect(unlike).toEqual([]);
  });

  it.each(differences)('differs at %s, still', (where) => {
    const found = Object.keys(both.moto)
      .flatMap(compared)
      .filter(([path, moto, ours]) => where.test(path) && moto !== ours);
    expect(found.length).toBeGreaterThan(0);
  });

  it('is compared on free addresses, filters, tags, protection and association', () => {
    const equal = (step: string, path: string) => {
      const field = compared(step).find(([where]) => where === `${step}: ${path}`);
      expect(field?.[2]).toBe(field?.[1]);
      return field?.[1];
    };
    expect(equal('subnets in use', '.answer.Subnets[0].AvailableIpAddressCount')).toBe(9);
    expect(equal('filter tag:role', '.answer.Reservations.length')).toBe(1);
    expect(equal('filter tag:role', '.answer.Reservations[0].Instances[0].InstanceId')).toBe('<machine 1>');
    expect(equal('terminate protected', '.code')).toBe('OperationNotPermitted');
    expect(equal('moved', '.answer.Addresses[0].InstanceId')).toBe('<machine 2>');
  });
});
