import { describe, expect, it } from '@jest/globals';
import { anAddressTarget, aServiceTarget, selectorFor } from '../../test/builders/index.ts';
import { type Endpoint, type EndpointSlice, endpointSlices, type Service, services } from '../kube/resources.ts';
import { addressSight, type MachineSeen, serviceSight } from './sight.ts';

const live = { platform: 'us', generation: 'green' };
const whose = (node: string) => (node.startsWith('green') ? 'ours' : node.startsWith('blue') ? 'others' : undefined);
const metadata = { name: 'www', namespace: 'edge', uid: 'uid-www', resourceVersion: '1', creationTimestamp: '' };

const service = (selector: Record<string, string> | undefined = selectorFor('green'), spec: object = {}): Service => ({
  ...services,
  metadata,
  spec: { selector, ports: [{ port: 80 }], ...spec },
});
const endpoint = (nodeName: string, changes: Partial<Endpoint> = {}): Endpoint => ({
  addresses: [],
  nodeName,
  targetRef: { uid: `pod-on-${nodeName}` },
  conditions: { ready: true },
  ...changes,
});
const slice = (...endpoints: Endpoint[]): EndpointSlice => ({
  ...endpointSlices,
  metadata,
  addressType: 'IPv4',
  endpoints,
});
const look = (seen: { service?: Service; slices?: EndpointSlice[] } | undefined, spec = aServiceTarget()) =>
  serviceSight(spec, seen && { slices: [slice(endpoint('green-1'), endpoint('green-2'))], ...seen }, live, whose);

describe('a Service', () => {
  it('that leads to ready endpoints on machines of the live generation serves', () => {
    const sight = look({ service: service() });
    expect(sight).toMatchObject({
      place: 'live',
      generations: ['green'],
      leadsTo: 'generation green',
      ready: 2,
      minReady: 1,
    });
    expect(sight.problem).toBeUndefined();
  });

  it('that was not read yet is unseen, and nothing else', () => {
    expect(look(undefined)).toMatchObject({ place: 'unseen', ready: 0, problem: { reason: 'NotObserved' } });
  });

  it.each<[string, Parameters<typeof look>[0], string, string]>([
    ['is gone', { slices: [] }, 'nothing', 'ServiceGone'],
    ['has no endpoints', { service: service(), slices: [] }, 'live', 'TooFewReadyEndpoints'],
    [
      'has endpoints that are not ready',
      { service: service(), slices: [slice(endpoint('green-1', { conditions: { ready: false } }))] },
      'live',
      'TooFewReadyEndpoints',
    ],
    [
      'has endpoints on a Node that is gone',
      { service: service(), slices: [slice(endpoint('vanished'))] },
      'live',
      'TooFewReadyEndpoints',
    ],
    [
      'has an endpoint on a machine of another generation',
      { service: service(), slices: [slice(endpoint('green-1'), endpoint('blue-1'))] },
      'live',
      'EndpointsElsewhere',
    ],
    ['selects another generation', { service: service(selectorFor('blue')) }, 'generation', 'SelectorChanged'],
    ['selects something else', { service: service({ app: 'other' }) }, 'elsewhere', 'SelectorChanged'],
    ['has lost its selector', { service: service({}) }, 'nothing', 'SelectorGone'],
    ['is a name of DNS', { service: service(undefined, { type: 'ExternalName' }) }, 'elsewhere', 'ExternalName'],
    [
      'leads to a named port that no endpoint has',
      { service: service(undefined, { ports: [{ port: 80, targetPort: 'http' }] }) },
      'live',
      'PortNotFound',
    ],
  ])('that %s does not serve', (_, seen, place, reason) => {
    const sight = look(seen);
    expect(sight).toMatchObject({ place, problem: { reason } });
    expect(sight.problem?.message).toContain('edge/www');
  });

  it('that is left at its maintenance responder is known by that', () => {
    const spec = aServiceTarget({ maintenance: { selector: { app: 'maintenance' } } });
    const sight = look({ service: service({ app: 'maintenance' }) }, spec);
    expect(sight).toMatchObject({ place: 'maintenance', problem: { reason: 'LeftInMaintenance' } });
  });

  it('needs as many ready endpoints as minReady says', () => {
    expect(look({ service: service() }, aServiceTarget({ minReady: 2 })).problem).toBeUndefined();
    const { problem } = look({ service: service() }, aServiceTarget({ minReady: 3 }));
    expect(problem).toMatchObject({
      reason: 'TooFewReadyEndpoints',
      message: expect.stringContaining('2 ready endpoints, and minReady is 3'),
    });
  });
});

describe('a set of addresses', () => {
  const machines: Record<string, MachineSeen> = {
    'i-1': { ours: true, ready: true, generation: 'green', says: 'is Ready' },
    'i-2': { ours: true, ready: true, generation: 'green', says: 'is Ready' },
    'i-3': { ours: true, ready: false, generation: 'green', says: 'is stopped at the cloud' },
    'i-9': { ours: false, ready: true, generation: 'blue', says: 'is a machine of blue' },
  };
  const at = (first: string | undefined, second: string | undefined) =>
    addressSight(
      anAddressTarget(),
      Object.fromEntries(
        [
          ['eipalloc-1', first],
          ['eipalloc-2', second],
        ].filter(([, machine]) => machine !== undefined),
      ),
      (id) => machines[id],
      live,
      ['i-7'],
    );

  it('each of which leads to a Ready machine of the live generation serves', () => {
    const sight = at('i-1', 'i-2');
    expect(sight).toMatchObject({ place: 'live', machines: ['i-1', 'i-2'], ready: 2, minReady: 2 });
    expect(sight.problem).toBeUndefined();
  });

  it.each([
    ['points at nothing', '', 'AddressPointsNowhere', 'i-7'],
    ['points at another generation', 'i-9', 'AddressMoved', 'is a machine of blue'],
    ['points at a machine of somebody', 'i-x', 'AddressMoved', 'is no machine of this platform'],
    ['points at a machine that is off', 'i-3', 'MachineNotReady', 'is stopped at the cloud'],
    ['does not exist', undefined, 'AddressGone', 'eipalloc-2'],
  ])('of which one %s does not serve', (_, second, reason, words) => {
    expect(at('i-1', second)).toMatchObject({ ready: 1, problem: { reason, message: expect.stringContaining(words) } });
  });
});
