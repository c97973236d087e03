import { describe, expect, it } from '@jest/globals';
import { aCutover, aPlatform } from '../../../test/builders/index.ts';
import { hashOf, isVoid, jobName, kept, manifestOf, passing, VOID_TEMPLATE, workOf } from './job-manifest.ts';

const cutover = aCutover({ from: 'blue' });
const platform = aPlatform({ spec: { jobs: { namespace: 'jobs', serviceAccountName: 'cutover' } } });
const about = { name: 'a-job', namespace: 'jobs', deadline: 90_500 };
const containers = [{ name: 'main', image: 'example.com/migrate:1' }];
const template = { spec: { template: { spec: { containers } } } };

describe("a Job's name", () => {
  it('says what it is for, and stays the same', () => {
    expect(jobName(cutover, 'migrate', 'schema')).toMatch(/^to-green-migrate-schema-[0-9a-f]{8}$/);
    expect(jobName(cutover, 'migrate', 'schema')).toBe(jobName(cutover, 'migrate', 'schema'));
  });

  it('is that of no other cutover, purpose, item or round', () => {
    const namesake = aCutover({ metadata: { uid: 'another' } });
    const names = [
      jobName(cutover, 'migrate', 'schema'),
      jobName(namesake, 'migrate', 'schema'),
      jobName(cutover, 'undo', 'schema'),
      jobName(cutover, 'migrate', 'index'),
      jobName(cutover, 'soak', 'schema', 1),
      jobName(cutover, 'soak', 'schema', 2),
    ];
    expect(new Set(names).size).toBe(names.length);
  });

  it.each([
    ['a', 'schema'],
    [`to.2023.10.10-${'x'.repeat(49)}`, 'y'.repeat(40)],
    ['to-a.b', 'y'.repeat(40)],
    ['x'.repeat(63), 'z'],
  ])('is a DNS label with room for an index, for %s and %s', (name, item) => {
    for (const purpose of ['migrate', 'undo', 'verify', 'soak'] as const) {
      const made = jobName(aCutover({ name }), purpose, item);
      expect(made).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
      expect(made).not.toContain('--');
      expect(made.length).toBeLessThanOrEqual(60);
    }
  });
});

