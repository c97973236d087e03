import { describe, expect, it } from '@jest/globals';
import { aGeneration, aPlatform, aServiceTarget } from '../../test/builders/index.ts';
import type { ClusterGeneration, Platform } from '../api/v1alpha1/index.ts';
import { notImplemented } from './not-implemented.ts';

const says = (kind: string, name: string, fields: string) =>
  `${kind} ${name} asks for what this version does not do yet: ${fields}. Nothing is done until these are left out`;

describe('what is not built', () => {
  it.each<[string, Partial<Platform['spec']>]>([
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

  it('takes what is built', () => {
    expect(notImplemented.platform(aPlatform({ spec: { traffic: [aServiceTarget()] } }))).toBeUndefined();
    expect(notImplemented.platform(aPlatform({ spec: { retention: { standby: 'None', for: '1h' } } }))).toBeUndefined();
    expect(notImplemented.generation(aGeneration())).toBeUndefined();
  });
});
