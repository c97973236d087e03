import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  aClass,
  aCloud,
  anAddressTarget,
  anApiServer,
  aPlatform,
  aRefusal,
  aServiceTarget,
  EPOCH,
  selectorFor,
} from '../../../test/builders/index.ts';
import { services } from '../../kube/resources.ts';
import type { Context } from '../context.ts';
import type { Move } from './input.ts';
import { switchAll, targetKind } from './targets.ts';

const blue = selectorFor('blue');
const green = selectorFor('green');
const traffic = [
  aServiceTarget(),
  aServiceTarget({ name: 'api', service: { namespace: 'edge', name: 'api' } }),
  anAddressTarget(),
  anAddressTarget({ name: 'more-ips', elasticIPs: { allocationIDs: ['eipalloc-3'] } }),
];
const platform = aPlatform({ live: 'blue', spec: { traffic } });

let server: ReturnType<typeof anApiServer>;
let cloud: ReturnType<typeof aCloud>;
let context: Context;

beforeEach(() => {
  server = anApiServer(() => EPOCH);
  for (const name of ['www', 'api'])
    server.seed(services, {
      metadata: { name, namespace: 'edge', uid: `uid-${name}`, resourceVersion: '1', creationTimestamp: '' },
      spec: { selector: blue },
    });
  cloud = aCloud(() => EPOCH);
  Object.assign(cloud.addresses, { 'eipalloc-1': 'i-old1', 'eipalloc-2': 'i-old2', 'eipalloc-3': 'i-old3' });
  context = {
    leaseAge: () => 0,
    client: server.client(),
    caches: { classes: { get: () => aClass() } },
    providerOf: async () => cloud.provider,
  } as unknown as Context;
});

const www: Move = { target: 'www', from: blue, to: green };
const api: Move = { target: 'api', from: blue, to: green };
const ips: Move = {
  target: 'public-ips',
  from: { 'eipalloc-1': 'i-old1', 'eipalloc-2': 'i-old2' },
  to: { 'eipalloc-1': 'i-1', 'eipalloc-2': 'i-2' },
};
const switched = (...moves: Move[]) => switchAll(context, platform, { do: 'switch', moves, what: '' });
const selectorOf = (name: string) => server.read(services, `edge/${name}`)?.spec?.selector;
const refuses = (...reason: Parameters<typeof aRefusal>) => {
  cloud.provider.associate = async () => {
    throw aRefusal(...reason);
  };
};
const party = (name: string) =>
  server.edit(services, `edge/${name}`, (service) => {
    service.spec = { selector: { app: 'party' } };
  });

describe('all targets', () => {
  it('are switched, whatever their kind', async () => {
    await switched(www, api, ips);
    expect([selectorOf('www'), selectorOf('api')]).toEqual([green, green]);
    expect(cloud.addresses).toMatchObject(ips.to);
  });

  it('at once: none waits for another', async () => {
    const order: string[] = [];
    const { addresses } = cloud.provider;
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    cloud.provider.addresses = async (ids) => {
      order.push('addresses looked at');
      await gate;
      return addresses(ids);
    };
    server.subscribe(({ after }) => {
      order.push(`${after?.metadata.name} switched`);
      if (order.length === 3) release();
    });
    await switched(ips, www, api);
    expect(order.slice(0, 3).toSorted()).toEqual(['addresses looked at', 'api switched', 'www switched']);
  });

  it('are all tried when one of them is in trouble, and that is said then', async () => {
    party('www');
    await expect(switched(www, api, ips)).rejects.toMatchObject({ name: 'ForeignChange' });
    expect(selectorOf('www')).toEqual({ app: 'party' });
    expect(selectorOf('api')).toEqual(green);
    expect(cloud.addresses).toMatchObject(ips.to);
  });

  it('and one that was taken out of the Platform is somebody else’s change', async () => {
    await expect(switched({ ...www, target: 'gone' }, api)).rejects.toThrow(
      'traffic target gone was taken out of the Platform',
    );
    expect(selectorOf('api')).toEqual(green);
  });
});

describe('of several problems', () => {
  it('a foreign change is told before what the cloud refuses', async () => {
    refuses('Unauthorized');
    party('www');
    await expect(switched(ips, www)).rejects.toMatchObject({ name: 'ForeignChange' });
  });

  it('what a person has to see to is told before what only asks for patience', async () => {
    const more: Move = { target: 'more-ips', from: { 'eipalloc-3': 'i-old3' }, to: { 'eipalloc-3': 'i-3' } };
    cloud.provider.associate = async (id) => {
      throw aRefusal(id === 'eipalloc-3' ? 'Unauthorized' : 'Throttled');
    };
    await expect(switched(ips, more)).rejects.toMatchObject({ reason: 'Unauthorized' });
  });

  it('what the cloud says is told before an error that is nobody’s answer', async () => {
    refuses('Throttled');
    context.client = server.client({
      before: () => {
        throw new Error('the connection broke');
      },
    });
    await expect(switched(www, ips)).rejects.toMatchObject({ reason: 'Throttled' });
    await expect(switched(www)).rejects.toThrow('the connection broke');
  });
});

describe('targets of addresses of one role', () => {
  it('share its machines in the order of the Platform: a machine has one address', async () => {
    const members = ['i-1', 'i-2', 'i-3'].map((machine, n) => ({
      machine,
      launchTime: EPOCH + n,
      role: 'web',
      node: `node-${machine}`,
      ready: true,
    }));
    const destination = { platform: 'us', generation: 'green', members };
    const wanted = async (name: string) => {
      const spec = traffic.find((target) => target.name === name) ?? anAddressTarget();
      return (await targetKind(context, platform, spec).view(spec, destination)).wanted;
    };
    expect(await wanted('public-ips')).toEqual({ 'eipalloc-1': 'i-1', 'eipalloc-2': 'i-2' });
    expect(await wanted('more-ips')).toEqual({ 'eipalloc-3': 'i-3' });
  });
});
