import { describe, expect, it } from '@jest/globals';
import { aCloud } from '../testing.ts';
import { planPeople } from './act.ts';

const person = { name: 'tired', at: '10m', caller: 'ops-laptop', operation: 'TerminateInstances' };
const web = { instances: { 'tag:role': ['web'], 'instance-state-name': ['running'] } };
const role = {
  'TagSpecification.1.ResourceType': 'instance',
  'TagSpecification.1.Tag.1.Key': 'role',
  'TagSpecification.1.Tag.1.Value': 'web',
};

describe('a person', () => {
  it('does at their time what the scenario says, under their own name', async () => {
    const { cloud, clock, launch } = aCloud({ people: [{ ...person, ...web }] }, 60);
    planPeople(cloud);
    const ids = launch(2, role);
    const [other] = launch(1);
    await clock.advance(9_999);
    expect(cloud.instances.get(ids[0]!)?.state.current).toBe('running');
    await clock.advance(1);
    expect(ids.map((id) => cloud.instances.get(id)?.state.current)).toEqual(['shutting-down', 'shutting-down']);
    expect(cloud.instances.get(other!)?.state.current).toBe('running');
    expect(cloud.ledger.calls.at(-1)).toMatchObject({
      caller: 'ops-laptop',
      operation: 'TerminateInstances',
      status: 200,
    });
    expect(cloud.ledger.machines.get(ids[0]!)?.terminatedBy).toBe('ops-laptop');
  });

  it('is refused like anybody by protection', async () => {
    const { cloud, clock, launch } = aCloud({ people: [{ ...person, ...web }] });
    planPeople(cloud);
    const [id] = launch(1, { ...role, DisableApiTermination: 'true' });
    await clock.advance(600_000);
    expect(cloud.ledger.calls.at(-1)).toMatchObject({ caller: 'ops-laptop', code: 'OperationNotPermitted' });
    expect(cloud.instances.get(id!)?.state.current).toBe('running');
  });

  it('may lift protection first', async () => {
    const { cloud, clock, launch } = aCloud({ people: [{ ...person, ...web, liftProtection: true }] });
    planPeople(cloud);
    const [id] = launch(1, { ...role, DisableApiTermination: 'true', DisableApiStop: 'true' });
    await clock.advance(600_000);
    expect(cloud.instances.get(id!)?.state.current).toBe('shutting-down');
    expect(cloud.ledger.calls.map(({ operation }) => operation).slice(1)).toEqual([
      'DescribeInstances',
      'ModifyInstanceAttribute',
      'ModifyInstanceAttribute',
      'TerminateInstances',
    ]);
  });

  it('can do anything the API has, about no machine as well', async () => {
    const release = { ...person, operation: 'ReleaseAddress', parameters: { AllocationId: 'eipalloc-1' } };
    const { cloud, clock } = aCloud({ people: [release] });
    planPeople(cloud);
    await clock.advance(600_000);
    expect([...cloud.addresses.keys()]).toEqual(['eipalloc-2']);
  });

  it('who finds no machine does nothing', async () => {
    const { cloud, clock } = aCloud({ people: [{ ...person, ...web }] });
    planPeople(cloud);
    await clock.advance(600_000);
    expect(cloud.ledger.calls.map(({ operation }) => operation)).toEqual(['DescribeInstances']);
  });
});
