import { afterEach, describe, expect, it } from '@jest/globals';
import { cutovers } from '../../src/kinds.ts';
import type { ApiRequest } from '../../src/kube/transport.ts';
import { ProviderError } from '../../src/providers/provider.ts';
import { aCutover, refusal } from '../builders/index.ts';
import { expectGolden } from './golden.ts';
import { abort, hasEnded, irreversible, migration, type Site, smoke, when, whole, withGreenStaged } from './site.ts';

/** What the API server, whoever it listens to, and the cloud refuse: said at once, in their words, and tried until it is done. */

let site: Site;
afterEach(() => site.world.operator.crash());

/** Throws what a request is refused with now. */
let law: (request: ApiRequest) => void = () => {};
const withLaw = async (platform = whole()) => {
  law = () => {};
  return withGreenStaged(platform, { fate: { before: (request) => law(request) } });
};

const quota =
  (part: string) =>
  ({ method, resource, query, body }: ApiRequest) => {
    const { name } = (body as { metadata?: { name: string } } | undefined)?.metadata ?? { name: '' };
    if (method !== 'POST' || resource.plural !== 'jobs' || query?.dryRun || !name.includes(part)) return;
    throw refusal(
      403,
      'Forbidden',
      `create Job : jobs.batch "${name}" is forbidden: exceeded quota: one-job, requested: count/jobs.batch=1, used: count/jobs.batch=1, limited: count/jobs.batch=1`,
    );
  };

const DOWN =
  'patch Service edge/www: Internal error occurred: failed calling webhook "services.policy-engine.example.com": failed to call webhook: Post "https://127.0.0.1:1/validate?timeout=2s": dial tcp 127.0.0.1:1: connect: connection refused';
const webhookDown = ({ method, resource, target }: ApiRequest) => {
  if (method === 'PATCH' && resource.plural === 'services' && target?.name === 'www')
    throw refusal(500, 'InternalError', DOWN);
};

const conditionOf = (name: string, type: string) =>
  site.cutover(name).status.conditions?.find((condition) => condition.type === type);
const isBlocked = (name = 'to-green') => conditionOf(name, 'Blocked')?.status === 'True';
/** Writes of a Cutover's status from now on. */
function countingWrites(): () => number {
  let writes = 0;
  site.world.server.subscribe(({ resource }) => {
    if (resource.plural === cutovers.plural) writes++;
  });
  return () => writes;
}
const selected = () =>
  site.world.server.all({ plural: 'services' } as never).find(({ metadata }) => metadata.name === 'www') as unknown as {
    spec: { selector: Record<string, string> };
  };

/** One with which the old generation can live. */
function lasting(name: string, changes: object = {}) {
  const { undo: _, ...rest } = migration(name, changes);
  return rest;
}
const two = (changes: object = {}) =>
  aCutover({ from: 'blue', to: 'green', spec: { migrations: [lasting('first'), lasting('second', changes)] } });

