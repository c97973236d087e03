import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '../../../local/wait.ts';
import type { Cutover } from '../../../src/api/v1alpha1/index.ts';
import type { Context } from '../../../src/controllers/context.ts';
import { answersOf, pointPreview } from '../../../src/controllers/cutover/checks.ts';
import type { Action, CutoverInput, Effect, Step } from '../../../src/controllers/cutover/input.ts';
import { releases } from '../../../src/controllers/cutover/job-runs.ts';
import { jobViewsOf, releaseJob, startJob } from '../../../src/controllers/cutover/jobs.ts';
import { migrate } from '../../../src/controllers/cutover/steps/migrate.ts';
import { verify } from '../../../src/controllers/cutover/steps/verify.ts';
import { trialOf } from '../../../src/controllers/cutover/trial.ts';
import { cutovers } from '../../../src/kinds.ts';
import { deleteObject } from '../../../src/kube/delete.ts';
import { jobs, nodes, pods, resourceQuotas, services } from '../../../src/kube/resources.ts';
import { writeStatus } from '../../../src/kube/status.ts';
import { aCutoverInput } from '../../builders/index.ts';
import { type Ground, type Site, startGround, startProxy } from './ground.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await startGround();
}, 60_000);
afterAll(() => ground?.stop());

const template = (changes: object = {}) => ({
  spec: {
    template: {
      spec: { nodeName: ground.node, containers: [{ name: 'main', image: 'example.com/main:1' }], ...changes },
    },
  },
});
const aMigration = (name: string, changes: object = {}) => ({
  name,
  reversible: true,
  jobTemplate: template(),
  ...changes,
});

/** What the engine does with one step, in a process of its own. `dies`: how far it gets. */
async function look(
  site: Site,
  step: Step,
  { dies, back = false }: { dies?: 'before its effects' | 'after its effects'; back?: boolean } = {},
): Promise<{ action: Action | 'done'; late(): Promise<void> }> {
  const context = ground.operator();
  const input = await gathered(context, site);
  if (!back && step.done(input)) return { action: 'done', late: async () => {} };
  const action = back ? step.undo(input) : step.act(input);
  if (!action) return { action: 'done', late: async () => {} };
  const journal = 'journal' in action ? action.journal : undefined;
  const status = { ...input.cutover.status, ...journal };
  if (journal) await writeStatus(context.client, cutovers, input.cutover, status);
  const effects = [...releases(input, status), ...('effects' in action ? action.effects : [])];
  const late = async () => {
    for (const effect of effects) await carryOut(context, input, effect);
  };
  if (dies !== 'before its effects') await late();
  return { action, late };
}

async function gathered(context: Context, site: Site): Promise<CutoverInput> {
  const cutover = await site.cutover();
  const { platform } = site;
  const views = await jobViewsOf(context, cutover);
  const answers = await answersOf(context, cutover, platform);
  const { clock } = context;
  return aCutoverInput({ cutover, platform, jobs: views, answers, now: clock.now(), scaled: clock.scaled });
}

async function carryOut(context: Context, { cutover, platform }: CutoverInput, effect: Effect): Promise<void> {
  if (effect.do === 'startJob') await startJob(context, { cutover, platform }, effect);
  else if (effect.do === 'releaseJob') await releaseJob(context, effect);
  else if (effect.do === 'preview') await pointPreview(context, platform, effect);
  else throw new Error(`no effect of Jobs and checks: ${effect.do}`);
}

/** Looks again and again, as the engine does, until an action is as wished. */
const lookUntil = (site: Site, step: Step, what: string, wish: (action: Action | 'done') => boolean, back = false) =>
  waitFor(what, { limitMs: 20_000, everyMs: 50 }, async () => {
    const { action } = await look(site, step, { back });
    return wish(action) ? action : undefined;
  });

const hasFailed = (action: Action | 'done') => action !== 'done' && 'failed' in action;
const isDone = (action: Action | 'done') => action === 'done';
const nameOf = (key: string | undefined) => key?.split('/')[1] ?? '';
const migrationsOf = async (site: Site) => (await site.cutover()).status.migrations ?? [];
const jobOf = async (site: Site, index = 0) => nameOf((await migrationsOf(site))[index]?.job);

/** As kubectl does. */
async function deleteJob(site: Site): Promise<void> {
  const { name, uid, resourceVersion } = (await site.jobs())[0]?.metadata ?? { name: '', uid: '', resourceVersion: '' };
  const about = { name, namespace: site.name, uid, resourceVersion };
  await deleteObject(ground.admin, jobs, about, { propagationPolicy: 'Background' });
}

