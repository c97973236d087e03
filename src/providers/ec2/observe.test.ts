import { describe, expect, it } from '@jest/globals';
import type { Client } from './client.ts';
import { findMachines, observeTagged, toMachine } from './observe.ts';

const anInstance = (id: string, change: object = {}) => ({
  InstanceId: id,
  State: { Name: 'running' },
  InstanceType: 'm6i.xlarge',
  SubnetId: 'subnet-a',
  Placement: { AvailabilityZone: 'us-east-1a' },
  LaunchTime: new Date(1000),
  Tags: [{ Key: 'cluster', Value: 'c' }],
  ...change,
});

/** A client that answers one page after the other; a page that is an Error is thrown. */
function paging(...pages: (object | Error)[]) {
  const inputs: { NextToken?: string; Filters?: { Name: string; Values: string[] }[] }[] = [];
  const send = async (_operation: string, input: object) => {
    const page = pages[inputs.length];
    inputs.push(input);
    if (page instanceof Error) throw page;
    return page;
  };
  return { client: { send } as unknown as Client, inputs };
}

const page = (ids: string[], NextToken?: string) => ({
  Reservations: [{ Instances: ids.map((id) => anInstance(id)) }],
  NextToken,
});

describe('a machine that has ended', () => {
  const ended = (change: object) => toMachine(anInstance('i-1', change) as never).ended;

  it('says why, with the code once', () => {
    const StateReason = { Code: 'Client.InternalError', Message: 'Client.InternalError: Client error on launch' };
    expect(ended({ State: { Name: 'terminated' }, StateReason })).toEqual({
      code: 'Client.InternalError',
      message: 'Client error on launch',
    });
    expect(ended({ State: { Name: 'shutting-down' }, StateReason })?.code).toBe('Client.InternalError');
  });

  it('says nothing while it lives, and where the cloud says nothing', () => {
    expect(ended({ State: { Name: 'pending' }, StateReason: { Code: 'pending', Message: 'pending' } })).toBeUndefined();
    expect(ended({ State: { Name: 'terminated' } })).toBeUndefined();
    expect(ended({ State: { Name: 'terminated' }, StateReason: { Code: '', Message: '' } })).toBeUndefined();
  });
});

describe('an observation', () => {
  it('follows every page', async () => {
    const { client, inputs } = paging(page(['i-1', 'i-2'], 'two'), page([], 'three'), page(['i-3']));
    expect((await observeTagged(client, 'cluster', 'c')).map(({ id }) => id)).toEqual(['i-1', 'i-2', 'i-3']);
    expect(inputs.map(({ NextToken }) => NextToken)).toEqual([undefined, 'two', 'three']);
    expect(inputs.every(({ Filters }) => JSON.stringify(Filters) === '[{"Name":"tag:cluster","Values":["c"]}]')).toBe(
      true,
    );
  });

  it('fails as a whole with any page', async () => {
    const { client } = paging(page(['i-1'], 'two'), new Error('no'));
    await expect(observeTagged(client, 'cluster', 'c')).rejects.toThrow('no');
  });

  it.each([
    ['an answer without a list', {}],
    ['a reservation without instances', { Reservations: [{}] }],
    ['a machine without a state', { Reservations: [{ Instances: [anInstance('i-1', { State: undefined })] }] }],
    [
      'a state that nobody knows',
      { Reservations: [{ Instances: [anInstance('i-1', { State: { Name: 'hibernated' } })] }] },
    ],
    ['a machine that was not asked for', { Reservations: [{ Instances: [anInstance('i-1', { Tags: [] })] }] }],
  ])('does not believe %s', async (_what, answer) => {
    const { client } = paging(answer);
    await expect(observeTagged(client, 'cluster', 'c')).rejects.toMatchObject({
      reason: 'Unknown',
      code: 'IncompleteAnswer',
      refused: false,
    });
  });

  it('ends when the cloud pages in a circle', async () => {
    const { client } = paging(page(['i-1'], 'one'), page(['i-2'], 'two'), page(['i-1'], 'one'));
    await expect(observeTagged(client, 'cluster', 'c')).rejects.toMatchObject({ code: 'IncompleteAnswer' });
  });

  it('of many ids asks for a filterful at a time', async () => {
    const ids = Array.from({ length: 450 }, (_, n) => `i-${n}`);
    const { client, inputs } = paging(page(ids.slice(0, 200)), page(ids.slice(200, 399)), page(ids.slice(400)));
    const found = await findMachines(client, ids);
    expect(found).toHaveLength(449);
    expect(inputs.map(({ Filters }) => Filters?.[0]?.Values.length)).toEqual([200, 200, 50]);
  });

  it('by ids does not believe an answer about others', async () => {
    const { client } = paging(page(['i-1', 'i-9']));
    await expect(findMachines(client, ['i-1'])).rejects.toMatchObject({ code: 'IncompleteAnswer' });
  });
});

describe('a machine', () => {
  it('that is terminated has lost its subnet and is still one', () => {
    const terminated = anInstance('i-1', { State: { Name: 'terminated' }, SubnetId: undefined });
    expect(toMachine(terminated as never)).toEqual({
      id: 'i-1',
      state: 'terminated',
      type: 'm6i.xlarge',
      subnet: '',
      zone: 'us-east-1a',
      providerID: 'aws:///us-east-1a/i-1',
      launchTime: 1000,
      tags: { cluster: 'c' },
    });
  });

  it('has the interface with device index 0 for life, whichever order it is shown in', () => {
    const anInterface = (DeviceIndex: number, Association?: object) => ({
      NetworkInterfaceId: `eni-${DeviceIndex}`,
      Attachment: { DeviceIndex },
      // A CNI gives each several private addresses, and any of them may have a public one.
      PrivateIpAddresses: [
        { Primary: false, PrivateIpAddress: `10.0.${DeviceIndex}.9`, Association: { PublicIp: '203.0.113.9' } },
        { Primary: true, PrivateIpAddress: `10.0.${DeviceIndex}.4`, Association },
      ],
    });
    const primaryOf = (Association?: object) =>
      toMachine(anInstance('i-1', { NetworkInterfaces: [anInterface(1), anInterface(0, Association)] }) as never)
        .primary;
    expect(primaryOf()).toEqual({ id: 'eni-0', privateIP: '10.0.0.4' });
    expect(primaryOf({ PublicIp: '203.0.113.1', IpOwnerId: '123456789012' })?.elasticIP).toBe('203.0.113.1');
    // One that EC2 gives at the start is nobody's.
    expect(primaryOf({ PublicIp: '203.0.113.1', IpOwnerId: 'amazon' })).not.toHaveProperty('elasticIP');
  });
});
