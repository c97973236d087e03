import { describe, expect, it } from '@jest/globals';
import { aCloud, anApiServer, EPOCH } from '../../test/builders/index.ts';
import { services } from '../kube/resources.ts';
import { leadingClient, leadingProvider, leads } from './lead.ts';

const now = () => EPOCH;

describe('a process that may no longer lead', () => {
  it.each([
    [8_000, true],
    [8_001, false],
    [Number.POSITIVE_INFINITY, false],
  ])('with a lease renewed %d ms ago: leads %s', (age, is) => expect(leads({ leaseAge: () => age })).toBe(is));

  it('moves no address, and does as soon as it leads again', async () => {
    const cloud = aCloud(now);
    cloud.addresses['eipalloc-1'] = 'i-old';
    let age = 9_000;
    const provider = leadingProvider({ leaseAge: () => age }, cloud.provider);
    await expect(provider.associate('eipalloc-1', 'i-new')).rejects.toThrow('may no longer lead');
    expect(cloud.addresses['eipalloc-1']).toBe('i-old');
    age = 0;
    await provider.associate('eipalloc-1', 'i-new');
    expect(cloud.addresses['eipalloc-1']).toBe('i-new');
  });

  it('patches nothing, and reads as ever', async () => {
    const server = anApiServer(now);
    const metadata = { name: 'www', namespace: 'edge', uid: 'u', resourceVersion: '1', creationTimestamp: '' };
    server.seed(services, { metadata, spec: {} });
    const client = leadingClient({ leaseAge: () => 9_000, client: server.client({}) });
    await expect(client.patch(services, 'www', {}, { type: 'merge', namespace: 'edge' })).rejects.toThrow(
      'may no longer lead',
    );
    expect((await client.get(services, 'www', { namespace: 'edge' })).metadata.uid).toBe('u');
  });
});