describe('a Job that a quota refuses while traffic is held', () => {
  it('is said at once with quota and remedy, written once, and made when the quota has room', async () => {
    site = await withLaw();
    const { world } = site;
    law = quota('second');
    world.apply(two());
    await world.until('it migrates', () => world.jobs.runs('first') === 1);
    await world.until('it is Blocked', isBlocked, 15);
    expect(conditionOf('to-green', 'Blocked')).toMatchObject({
      reason: 'QuotaExceeded',
      message: expect.stringMatching(
        /^the API server refuses run migration second as Job jobs\/\S+: create Job : .*exceeded quota: one-job, .*Raise the ResourceQuota/,
      ),
    });
    expect(world.operator.events).toContainEqual(
      expect.objectContaining({ type: 'Warning', reason: 'QuotaExceeded', action: 'Reconcile' }),
    );
    const { startTime } = site.cutover('to-green').status.migrations?.[1] ?? {};
    const writes = countingWrites();
    const before = world.server.requests.length;
    await world.run(60);
    expect(writes()).toBe(0);
    const tries = world.server.requests.slice(before).filter((line) => line === 'GET cutovers to-green').length;
    expect(tries).toBeGreaterThanOrEqual(6);
    expect(site.cutover('to-green').status.migrations?.[1]?.startTime).toBe(startTime);
    world.note('the quota is raised');
    law = () => {};
    await world.until('it goes on', () => world.jobs.runs('second') === 1, 12);
    await world.until('it has ended', hasEnded(site, 'to-green'));
    expect(site.cutover('to-green').status.outcome).toBe('Succeeded');
    expect(isBlocked()).toBe(false);
    expectGolden('refused-job', world.log);
  });

  it('is waited for until its deadline, then users are let back in', async () => {
    site = await withLaw();
    const { world } = site;
    const before = site.state();
    law = quota('migrate-second');
    world.apply(two({ deadline: '3m' }));
    await world.until('it goes back', () => site.cutover('to-green').status.undo !== undefined, 200);
    const users = () => selected().spec.selector['generations.dev/generation'] === 'blue';
    await world.until('users are on blue', users, 110);
    await world.run(10);
    const writes = countingWrites();
    await world.run(60);
    expect(writes()).toBe(0);
    expect(isBlocked()).toBe(true);
    law = () => {};
    await world.until('it has ended', hasEnded(site, 'to-green'), 60);
    expect(site.cutover('to-green').status).toMatchObject({
      outcome: 'RolledBack',
      undo: { reason: 'QuotaExceeded', message: expect.stringMatching(/^for 3m in vain: .*exceeded quota: one-job/) },
    });
    await world.run(30);
    expect(site.state()).toEqual(before);
  });

  it('does not keep an abort from letting users back in', async () => {
    site = await withLaw();
    const { world } = site;
    const before = site.state();
    law = quota('second');
    world.apply(two());
    await world.until('it is Blocked', isBlocked);
    await world.run(20);
    abort(site, 'to-green');
    await world.run(5);
    expect(conditionOf('to-green', 'Blocked')).toMatchObject({ status: 'True', reason: 'QuotaExceeded' });
    await world.until(
      'users are on blue',
      () => selected().spec.selector['generations.dev/generation'] === 'blue',
      110,
    );
    // The name of the Job is still to be taken, and the platform is not let go before.
    await world.run(30);
    expect(isBlocked()).toBe(true);
    expect(site.cutover('to-green').status.outcome).toBeUndefined();
    world.note('the quota is raised');
    law = () => {};
    await world.until('it has ended', hasEnded(site, 'to-green'), 60);
    await world.run(30);
    expect(site.cutover('to-green').status.outcome).toBe('Aborted');
    expect(site.state()).toEqual(before);
    expect(world.jobs.runs('second')).toBe(0);
    expectGolden('refused-abort', world.log);
  });

  it('is found out beforehand when the quota is there before', async () => {
    site = await withLaw();
    const { world } = site;
    const hard = { 'count/jobs.batch': '1' };
    world.server.seed(
      { apiVersion: 'v1', kind: 'ResourceQuota', plural: 'resourcequotas', namespaced: true },
      {
        metadata: { name: 'few', namespace: 'jobs', uid: 'uid-few', creationTimestamp: '' },
        status: { hard, used: { 'count/jobs.batch': '0' } },
      },
    );
    world.apply(two());
    await world.until('it is Blocked', isBlocked, 10);
    expect(conditionOf('to-green', 'Blocked')).toMatchObject({
      reason: 'QuotaExceeded',
      message: expect.stringContaining(
        'may make 2 Jobs, which are kept with their pods, and ResourceQuota jobs/few allows 1 of count/jobs.batch and 0 are there',
      ),
    });
    expect(site.cutover('to-green').status.switches).toBeUndefined();
  });
});

