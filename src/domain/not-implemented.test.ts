import { describe, expect, it } from '@jest/globals';
import { aCutover, aGeneration, aPlatform, aServiceTarget, at } from '../../test/builders/index.ts';
import type { ClusterGeneration, Cutover, Platform } from '../api/v1alpha1/index.ts';
import { notImplemented } from './not-implemented.ts';

const job = { spec: {} };
const says = (kind: string, name: string, fields: string) =>
  `${kind} ${name} asks for what this version does not do yet: ${fields}. Nothing is done until these are left out`;

describe('what is not built', () => {
  it.each<[string, Partial<Platform['spec']>]>([
    ['spec.roles[].handover', { roles: [{ name: 'web', handover: 'Follow' }] }],
    ['spec.roles[].handover', { roles: [{ name: 'web', handover: 'Singleton' }] }],
    ['spec.singletonAdmission', { singletonAdmission: 'Open' }],
    ['spec.traffic[].preview', { traffic: [aServiceTarget({ preview: { namespace: 'edge', name: 'p' } })] }],
    ['spec.traffic[].maintenance', { traffic: [aServiceTarget({ maintenance: { selector: { app: 'm' } } })] }],
    ['spec.jobs', { jobs: { namespace: 'jobs', serviceAccountName: 'cutover' } }],
    ['spec.approvals.required', { approvals: { required: 1 } }],
    ['spec.retention.standby: Stopped', { retention: { standby: 'Stopped', for: '1h' } }],
    ['spec.recovery', { recovery: 'Manual' }],
    ['spec.recovery', { recovery: 'Fastest' }],
  ])('refuses a Platform with %s', (field, spec) =>
    expect(notImplemented.platform(aPlatform({ spec }))).toBe(says('Platform', 'us', field)),
  );

  it.each<[string, Partial<ClusterGeneration['spec']>]>([['spec.adopt', { adopt: true }]])(
    'refuses a ClusterGeneration with %s',
    (field, spec) =>
      expect(notImplemented.generation(aGeneration({ spec }))).toBe(says('ClusterGeneration', 'green', field)),
  );

  it.each<[string, Partial<Cutover['spec']>]>([
    ['spec.mode', { mode: 'Rollback' }],
    ['spec.mode', { mode: 'Recovery' }],
    ['spec.mode', { mode: 'Decommission' }],
    ['spec.supersedes', { supersedes: { name: 'x', uid: 'y' } }],
    ['spec.notBefore', { notBefore: at(0) }],
    ['spec.notAfter', { notAfter: at(0) }],
    ['spec.migrations', { migrations: [{ name: 'schema', reversible: true, jobTemplate: job }] }],
    ['spec.verify', { verify: [{ name: 'smoke', jobTemplate: job }] }],
    ['spec.soak', { soak: '1h' }],
    ['spec.approvals', { approvals: [{ user: 'alice@example.com', planHash: 'x' }] }],
    ['spec.paused', { paused: true }],
    ['spec.abort', { abort: true }],
  ])('refuses a Cutover with %s', (field, spec) =>
    expect(notImplemented.cutover(aCutover({ spec }))).toBe(says('Cutover', 'to-green', field)),
  );

  it('names every field at once', () => {
    expect(notImplemented.cutover(aCutover({ spec: { soak: '1h', paused: true } }))).toContain(
      'yet: spec.soak, spec.paused.',
    );
  });

  it('takes what is built, and empty lists and false for nothing asked', () => {
    expect(notImplemented.platform(aPlatform({ spec: { traffic: [aServiceTarget()] } }))).toBeUndefined();
    expect(notImplemented.platform(aPlatform({ spec: { retention: { standby: 'None', for: '1h' } } }))).toBeUndefined();
    expect(notImplemented.generation(aGeneration())).toBeUndefined();
    const empty = { migrations: [], verify: [], approvals: [], paused: false, abort: false, retireNow: true };
    expect(notImplemented.cutover(aCutover({ spec: empty }))).toBeUndefined();
  });
});
