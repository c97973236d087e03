import { describe, expect, it } from '@jest/globals';
import type { Cutover } from '../../../src/api/v1alpha1/index.ts';
import type { Revision } from '../../sweep/observer.ts';
import type { Passed } from '../../sweep/proxy.ts';
import { bareCalls } from './bare.ts';
import { clients } from './clients.ts';
import { idleIn, leastOf, median, type Results, report, windowOf, within } from './report.ts';

const call = (method: string, url: string, from: number, until: number, more: Partial<Passed> = {}): Passed => ({
  at: 'kubernetes',
  method,
  url,
  body: '{}',
  headers: {},
  status: 200,
  from,
  until,
  ...more,
});
const apply = call('PATCH', '/api/v1/namespaces/edge/services/www?fieldManager=x', 10, 20);
const look = call('GET', '/apis/discovery.k8s.io/v1/namespaces/edge/endpointslices?labelSelector=www', 30, 40);
const refused = call('PUT', '/apis/generations.dev/v1alpha1/platforms/site/status', 35, 50, { status: 409 });
const event = call('POST', '/apis/events.k8s.io/v1/namespaces/default/events', 60, 65);

describe('the window of a cutover', () => {
  it('goes from the end of Approve to the end of Release, and holds the calls between', () => {
    const time = (ms: number) => new Date(ms).toISOString();
    const steps = [
      { name: 'Approve', state: 'Done', endTime: time(10) },
      { name: 'Release', state: 'Skipped', endTime: time(45) },
    ];
    const window = windowOf({ metadata: { name: 'c' }, status: { steps } } as unknown as Cutover);
    expect(window).toEqual({ from: 10, until: 45 });
    expect(within(window, [apply, look, refused, event])).toEqual([apply, look]);
  });

  it('is idle while no call is under way', () => {
    expect(idleIn({ from: 0, until: 100 }, [look, apply, refused])).toBe(10 + 10 + 50);
    expect(idleIn({ from: 0, until: 5 }, [])).toBe(5);
  });
});

describe('bare calls', () => {
  it('at the least are the writes that were accepted, and one look at each target', () => {
    expect(leastOf([apply, look, look, refused, event])).toEqual([apply, look]);
  });

  it('write to twins, and read what was read', () => {
    expect(bareCalls([apply, look, refused]).map(({ url, object }) => [url, object])).toEqual([
      ['/api/v1/namespaces/edge/services/bare-www?fieldManager=x', '/api/v1/namespaces/edge/services/bare-www'],
      [look.url, undefined],
      [
        '/apis/generations.dev/v1alpha1/platforms/bare-site/status',
        '/apis/generations.dev/v1alpha1/platforms/bare-site',
      ],
    ]);
  });
});

describe('a client', () => {
  it('misses whoever is not ready, or on a machine that is not there', async () => {
    const subject = clients(['www']);
    const slice = (ready: boolean) =>
      ({
        number: 1,
        plural: 'endpointslices',
        key: 'edge/www-1',
        object: {
          metadata: { labels: { 'kubernetes.io/service-name': 'www' } },
          endpoints: [{ addresses: [], nodeName: 'n', conditions: { ready } }],
        },
      }) as unknown as Revision;
    const node = (more: object) =>
      ({
        number: 2,
        plural: 'nodes',
        key: 'n',
        object: { metadata: more, status: { conditions: [{ type: 'Ready', status: 'True' }] } },
      }) as unknown as Revision;
    const missedAfter = async (...revisions: Revision[]) => {
      for (const revision of revisions) subject.take(revision);
      const before = subject.looks().missed.www ?? 0;
      const count = subject.looks().count;
      subject.start();
      while (subject.looks().count < count + 2) await new Promise((done) => setImmediate(done));
      subject.stop();
      return (subject.looks().missed.www ?? 0) > before;
    };
    expect(await missedAfter(slice(true), node({}))).toBe(false);
    expect(await missedAfter(slice(false))).toBe(true);
    expect(await missedAfter(slice(true), node({ deletionTimestamp: 'now' }))).toBe(true);
  });
});

describe('the report', () => {
  const sample = { cutover: { status: {} } as Cutover, window: { from: 0, until: 300 }, passed: [apply] };
  const bare = (ms: number) => [{ calls: 1, ms, refused: {} }];
  const results = (ms: number, missed: Record<string, number> = {}): Results => ({
    samples: [sample],
    all: bare(ms),
    allParallel: bare(ms),
    least: bare(ms),
    leastParallel: bare(ms),
    looks: { count: 100, missed, longestPause: 11 },
    problems: [],
  });
  const setting = { machines: 200, targets: 20, scale: 1 };

  it('meets its target below twice the calls, with nobody missed', () => {
    expect(report(results(200), setting)).toMatchObject({ met: true, text: expect.stringContaining('time: 1.50 x') });
    expect(report(results(100), setting)).toMatchObject({ met: false, text: expect.stringContaining('MISSED') });
    expect(report(results(200, { www: 3 }), setting)).toMatchObject({
      met: false,
      text: expect.stringContaining('3 of www'),
    });
  });

  it('knows a median', () => expect([median([3, 1, 2]), median([1, 2])]).toEqual([2, 1.5]));
});
