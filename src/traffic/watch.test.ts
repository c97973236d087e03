import { expect, it } from '@jest/globals';
import { anApiServer, EPOCH } from '../../test/builders/index.ts';
import { endpointSlices, services } from '../kube/resources.ts';
import { manualClock } from '../runtime/clock.ts';
import { silent } from '../runtime/logger.ts';
import { trafficWatch } from './watch.ts';

const labelled = (service: string) => ({ 'kubernetes.io/service-name': service });
const meta = (name: string, labels = {}) => ({
  name,
  namespace: 'edge',
  uid: `uid-${name}`,
  creationTimestamp: '',
  labels,
});

/** Lets what was asked be answered. */
const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

it('sees what it follows, and that alone; nothing before it was read as a whole', async () => {
  const server = anApiServer(() => EPOCH);
  for (const name of ['www', 'other']) {
    server.seed(services, { metadata: meta(name), spec: { selector: { app: name } } });
    const endpoints = [
      { addresses: ['10.0.0.1'], nodeName: 'n', targetRef: { uid: 'u' }, conditions: { ready: true } },
    ];
    server.seed(endpointSlices, { metadata: meta(`${name}-1`, labelled(name)), addressType: 'IPv4', endpoints });
  }
  const life = new AbortController();
  const watch = trafficWatch({
    client: server.client(),
    clock: manualClock({ now: EPOCH }),
    log: silent,
    targetsKnown: Promise.resolve(),
  });
  const told: string[] = [];
  watch.subscribe((key) => told.push(key));
  watch.follow(['edge/www', 'edge/absent']);
  expect(watch.see('edge/www')).toBeUndefined();
  const running = watch.start(life.signal);
  await watch.synced;
  expect(watch.see('edge/www')).toMatchObject({
    service: { spec: { selector: { app: 'www' } } },
    slices: [{ endpoints: [{ addresses: [], nodeName: 'n', targetRef: { uid: 'u' } }] }],
  });
  expect(watch.see('edge/absent')).toEqual({ service: undefined, slices: [] });
  expect(watch.see('edge/other')).toBeUndefined();

  told.length = 0;
  server.edit(services, 'edge/other', ({ spec }) => Object.assign(spec ?? {}, { selector: {} }));
  expect(told).toEqual([]);
  server.edit(services, 'edge/www', ({ spec }) => Object.assign(spec ?? {}, { selector: { app: 'party' } }));
  expect(told).toEqual(['edge/www']);

  watch.follow(['edge/other']);
  await settle();
  expect(watch.see('edge/www')).toBeUndefined();
  expect(watch.see('edge/other')?.slices).toHaveLength(1);
  life.abort(new Error('over'));
  await running;
});
