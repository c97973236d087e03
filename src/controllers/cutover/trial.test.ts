import { describe, expect, it } from '@jest/globals';
import { aCutover, aCutoverInput, anAddressTarget, aPlatform, aServiceTarget } from '../../../test/builders/index.ts';
import type { Cutover, Platform } from '../../api/v1alpha1/index.ts';
import { objectionToJobs } from './trial.ts';

const job = (pod: object = {}, spec: object = {}) => ({
  spec: { template: { spec: { containers: [{ name: 'c', image: 'i' }] }, ...pod }, ...spec },
});
const jobs = { namespace: 'jobs', serviceAccountName: 'cutover' };
const preview = { namespace: 'edge', name: 'www-preview' };
const http = (target: string) => ({ name: 'smoke', http: { target, path: '/', expectStatus: 200 } });
const migration = (jobTemplate: object, changes: object = {}) => ({
  name: 'schema',
  reversible: true,
  jobTemplate: { ...jobTemplate },
  ...changes,
});

function objection(
  spec: Partial<Cutover['spec']>,
  platform: Partial<Platform['spec']> = {},
  trial?: { reason: string; message: string },
) {
  const traffic = [aServiceTarget({ preview }), aServiceTarget({ name: 'api' }), anAddressTarget()];
  return objectionToJobs(
    aCutoverInput({
      cutover: aCutover({ from: 'blue', spec }),
      platform: aPlatform({ spec: { traffic, jobs, ...platform } }),
      trial,
    }),
  );
}

describe('migrations and checks, before anything moves', () => {
  it('are fine as they should be', () => {
    const spec = {
      migrations: [migration(job(), { undo: { jobTemplate: job() } })],
      verify: [http('www'), { name: 'orders', jobTemplate: job() }],
    };
    expect(objection(spec)).toBeUndefined();
    expect(objection({}, {})).toBeUndefined();
    const without = aCutoverInput({ cutover: aCutover({ spec }), platform: undefined });
    expect(objectionToJobs(without)).toBeUndefined();
  });

  it('need a Platform that says where Jobs run, if there are Jobs', () => {
    const nowhere = aPlatform({ spec: { traffic: [aServiceTarget({ preview })] } });
    const asked = (spec: Partial<Cutover['spec']>) =>
      objectionToJobs(aCutoverInput({ cutover: aCutover({ spec }), platform: nowhere }));
    expect(asked({ migrations: [migration(job())] })).toEqual({
      reason: 'JobsNotConfigured',
      message:
        'migration schema is a Job, and Platform us does not say where Jobs run: set spec.jobs {namespace, serviceAccountName} there',
    });
    expect(asked({ verify: [{ name: 'orders', jobTemplate: job() }] })?.message).toContain('check orders is a Job');
    expect(asked({ verify: [http('www')] })).toBeUndefined();
  });

  it.each([
    ['nothing at all', {}, 'has no containers'],
    ['a pod instead of a Job', { spec: { containers: [{ name: 'c' }] } }, 'has no containers'],
    ['no containers', job({ spec: { containers: [] } }), 'has no containers'],
    ['a suspended Job', job({}, { suspend: true }), 'would never run'],
    ['pods of a role', job({ metadata: { labels: { 'generations.dev/role': 'web' } } }), 'generations.dev/role'],
  ])('are refused with %s as a template', (_, template, said) => {
    for (const spec of [
      { migrations: [migration(template)] },
      { migrations: [migration(job(), { undo: { jobTemplate: template } })] },
      { verify: [{ name: 'orders', jobTemplate: { ...template } }] },
    ]) {
      expect(objection(spec)).toMatchObject({ reason: 'InvalidJobTemplate', message: expect.stringContaining(said) });
    }
  });

  it('are told by name which template it is', () => {
    const spec = { migrations: [migration(job(), { undo: { jobTemplate: {} } })] };
    expect(objection(spec)?.message).toContain('jobTemplate of the undo of migration schema has no containers');
  });

  it.each([
    ['nowhere', 'CheckTargetNotFound'],
    ['api', 'NoPreview'],
    ['public-ips', 'NoPreview'],
  ])('cannot ask target %s: %s', (target, reason) => {
    expect(objection({ verify: [http(target)] })?.reason).toBe(reason);
  });

  it('are refused when the API server would refuse them', () => {
    const trial = { reason: 'JobRefused', message: 'no' };
    expect(objection({ migrations: [migration(job())] }, {}, trial)).toBe(trial);
  });
});