describe('an admission webhook that is down', () => {
  const toGreen = () =>
    aCutover({ from: 'blue', to: 'green', spec: { migrations: [migration('schema')], verify: [smoke] } });
  const webhook = { status: 'True', reason: 'WebhookFails', message: expect.stringContaining(DOWN) };

  it('is found out before anything moves', async () => {
    site = await withLaw();
    const { world } = site;
    law = webhookDown;
    world.apply(toGreen());
    await world.until('it is Blocked', isBlocked, 10);
    expect(conditionOf('to-green', 'Blocked')).toMatchObject({ ...webhook, reason: 'SwitchRefused' });
    await world.run(30);
    expect(site.cutover('to-green').status.generations).toBeUndefined();
    law = () => {};
    await world.until('it has ended', hasEnded(site, 'to-green'));
    expect(site.cutover('to-green').status.outcome).toBe('Succeeded');
  });

  it.each(['Hold', 'Release'] as const)('at %s is named within seconds, and is all that it waits for', async (step) => {
    site = await withLaw();
    const { world } = site;
    when(site, ['to-green', step, 'Running'], () => {
      world.note('the policy engine goes down');
      law = webhookDown;
    });
    world.apply(toGreen());
    await world.until(`it is at ${step}`, () => law === webhookDown);
    await world.run(3);
    expect(conditionOf('to-green', 'Blocked')).toMatchObject(webhook);
    const writes = countingWrites();
    await world.run(400);
    expect(writes()).toBe(0);
    expect(conditionOf('to-green', 'Blocked')).toMatchObject(webhook);
    world.note('the policy engine is back');
    law = () => {};
    await world.until('it has ended', hasEnded(site, 'to-green'));
    expect(site.cutover('to-green').status.outcome).toBe('Succeeded');
    expectGolden(`webhook-down-at-${step.toLowerCase()}`, world.log);
  });

  it('while it goes back is named within seconds, and it goes on going back', async () => {
    site = await withLaw();
    const { world } = site;
    const before = site.state();
    world.jobs.fate = (name) => ({ seconds: 5, ...(name.includes('schema') && { fails: ['ERROR: locked'] }) });
    when(site, ['to-green', 'Migrate', 'Running'], () => {
      world.note('the policy engine goes down');
      law = webhookDown;
    });
    world.apply(toGreen());
    await world.until('it goes back', () => site.cutover('to-green').status.undo !== undefined);
    await world.until('it is Blocked', isBlocked, 15);
    expect(conditionOf('to-green', 'Blocked')).toMatchObject(webhook);
    await world.run(60);
    world.note('the policy engine is back');
    law = () => {};
    await world.until('it has ended', hasEnded(site, 'to-green'), 30);
    await world.run(30);
    expect(site.cutover('to-green').status.outcome).toBe('RolledBack');
    expect(site.state()).toEqual(before);
    expectGolden('webhook-down-going-back', world.log);
  });
});

describe('every kind of effect', () => {
  /** Writes of one kind, other than dry runs; reads pass. */
  const refusing = (is: (request: ApiRequest) => boolean) => (request: ApiRequest) => {
    if (request.method !== 'GET' && !request.query?.dryRun && is(request))
      throw refusal(403, 'Forbidden', `${request.method} ${request.resource.kind}: a policy says no`);
  };
  it.each([
    ['finalizer', ({ resource, target }: ApiRequest) => resource.kind === 'Cutover' && !target?.subresource],
    ['writeGeneration', ({ resource }: ApiRequest) => resource.kind === 'ClusterGeneration'],
    ['writePlatform', ({ resource }: ApiRequest) => resource.kind === 'Platform'],
    ['switch', ({ resource, target }: ApiRequest) => resource.kind === 'Service' && target?.name === 'www'],
    ['startJob', ({ resource }: ApiRequest) => resource.kind === 'Job'],
    ['preview', ({ resource, target }: ApiRequest) => resource.kind === 'Service' && target?.name === 'www-preview'],
  ])('that is refused, %s, is Blocked with what refuses it, and goes on', async (_, is) => {
    site = await withLaw();
    const { world } = site;
    world.apply(
      aCutover({
        from: 'blue',
        to: 'green',
        spec: { migrations: [irreversible('drop')], verify: [{ ...smoke, deadline: '10m' }], paused: true },
      }),
    );
    await world.run(5);
    law = refusing(is);
    world.edit('to-green', 'somebody lets it go', (spec) => {
      delete spec.paused;
    });
    await world.until('it is Blocked', isBlocked, 120);
    expect(conditionOf('to-green', 'Blocked')).toMatchObject({
      reason: 'Forbidden',
      message: expect.stringContaining('a policy says no'),
    });
    await world.run(2);
    const writes = countingWrites();
    await world.run(45);
    expect(writes()).toBe(0);
    law = () => {};
    await world.until('it has ended', hasEnded(site, 'to-green'));
    expect(site.cutover('to-green').status.outcome).toBe('Succeeded');
    expect(isBlocked()).toBe(false);
  });
});