describe("a Job's manifest", () => {
  it('has one attempt, its deadline, the rights that the Platform names, and an owner', () => {
    expect(manifestOf({ cutover, platform }, { ...about, template })).toEqual({
      metadata: {
        name: 'a-job',
        namespace: 'jobs',
        labels: { 'generations.dev/cutover': 'to-green', 'generations.dev/cutover-uid': 'uid-to-green' },
        annotations: {},
        finalizers: ['generations.dev/job'],
        ownerReferences: [
          { apiVersion: 'generations.dev/v1alpha1', kind: 'Cutover', name: 'to-green', uid: 'uid-to-green' },
        ],
      },
      spec: {
        backoffLimit: 0,
        podReplacementPolicy: 'Failed',
        activeDeadlineSeconds: 91,
        template: {
          metadata: {
            labels: { 'generations.dev/cutover': 'to-green', 'generations.dev/cutover-uid': 'uid-to-green' },
          },
          spec: { restartPolicy: 'Never', serviceAccountName: 'cutover', containers },
        },
      },
    });
  });

  it('keeps what the template says, but for its rights, its labels and more time', () => {
    const wishes = {
      metadata: { labels: { app: 'x', 'generations.dev/cutover-uid': 'forged' }, annotations: { note: 'y' } },
      spec: {
        backoffLimit: 3,
        activeDeadlineSeconds: 7_200,
        template: {
          metadata: { labels: { app: 'x' }, annotations: { a: 'b' } },
          spec: { restartPolicy: 'OnFailure', serviceAccountName: 'admin', containers, nodeSelector: { a: 'b' } },
        },
      },
    };
    const { metadata, spec } = manifestOf({ cutover, platform }, { ...about, template: wishes });
    expect(metadata.labels).toMatchObject({ app: 'x', 'generations.dev/cutover-uid': 'uid-to-green' });
    expect(metadata.annotations).toEqual({ note: 'y' });
    expect(spec).toMatchObject({ backoffLimit: 3, activeDeadlineSeconds: 91 });
    expect(spec?.template).toMatchObject({
      metadata: { labels: { app: 'x', 'generations.dev/cutover': 'to-green' }, annotations: { a: 'b' } },
      spec: { restartPolicy: 'OnFailure', serviceAccountName: 'cutover', nodeSelector: { a: 'b' } },
    });
  });

  it('may ask for less time, and has a second at least', () => {
    const short = { spec: { ...template.spec, activeDeadlineSeconds: 5 } };
    expect(manifestOf({ cutover, platform }, { ...about, template: short }).spec?.activeDeadlineSeconds).toBe(5);
    expect(manifestOf({ cutover, platform }, { ...about, template, deadline: 3 }).spec?.activeDeadlineSeconds).toBe(1);
  });

  it('of a migration is kept, of a check goes an hour after its end, whatever the template says', () => {
    const hasty = { spec: { ...template.spec, ttlSecondsAfterFinished: 0 } };
    const made = [kept(hasty), kept(template), passing(template), passing(hasty)];
    expect(made.map(({ spec }) => (spec as { ttlSecondsAfterFinished?: number }).ttlSecondsAfterFinished)).toEqual([
      undefined,
      undefined,
      3600,
      3600,
    ]);
  });

  it('of a migration keeps each pod until its end is known, beside what else keeps it', () => {
    const pod = { ...template.spec.template, metadata: { labels: { app: 'x' }, finalizers: ['example.com/other'] } };
    const finalizersOf = ({ spec }: Record<string, unknown>) =>
      (spec as { template: { metadata?: { finalizers?: string[] } } }).template.metadata?.finalizers;
    expect(finalizersOf(kept({ spec: { template: pod } }))).toEqual(['example.com/other', 'generations.dev/job']);
    expect(kept({ spec: { template: pod } })).toMatchObject({
      spec: { template: { metadata: { labels: { app: 'x' } } } },
    });
    expect(finalizersOf(passing(template))).toBeUndefined();
  });

  it('of an irreversible migration has one attempt, whatever the template says', () => {
    const eager = {
      spec: {
        backoffLimit: 6,
        podFailurePolicy: { rules: [] },
        template: { spec: { restartPolicy: 'OnFailure', containers } },
      },
    };
    const { spec } = manifestOf(
      { cutover, platform },
      { ...about, template: workOf({ jobTemplate: eager, reversible: false }) },
    );
    expect(spec).toMatchObject({ backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers } } });
    expect(spec?.podFailurePolicy).toBeUndefined();
    expect(workOf({ jobTemplate: eager, reversible: true })).toEqual(kept(eager));
  });

  it('has its pods found by their labels, and never two at once for one attempt', () => {
    const own = {
      spec: { ...template.spec, manualSelector: true, selector: {}, podReplacementPolicy: 'TerminatingOrFailed' },
    };
    const { spec } = manifestOf({ cutover, platform }, { ...about, template: own });
    expect(spec).toMatchObject({ podReplacementPolicy: 'Failed' });
    expect([spec?.manualSelector, spec?.selector]).toEqual([undefined, undefined]);
  });

  it('that only occupies a name is recognised, and suspended', () => {
    const made = manifestOf({ cutover, platform }, { ...about, template: VOID_TEMPLATE });
    const job = { apiVersion: 'batch/v1', kind: 'Job', ...made } as unknown as Parameters<typeof isVoid>[0];
    expect([isVoid(job), job.spec?.suspend]).toEqual([true, true]);
  });
});

describe("a template's hash", () => {
  it('is that of what it says, in whatever order', () => {
    expect(hashOf({ a: 1, b: { c: [1, 2], d: 'x' } })).toBe(hashOf({ b: { d: 'x', c: [1, 2] }, a: 1 }));
    expect(hashOf({ a: [1, 2] })).not.toBe(hashOf({ a: [2, 1] }));
    expect(hashOf(template)).toMatch(/^[0-9a-f]{12}$/);
  });
});