const podsOf = async (site: Site) => (await ground.admin.list(pods, { namespace: site.name })).items;

/** A migration whose pod runs, and was seen to. */
async function aRunning(migration: object): Promise<{ site: Site; job: string }> {
  const site = await ground.aCutover({ migrations: [aMigration('schema', migration)] });
  await look(site, migrate);
  const job = await jobOf(site);
  const pod = await site.podOf(job);
  const state = { running: { startedAt: new Date().toISOString() } };
  const containerStatuses = [{ name: 'main', ready: true, restartCount: 0, image: 'x', imageID: '', state }];
  const about = { type: 'merge' as const, namespace: site.name, subresource: 'status' };
  await ground.admin.patch(pods, pod.metadata.name, { status: { phase: 'Running', containerStatuses } }, about);
  await look(site, migrate);
  expect(await migrationsOf(site)).toMatchObject([{ state: 'Running', uid: expect.any(String) }]);
  return { site, job };
}

/** Looks again and again until the pod is told to end; nothing else may come of it. */
const lookUntilTold = (site: Site, back: boolean) =>
  waitFor('the pod to be told to end', { limitMs: 20_000, everyMs: 50 }, async () => {
    expect((await look(site, migrate, { back })).action).toHaveProperty('waitFor');
    const found = await podsOf(site);
    expect(found).toHaveLength(1);
    return found[0]?.metadata.deletionTimestamp;
  });

describe('a migration whose Job is deleted while it runs', () => {
  it('is seen to end, and is not run again', async () => {
    const { site, job } = await aRunning({ reversible: true });
    await deleteJob(site);
    await lookUntilTold(site, false);
    await waitFor('the Job to be gone', { limitMs: 10_000 }, async () => (await site.jobs()).length === 0 || undefined);
    expect((await look(site, migrate)).action).toMatchObject({ waitFor: expect.stringContaining('its Job is gone') });
    await site.end(job, 143);
    await lookUntil(site, migrate, 'the failure', hasFailed);
    expect(await migrationsOf(site)).toMatchObject([{ state: 'Failed', interrupted: true }]);
    for (let again = 0; again < 3; again++)
      expect((await look(site, migrate)).action).toMatchObject({ failed: { reason: 'MigrationFailed' } });
    expect(await site.jobs()).toEqual([]);
    expect((await podsOf(site)).map(({ metadata }) => metadata.finalizers ?? [])).toEqual([[]]);
  }, 60_000);

  it('is seen to end before it is undone', async () => {
    const { site, job } = await aRunning({ reversible: true, undo: { jobTemplate: template() } });
    await deleteJob(site);
    await lookUntilTold(site, true);
    expect((await look(site, migrate, { back: true })).action).toHaveProperty('waitFor');
    await site.end(job, 143);
    await lookUntil(site, migrate, 'nothing left to undo', isDone, true);
    expect(await migrationsOf(site)).toMatchObject([{ state: 'Failed', interrupted: true }]);
    expect(await podsOf(site)).toHaveLength(1);
  }, 60_000);

  it('and is kept by nobody, has an end that people are asked for', async () => {
    const { site } = await aRunning({ reversible: false });
    const [pod] = await podsOf(site);
    const free = { metadata: { finalizers: null } };
    const about = { type: 'merge' as const, namespace: site.name };
    await deleteJob(site);
    await ground.admin.patch(jobs, await jobOf(site), free, about);
    await ground.admin.patch(pods, pod?.metadata.name ?? '', free, about);
    await waitFor('the Job to be gone', { limitMs: 10_000 }, async () => (await site.jobs()).length === 0 || undefined);
    const now = (await podsOf(site))[0]?.metadata;
    if (now) {
      const { name, uid, resourceVersion } = now;
      const target = { name, namespace: site.name, uid, resourceVersion };
      await deleteObject(ground.admin, pods, target, { gracePeriodSeconds: 0 });
    }
    await lookUntil(site, migrate, 'the question', hasFailed);
    expect((await look(site, migrate)).action).toMatchObject({ failed: { reason: 'MigrationEndUnknown' } });
    expect(await site.jobs()).toEqual([]);
    const [{ uid } = { uid: '' }] = await migrationsOf(site);
    const decision = { spec: { settled: [{ uid, as: 'Ran' }] } };
    await ground.admin.patch(cutovers, site.name, decision, { type: 'merge' });
    await lookUntil(site, migrate, 'the end', isDone);
    expect(await migrationsOf(site)).toMatchObject([{ state: 'Committed' }]);
  }, 60_000);
});

