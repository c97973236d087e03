import { afterAll, describe, expect, it } from '@jest/globals';
import { uniqueName, useControlPlane } from '../../../local/testing.ts';
import { recorder } from '../../../src/kube/events.ts';
import { configMaps, events, namespaces } from '../../../src/kube/resources.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silent } from '../../../src/runtime/logger.ts';
import { adminClient, until } from './kit.ts';

const client = adminClient(useControlPlane());
afterAll(() => client.transport.close());

describe('recorded events', () => {
  const aRecorder = () =>
    recorder({
      client,
      clock: systemClock(),
      log: silent,
      controller: 'example.com/kit-test',
      instance: 'kit-test-0',
      seriesInterval: 100,
    });
  const about = async (uid: string) =>
    (await client.list(events)).items.filter(({ regarding }) => regarding?.uid === uid);

  it('are accepted by the API server, and equal ones become a series', async () => {
    const object = await client.create(configMaps, { metadata: { name: uniqueName('event'), namespace: 'default' } });
    const subject = aRecorder();
    const event = {
      regarding: object,
      type: 'Warning',
      reason: 'TooHot',
      action: 'Cool',
      note: 'x'.repeat(2_000),
    } as const;
    for (let i = 0; i < 5; i++) subject.record(event);
    await until('the series', async () => (await about(object.metadata.uid))[0]?.series?.count === 5);
    const [recorded, ...others] = await about(object.metadata.uid);
    expect(others).toEqual([]);
    expect(recorded).toMatchObject({ type: 'Warning', reason: 'TooHot', action: 'Cool' });
    expect(recorded?.note).toHaveLength(1_024);
    expect(recorded?.metadata.namespace).toBe('default');
  });

  it('may be about cluster-scoped objects', async () => {
    const object = await client.get(namespaces, 'kube-system');
    const subject = aRecorder();
    const reason = `Test${Date.now()}`;
    subject.record({ regarding: object, type: 'Normal', reason, action: 'Look', note: 'seen' });
    await subject.flush();
    const found = (await about(object.metadata.uid)).filter((event) => event.reason === reason);
    expect(found.map(({ metadata }) => metadata.namespace)).toEqual(['default']);
  });
});