describe('tasks that may not be ended', () => {
  it('are named while traffic is held, on the Platform and the cutover, and it goes on when they may', async () => {
    site = await withLaw();
    const { world } = site;
    law = ({ method, resource, target }) => {
      if (method === 'DELETE' && resource.plural === 'pods' && target?.namespace === 'tasks')
        throw refusal(403, 'Forbidden', `delete Pod tasks/${target.name}: a policy says no`);
    };
    world.apply(aCutover({ from: 'blue', to: 'green' }));
    await world.until('it is Blocked', isBlocked, 30);
    const said = { status: 'True', reason: 'Forbidden', message: expect.stringContaining('a policy says no') };
    expect(conditionOf('to-green', 'Blocked')).toMatchObject(said);
    const placed = () => site.platform().status.conditions?.find(({ type }) => type === 'TasksPlaced');
    expect(placed()).toMatchObject({ ...said, status: 'False' });
    const writes = countingWrites();
    await world.run(45);
    expect(writes()).toBe(0);
    law = () => {};
    await world.until('it has ended', hasEnded(site, 'to-green'), 120);
    expect(site.cutover('to-green').status.outcome).toBe('Succeeded');
    expect(placed()?.status).toBe('True');
  });
});

describe('a rollback to a stopped standby', () => {
  it('that the cloud has no room for is Blocked with its words, the same ones at each try', async () => {
    site = await withLaw(whole({ retention: { standby: 'Stopped', for: '1h' } }));
    const { world } = site;
    world.apply(aCutover({ from: 'blue', to: 'green' }));
    await world.until('green is live', hasEnded(site, 'to-green'));
    await world.run(300);
    world.cloud.guardFate = (call) => {
      if (call === 'start')
        throw new ProviderError(
          'StartInstances (a stopped machine) was refused: InsufficientInstanceCapacity: no m6i.',
          {
            reason: 'CapacityUnavailable',
            code: 'InsufficientInstanceCapacity',
            refused: true,
          },
        );
    };
    world.apply(aCutover({ name: 'back', from: 'green', to: 'blue', spec: { mode: 'Rollback' } }));
    await world.until('it is Blocked', () => isBlocked('back'), 30);
    await world.run(30);
    const told = conditionOf('back', 'Blocked');
    expect(told).toMatchObject({ reason: 'CapacityUnavailable' });
    expect(told?.message).toMatch(
      /^blue is kept stopped, and since \S+ its pool blue\.\S+ cannot be started .*InsufficientInstanceCapacity: no m6i\. .*retryTime.*Nothing has moved/,
    );
    const writes = countingWrites();
    await world.run(400);
    expect(writes()).toBe(0);
    expect(conditionOf('back', 'Blocked')).toEqual(told);
    world.cloud.guardFate = () => {};
    await world.until('it has ended', hasEnded(site, 'back'));
    expect(site.cutover('back').status.outcome).toBe('Succeeded');
  });
});