describe('a Job that has ended while nobody looked', () => {
  it('of an irreversible migration is not run again when it was deleted meanwhile', async () => {
    const { site, job } = await aRunning({ reversible: false });
    await site.end(job, 0);
    await waitFor('Complete', { limitMs: 15_000 }, async () => {
      const conditions = (await site.jobs())[0]?.status?.conditions ?? [];
      return conditions.some(({ type }) => type === 'Complete') || undefined;
    });
    await deleteJob(site);
    expect((await site.jobs())[0]?.metadata).toMatchObject({ finalizers: ['generations.dev/job'] });
    await lookUntil(site, migrate, 'the end', isDone);
    expect(await migrationsOf(site)).toMatchObject([{ state: 'Committed' }]);
    await waitFor('both to be gone', { limitMs: 15_000 }, async () => {
      const left = [...(await site.jobs()), ...(await podsOf(site))];
      return left.every(({ metadata }) => (metadata.finalizers ?? []).length === 0) || undefined;
    });
  }, 60_000);

  it('of a check is there until that is written down, whatever its template says', async () => {
    const hasty = { spec: { ttlSecondsAfterFinished: 0, ...template().spec } };
    const site = await ground.aCutover({ verify: [{ name: 'smoke', deadline: '2m', jobTemplate: hasty }] });
    await look(site, verify);
    const [created] = await site.jobs();
    expect(created?.spec).toMatchObject({ ttlSecondsAfterFinished: 3600 });
    await site.end(created?.metadata.name ?? '', 0);
    await lookUntil(site, verify, 'the check to pass', isDone);
    expect((await site.cutover()).status.checks).toMatchObject([{ name: 'smoke', state: 'Passed', round: 0 }]);
    const [after, ...others] = await site.jobs();
    expect(others).toEqual([]);
    expect(after?.metadata).toMatchObject({ uid: created?.metadata.uid });
    expect(after?.metadata.finalizers ?? []).toEqual([]);
  }, 40_000);
});

