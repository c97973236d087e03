import { afterEach, expect, it } from '@jest/globals';
import { twoGenerations } from '../../../test/builders/two-generations.ts';
import { ANNOTATION, LABEL, PLACEMENT } from '../../api/v1alpha1/index.ts';
import { conditionOf } from '../../domain/conditions.ts';
import { platforms } from '../../kinds.ts';
import { type Pod, pods } from '../../kube/resources.ts';

/** A singleton whose machine ended, and was forgotten by the cloud, while no operator ran. */

let site: Awaited<ReturnType<typeof twoGenerations>> | undefined;
afterEach(() => site?.crash());

const aPod = (name: string, changes: object = {}, metadata: object = {}): object => ({
  metadata: {
    name,
    namespace: 'tasks',
    uid: `uid-${name}`,
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: { [LABEL.platform]: 'us', [LABEL.role]: 'always-on' },
    ownerReferences: [{ kind: 'ReplicaSet', name: 'worker', controller: true }],
    finalizers: [PLACEMENT],
    ...metadata,
  },
  spec: { containers: [{ name: 'main' }], ...changes },
  status: { phase: 'Pending' },
});

async function aLostSingleton() {
  const s = await twoGenerations({
    roles: [
      { name: 'web', handover: 'Beside' },
      { name: 'always-on', handover: 'Singleton' },
    ],
  });
  site = s;
  const [machine = ''] = s.ids('blue');
  const node = { nodeName: `node-${machine}`, nodeSelector: { [LABEL.generation]: 'blue' } };
  s.server.seed(pods, {
    ...aPod('old', node, { annotations: { [ANNOTATION.machine]: `aws:///us-east-1a/${machine}` } }),
    status: { phase: 'Running', containerStatuses: [{ name: 'main', state: { running: {} } }] },
  });
  await s.pass(60);
  s.crash();
  s.cloud.kill(machine);
  await s.pass(2 * 3_600);
  // PodGC, and the ReplicaSet.
  s.server.edit(pods, 'tasks/old', ({ metadata, status }: Pod) => {
    metadata.deletionTimestamp = '2026-01-01T02:00:00Z';
    metadata.deletionGracePeriodSeconds = 0;
    if (status) status.phase = 'Failed';
  });
  s.server.seed(pods, aPod('new', { schedulingGates: [{ name: PLACEMENT }] }));
  return { s, machine };
}

const waits = (s: NonNullable<typeof site>) => conditionOf(s.server.read(platforms, 'us')!, 'TasksWait');

it('runs again once the cloud, which shows everything else, has not known its machine for five minutes', async () => {
  const { s, machine } = await aLostSingleton();
  await s.start();
  await s.pass(60);
  expect(s.server.read(pods, 'tasks/old')).toBeDefined();
  expect(s.server.read(pods, 'tasks/new')?.spec?.schedulingGates).toHaveLength(1);
  expect(waits(s)).toMatchObject({
    status: 'True',
    reason: 'MachineMayRun',
    message: expect.stringContaining(`tasks/old (role always-on) on Node node-${machine}, ${machine}`),
  });
  await s.pass(420);
  expect(s.server.read(pods, 'tasks/old')).toBeUndefined();
  expect(s.server.read(pods, 'tasks/new')?.spec).toMatchObject({
    schedulingGates: [],
    nodeSelector: { [LABEL.generation]: 'blue' },
  });
  await s.pass(60);
  expect(waits(s)).toMatchObject({ status: 'False' });
});

it('waits, however long, for a cloud that shows nothing at all', async () => {
  const { s } = await aLostSingleton();
  s.cloud.shows = () => [];
  await s.start();
  await s.pass(3 * 3_600);
  expect(s.server.read(pods, 'tasks/old')).toBeDefined();
  expect(s.server.read(pods, 'tasks/new')?.spec?.schedulingGates).toHaveLength(1);
  expect(waits(s)).toMatchObject({ status: 'True' });
});
