import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Cutover } from '../../src/api/v1alpha1/index.ts';
import { aliveOf } from './ledger.ts';
import {
  aClass,
  aCutover,
  aGeneration,
  aPlatform,
  aScenario,
  aWorkload,
  edgeNamespace,
  TRAFFIC,
  wwwService,
} from './objects.ts';
import { condition, has, inStage, startWorld, type World } from './world.ts';

/**
 * The cloud answers with less than there is, as a success, on the real parts: at rest, longer than any absence takes to
 * count, and while a cutover is under way. Nothing is launched, ended, undone or declared because of it.
 */

const SCALE = 30;
/** Real ms of a declared minute. */
const MINUTE = 60_000 / SCALE;
/** Longer than an absence takes to count. */
const WHILE = 8 * MINUTE;

const POOLS = { lb: { role: 'load-balancer', machines: 2 }, web: { machines: 3 } };
const SIZE = 5;

let world: World;

beforeAll(async () => {
  world = await startWorld({ scenario: aScenario(), timeScale: SCALE });
  await world.apply('admin', edgeNamespace, wwwService);
  await world.apply('gitops', aClass('local', world.cloud), aPlatform('site', 'local', { traffic: TRAFFIC }));
  for (const name of ['ga-1', 'ga-2']) {
    await world.apply('alice', aGeneration(name, 'site', POOLS));
    await world.apply('admin', aWorkload('site', name, 3));
    await world.until('clustergenerations', name, 'to be staged', has('Ready', 'True'));
  }
  await world.apply('alice', aCutover('to-1', 'site', '', 'ga-1'));
  await world.until('clustergenerations', 'ga-1', 'to be live', inStage('Live'));
  // Old enough that the cloud has to show them.
  await sleep(6 * MINUTE);
}, 180_000);

afterAll(() => world?.stop(), 30_000);

const ANSWERS: [what: string, operation: string, effect: object][] = [
  ['no machines', 'DescribeInstances', { omits: 1 }],
  ['half of the machines', 'DescribeInstances', { omits: 0.5 }],
  ['no addresses', 'DescribeAddresses', { omits: 1 }],
  ['no subnets', 'DescribeSubnets', { omits: 1 }],
];

/** Calls of the operator that changed machines. */
const changes = async () =>
  (await world.ledger()).calls.filter(
    ({ operation, caller }) =>
      caller === 'operator' && ['RunInstances', 'TerminateInstances', 'StopInstances'].includes(operation),
  ).length;

const during = async <T>(operation: string, effect: object, act: () => Promise<T>): Promise<T> => {
  await world.addFault({ name: 'lacking', operations: [operation], effect });
  try {
    return await act();
  } finally {
    await world.removeFault('lacking');
  }
};

describe('a cloud that shows', () => {
  it.each(ANSWERS)(
    '%s for a while: the platform stays as it is',
    async (_, operation, effect) => {
      const before = await changes();
      await during(operation, effect, async () => {
        await sleep(WHILE);
        const { status } = (await world.get('platforms', 'site'))!;
        expect(status.live?.name).toBe('ga-1');
        expect(status.protected).toContain('ga-1');
        for (const pool of await world.list('generationpools')) {
          expect(pool.status.machines?.launched).toBe(pool.spec.machines);
          expect(condition(pool, 'Ready')?.status).not.toBe('False');
        }
      });
      expect(await changes()).toBe(before);
      for (const name of ['ga-1', 'ga-2']) {
        await world.until('clustergenerations', name, 'to be Ready', has('Ready', 'True'));
        expect(aliveOf(await world.ledger(), name)).toHaveLength(SIZE);
      }
      await world.until('platforms', 'site', 'to serve', has('Ready', 'True', 'Serving'));
    },
    60_000,
  );

  it.each(ANSWERS.slice(0, 3))(
    '%s while a cutover is under way: it waits, goes back for nothing, and ends well',
    async (what, operation, effect) => {
      const [from, to] =
        (await world.get('platforms', 'site'))!.status.live!.name === 'ga-1' ? ['ga-1', 'ga-2'] : ['ga-2', 'ga-1'];
      const name = `to-${to}-${what.replaceAll(' ', '-')}`;
      const before = await changes();
      await during(operation, effect, async () => {
        const spec = what === 'no machines' ? {} : { mode: 'Rollback' };
        await world.apply('alice', aCutover(name, 'site', from!, to!, spec));
        await sleep(2 * MINUTE);
        const { status } = (await world.get('cutovers', name))!;
        expect(status.undo).toBeUndefined();
        expect(status.outcome === undefined || status.outcome === 'Succeeded').toBe(true);
      });
      const ended = ({ status }: Cutover) => status.outcome !== undefined;
      const { status } = await world.until('cutovers', name, 'to end', ended);
      expect(status.outcome).toBe('Succeeded');
      expect(await changes()).toBe(before);
      for (const one of ['ga-1', 'ga-2']) expect(aliveOf(await world.ledger(), one)).toHaveLength(SIZE);
    },
    90_000,
  );
});

it('has claimed nothing all the while that the cloud denies', () => {
  expect(world.falseClaims()).toEqual([]);
});
