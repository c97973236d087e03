import { describe, expect, it } from '@jest/globals';
import { changeOf, describedIn, lineOf } from './writes.ts';

const api = (method: string, url: string, body: unknown = {}) =>
  changeOf({ at: 'kubernetes', method, url, body: JSON.stringify(body) });
const cloud = (form: Record<string, string>) =>
  changeOf({ at: 'cloud', method: 'POST', url: '/', body: new URLSearchParams(form).toString() });

describe('a change', () => {
  it('is named by what it is about', () => {
    expect(api('PUT', '/apis/generations.dev/v1alpha1/platforms/site/status')).toMatchObject({
      verb: 'PUT',
      object: 'platforms/site/status',
      destructive: false,
    });
    expect(api('PATCH', '/api/v1/namespaces/edge/services/www?fieldManager=x')?.object).toBe('services/edge/www');
    expect(api('POST', '/apis/batch/v1/namespaces/edge/jobs', { metadata: { name: 'j' } })?.object).toBe('jobs/edge/j');
    expect(api('PUT', '/api/v1/namespaces/edge')?.object).toBe('namespaces/edge');
    expect(cloud({ Action: 'AssociateAddress', AllocationId: 'eipalloc-1', InstanceId: 'i-1' })).toMatchObject({
      verb: 'AssociateAddress',
      object: 'eipalloc-1,i-1',
      destructive: false,
    });
  });

  it('is no read, no dry run, and none of what is renewed all the while', () => {
    expect(api('GET', '/api/v1/nodes')).toBeUndefined();
    expect(api('DELETE', '/api/v1/nodes/n', { dryRun: ['All'] })).toBeUndefined();
    expect(api('PATCH', '/api/v1/nodes/n?dryRun=All')).toBeUndefined();
    expect(api('PUT', '/apis/coordination.k8s.io/v1/namespaces/x/leases/y')).toBeUndefined();
    expect(api('POST', '/apis/events.k8s.io/v1/namespaces/x/events')).toBeUndefined();
    expect(api('POST', '/api/v1/namespaces/x/serviceaccounts/y/token')).toBeUndefined();
    expect(cloud({ Action: 'DescribeInstances' })).toBeUndefined();
    expect(cloud({ Action: 'TerminateInstances', DryRun: 'true' })).toBeUndefined();
  });

  it('is destructive when it ends something or takes its protection', () => {
    const destructive = [
      api('DELETE', '/api/v1/nodes/n'),
      api('POST', '/api/v1/namespaces/x/pods/p/eviction'),
      cloud({ Action: 'TerminateInstances', 'InstanceId.1': 'i-1' }),
      cloud({ Action: 'ModifyInstanceAttribute', InstanceId: 'i-1', 'DisableApiTermination.Value': 'false' }),
    ].map((change) => change?.destructive);
    expect(destructive).toEqual([true, true, true, true]);
    expect(
      cloud({ Action: 'ModifyInstanceAttribute', InstanceId: 'i-1', 'DisableApiTermination.Value': 'true' })
        ?.destructive,
    ).toBe(false);
  });

  it('tells where a cutover is', () => {
    const steps = [
      { name: 'Reserve', state: 'Done' },
      { name: 'Hold', state: 'Running' },
      { name: 'Switch', state: 'Pending' },
    ];
    const write = api('PUT', '/apis/generations.dev/v1alpha1/cutovers/c/status', { status: { steps } });
    expect(write && lineOf(write)).toBe('PUT cutovers/c/status (Hold Running)');
  });
});

describe('a look at machines', () => {
  it('names them, as parameters or in a filter', () => {
    const body = new URLSearchParams({ Action: 'DescribeInstances', 'InstanceId.1': 'i-1', 'Filter.1.Value.1': 'i-2' });
    expect(describedIn({ at: 'cloud', method: 'POST', url: '/', body: body.toString() })).toEqual(['i-1', 'i-2']);
  });
});