describe('a migration', () => {
  it('has its Job created once, whenever the operator dies, and is committed when that has succeeded', async () => {
    const site = await ground.aCutover({ migrations: [aMigration('schema'), aMigration('index')] });
    const former = await look(site, migrate, { dies: 'before its effects' });
    expect(await site.jobs()).toEqual([]);
    expect(await migrationsOf(site)).toMatchObject([{ name: 'schema', state: 'Running' }]);
    await look(site, migrate, { dies: 'after its effects' });
    const [created] = await site.jobs();
    expect(created?.metadata).toMatchObject({
      name: await jobOf(site),
      labels: { 'generations.dev/cutover': site.name },
    });
    expect((await look(site, migrate)).action).toHaveProperty('waitFor');
    await site.end(await jobOf(site), 0);
    const started = (action: Action | 'done') => action !== 'done' && 'effects' in action && action.effects.length > 0;
    await lookUntil(site, migrate, 'the second migration', started);
    // The former operator was only stopped, and goes on where it was.
    await former.late();
    await site.end(await jobOf(site, 1), 0);
    await lookUntil(site, migrate, 'the end of both', isDone);
    expect(await migrationsOf(site)).toMatchObject([{ state: 'Committed' }, { state: 'Committed' }]);
    const made = await site.jobs();
    expect(made).toHaveLength(2);
    expect(made.map(({ metadata }) => metadata.uid)).toContain(created?.metadata.uid);
    expect((await ground.admin.list(pods, { namespace: site.name })).items).toHaveLength(2);
  }, 40_000);

  it('that fails says why, with the last lines of its log, and is run again when its Job is deleted', async () => {
    const site = await ground.aCutover({ migrations: [aMigration('schema')] });
    await look(site, migrate);
    const job = await jobOf(site);
    const pod = await site.podOf(job);
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index + 1}`);
    ground.logs[pod.metadata.name] = [...lines, '\u001b[31mrelation "users" is locked\u001b[0m', ''].join('\n');
    await site.end(job, 3);
    const failed = await lookUntil(site, migrate, 'the failure', (action) => action !== 'done' && 'failed' in action);
    const [entry] = await migrationsOf(site);
    expect(entry).toMatchObject({ state: 'Failed' });
    expect(entry?.message?.split('\n')).toEqual([
      `BackoffLimitExceeded: Job has reached the specified backoff limit; container main ended with exit code 3. Last lines of pod ${pod.metadata.name}:`,
      ...lines.slice(-9),
      'relation "users" is locked',
    ]);
    expect(failed).toMatchObject({ failed: { message: expect.stringContaining('relation "users" is locked') } });

    await deleteJob(site);
    const again = await lookUntil(site, migrate, 'another Job', (action) => action !== 'done' && 'waitFor' in action);
    expect(again).toHaveProperty('waitFor');
    await site.end(job, 0);
    await lookUntil(site, migrate, 'the end', isDone);
  }, 40_000);

  it('without a log has the reason alone, and is ended by Kubernetes at its deadline', async () => {
    const nowhere = { deadline: '1s', jobTemplate: template({ nodeName: undefined }) };
    const site = await ground.aCutover({ migrations: [aMigration('schema', nowhere)] });
    await look(site, migrate);
    expect((await site.jobs())[0]?.spec).toMatchObject({ activeDeadlineSeconds: 1, backoffLimit: 0 });
    await lookUntil(site, migrate, 'the deadline', (action) => action !== 'done' && 'failed' in action);
    const [entry] = await migrationsOf(site);
    expect(entry?.message).toContain('DeadlineExceeded: Job was active longer than specified deadline');
  }, 40_000);

  it('that was never begun can no longer begin once the cutover goes back', async () => {
    const site = await ground.aCutover({ migrations: [aMigration('schema')] });
    const former = await look(site, migrate, { dies: 'before its effects' });
    await lookUntil(site, migrate, 'nothing left to undo', isDone, true);
    await former.late();
    const [job, ...others] = await site.jobs();
    expect(job?.spec?.suspend).toBe(true);
    expect(others).toEqual([]);
    expect(await migrationsOf(site)).toMatchObject([
      { state: 'Failed', message: expect.stringContaining('never ran') },
    ]);
  }, 40_000);

  it('that is committed is undone by its own Job', async () => {
    const undo = { jobTemplate: template() };
    const site = await ground.aCutover({ migrations: [aMigration('schema', { undo })] });
    await look(site, migrate);
    await site.end(await jobOf(site), 0);
    await lookUntil(site, migrate, 'the end', isDone);
    await look(site, migrate, { back: true, dies: 'before its effects' });
    await look(site, migrate, { back: true });
    expect(await site.jobs()).toHaveLength(2);
    await site.end(await jobOf(site), 0);
    await lookUntil(site, migrate, 'the undo', isDone, true);
    expect(await migrationsOf(site)).toMatchObject([{ state: 'Undone' }]);
  }, 40_000);

  it("does not take somebody else's Job of its name for its own", async () => {
    const site = await ground.aCutover({ migrations: [aMigration('schema')] });
    const { late } = await look(site, migrate, { dies: 'before its effects' });
    const metadata = { name: await jobOf(site), namespace: site.name };
    await ground.admin.create(jobs, { metadata, ...template({ restartPolicy: 'Never' }) });
    await expect(late()).rejects.toThrow(
      `Job ${site.name}/${metadata.name} is there already and was not made by Cutover ${site.name}: delete it`,
    );
  }, 40_000);
});

describe('before anything moves', () => {
  it('the API server says what it would refuse, and nothing is created', async () => {
    const wrong = { jobTemplate: template({ restartPolicy: 'Always' }) };
    const site = await ground.aCutover({ migrations: [aMigration('fine'), aMigration('schema', wrong)] });
    const trial = await trialOf(ground.operator(), await site.cutover(), site.platform);
    expect(trial?.reason).toBe('JobRefused');
    expect(trial?.message).toMatch(/the Job of migration schema: .*restartPolicy/);
    expect(await site.jobs()).toEqual([]);
  }, 20_000);

  it('all Jobs together have room in the quotas, and a pod of each is let in', async () => {
    const site = await ground.aCutover({ migrations: [aMigration('first'), aMigration('second')] });
    const trial = async () => trialOf(ground.operator(), await site.cutover(), site.platform);
    expect(await trial()).toBeUndefined();
    const lift = await quotaOf(site, { 'count/jobs.batch': '1' });
    expect(await trial()).toEqual({
      reason: 'QuotaExceeded',
      message: `this cutover may make 2 Jobs, which are kept with their pods, and ResourceQuota ${site.name}/quota allows 1 of count/jobs.batch and 0 are there: raise the quota, or delete what it counts`,
    });
    await lift();
    await quotaOf(site, { 'limits.cpu': '10', 'limits.memory': '10Gi' });
    const refused = await trial();
    expect(refused?.reason).toBe('PodsRefused');
    expect(refused?.message).toMatch(
      /the pod of migration first, .*failed quota: quota: must specify limits\.cpu for: main/,
    );
    expect(await site.jobs()).toEqual([]);
  }, 20_000);

  it('the namespace, the service account and the previews have to be there', async () => {
    const site = await ground.aCutover({ migrations: [aMigration('schema')], verify: [smoke] }, traffic('nowhere'));
    const context = ground.operator();
    const cutover = await site.cutover();
    const tried = async (serviceAccountName: string) => {
      const where = { namespace: site.name, serviceAccountName };
      const platform = { ...site.platform, spec: { ...site.platform.spec, jobs: where } };
      return trialOf(context, cutover, platform);
    };
    expect(await tried('nobody')).toMatchObject({ reason: 'ServiceAccountNotFound' });
    expect(await tried('cutover')).toMatchObject({ reason: 'PreviewNotFound' });
    const ports = [{ port: 8080 }];
    const service = {
      metadata: { name: 'www-preview', namespace: site.name },
      spec: { ports, selector: { app: 'www' } },
    };
    await ground.admin.create(services, service);
    const here = { ...site, platform: { ...site.platform, spec: { ...site.platform.spec, ...traffic(site.name) } } };
    expect(await trialOf(context, cutover, here.platform)).toMatchObject({
      reason: 'SelectorOwnedByAnother',
      message: expect.stringContaining('is managed by kit-test'),
    });
  }, 20_000);
});

/** A ResourceQuota that the controller manager has looked at; returns what takes it away. */
async function quotaOf(site: Site, hard: Record<string, string>): Promise<() => Promise<void>> {
  const metadata = { name: 'quota', namespace: site.name };
  await ground.admin.create(resourceQuotas, { metadata, spec: { hard } });
  await waitFor('the quota to be counted', { limitMs: 20_000 }, async () => {
    const { status } = await ground.admin.get(resourceQuotas, 'quota', { namespace: site.name });
    return status?.used && Object.keys(hard).every((key) => status.used?.[key] !== undefined) ? true : undefined;
  });
  return async () => {
    const { uid, resourceVersion } = (await ground.admin.get(resourceQuotas, 'quota', { namespace: site.name }))
      .metadata;
    await deleteObject(ground.admin, resourceQuotas, { ...metadata, uid, resourceVersion });
  };
}

describe('a Job whose pods are refused', () => {
  it('says so while it waits and when it has failed, in the same words each time', async () => {
    const site = await ground.aCutover({ migrations: [aMigration('schema', { deadline: '3s' })] });
    await quotaOf(site, { 'limits.cpu': '10' });
    await look(site, migrate);
    const seen = new Set<string>();
    const view = await waitFor('the Job to fail', { limitMs: 30_000, everyMs: 100 }, async () => {
      const [one] = await jobViewsOf(ground.operator(), await site.cutover());
      if (one?.refused) seen.add(one.refused);
      return one?.state === 'Failed' ? one : undefined;
    });
    const job = await jobOf(site);
    const words = `pods "${job}" is forbidden: failed quota: quota: must specify limits.cpu for: main`;
    expect([...seen]).toEqual([words]);
    expect(view.message).toContain(
      `DeadlineExceeded: Job was active longer than specified deadline; its pods were refused: ${words}`,
    );
  }, 50_000);
});

const smoke: NonNullable<Cutover['spec']['verify']>[number] = {
  name: 'smoke',
  http: { target: 'www', path: '/healthz?deep=1', expectStatus: 200 },
  deadline: '2s',
};
const traffic = (namespace: string) => ({
  traffic: [
    { name: 'www', role: 'web', service: { namespace, name: 'www' }, preview: { namespace, name: 'www-preview' } },
  ],
});

describe('an http check', () => {
  let status = 503;
  let proxy: Awaited<ReturnType<typeof startProxy>>;
  beforeAll(async () => {
    proxy = await startProxy(() => status);
    process.env.http_proxy = proxy.url;
  });
  afterAll(() => {
    delete process.env.http_proxy;
    proxy.close();
  });

  async function aReadyPod(site: Site, generation: string, nodeName: string): Promise<void> {
    const name = `web-${generation}`;
    const labels = {
      'generations.dev/platform': site.name,
      'generations.dev/role': 'web',
      'generations.dev/generation': generation,
    };
    const spec = { nodeName, serviceAccountName: 'cutover', containers: [{ name: 'web', image: 'example.com/web:1' }] };
    await ground.admin.create(nodes, { metadata: { name: nodeName } });
    await ground.admin.create(pods, { metadata: { name, namespace: site.name, labels }, spec });
    const podIP = generation === 'blue' ? '10.1.0.1' : '10.1.0.2';
    const status = {
      phase: 'Running',
      podIP,
      podIPs: [{ ip: podIP }],
      conditions: [{ type: 'Ready', status: 'True' }],
    };
    const about = { type: 'merge' as const, namespace: site.name, subresource: 'status' };
    await ground.admin.patch(pods, name, { status }, about);
  }

  /** A preview that still shows blue, and a ready pod of each generation. */
  async function aPreview(): Promise<Site> {
    const site = await ground.aCutover({ verify: [smoke] });
    Object.assign(site.platform.spec, traffic(site.name));
    const metadata = { name: 'www-preview', namespace: site.name };
    await ground.admin.create(services, { metadata, spec: { ports: [{ port: 8080 }] } });
    const before = { targets: ['www'], generation: 'blue', do: 'preview' as const, what: '' };
    await pointPreview(ground.operator(), site.platform, before);
    for (const generation of ['blue', 'green']) {
      const node = `${site.name}-${generation}`;
      ground.generations[node] = generation;
      await aReadyPod(site, generation, node);
    }
    return site;
  }

  it('asks through the proxy, the new generation only, and not before the preview shows it', async () => {
    status = 200;
    const site = await aPreview();
    const begun = await look(site, verify, { dies: 'before its effects' });
    expect(begun.action).toMatchObject({ effects: [{ do: 'preview' }] });
    await look(site, verify);
    await lookUntil(site, verify, 'the check to pass', isDone);
    const url = `GET http://www-preview.${site.name}.svc:8080/healthz?deep=1`;
    expect(proxy.asked.length).toBeGreaterThan(0);
    expect([...new Set(proxy.asked)]).toEqual([url]);
    const [entry] = (await site.cutover()).status.checks ?? [];
    expect(entry).toMatchObject({ name: 'smoke', state: 'Passed', round: 0 });
    expect(Date.parse(entry?.endTime ?? '') - Date.parse(entry?.startTime ?? '')).toBeGreaterThanOrEqual(2_000);
    const { spec } = await ground.admin.get(services, 'www-preview', { namespace: site.name });
    expect(spec?.selector).toMatchObject({ 'generations.dev/generation': 'green' });
  }, 30_000);

  it('fails at its deadline with what was answered', async () => {
    status = 503;
    const site = await aPreview();
    const failed = await lookUntil(site, verify, 'the failure', (action) => action !== 'done' && 'failed' in action);
    expect(failed).toMatchObject({
      failed: {
        reason: 'CheckFailed',
        message: `check smoke of target www: GET http://www-preview.${site.name}.svc:8080/healthz?deep=1 was answered 503, expected 200`,
      },
    });
  }, 30_000);

  it('asks nobody while the endpoints of the preview are on machines of another generation', async () => {
    const site = await aPreview();
    await look(site, verify);
    ground.generations[`${site.name}-green`] = 'blue';
    const context = ground.operator();
    const before = proxy.asked.length;
    const [answer] = await waitFor('endpoints', { limitMs: 10_000, everyMs: 50 }, async () => {
      const answers = await answersOf(context, await site.cutover(), site.platform);
      return answers[0]?.message.includes('1 ready endpoints') ? answers : undefined;
    });
    expect(answer).toEqual({
      check: 'smoke',
      message: 'the preview of www has 1 ready endpoints, 1 of them not on machines of green',
    });
    expect(proxy.asked).toHaveLength(before);
  }, 30_000);

  it('says why nothing answered', async () => {
    const site = await aPreview();
    await look(site, verify);
    proxy.close();
    const [answer] = await waitFor('an answer', { limitMs: 10_000, everyMs: 50 }, async () => {
      const answers = await answersOf(ground.operator(), await site.cutover(), site.platform);
      return answers[0]?.message.includes('no answer') ? answers : undefined;
    });
    expect(answer?.status).toBeUndefined();
    expect(answer?.message).toContain('ECONNREFUSED');
  }, 30_000);
});
