import { describe, expect, it } from '@jest/globals';
import type { ResourceQuota } from '../../kube/resources.ts';
import { shortOf } from './quota.ts';

const quota = (hard: Record<string, string>, used: Record<string, string> = {}): ResourceQuota => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'few', namespace: 'jobs', uid: 'uid-few', resourceVersion: '1', creationTimestamp: '' },
  spec: { hard },
  status: { hard, used },
});

describe('quotas for the Jobs of a cutover', () => {
  it('have room for all of them together, or are named', () => {
    const one = [quota({ 'limits.cpu': '1' }), quota({ 'count/jobs.batch': '3' }, { 'count/jobs.batch': '1' })];
    expect(shortOf(one, 2)).toBeUndefined();
    expect(shortOf(one, 3)).toBe('ResourceQuota jobs/few allows 3 of count/jobs.batch and 1 are there');
    expect(shortOf([], 99)).toBeUndefined();
  });

  it('count the pods that ended Jobs keep', () => {
    expect(shortOf([quota({ 'count/pods': '1' })], 2)).toContain('allows 1 of count/pods');
    // Of pods that have ended this one knows nothing.
    expect(shortOf([quota({ pods: '1' })], 2)).toBeUndefined();
  });

  it('may be large', () => {
    expect(shortOf([quota({ 'count/jobs.batch': '1k' }, { 'count/jobs.batch': '990' })], 10)).toBeUndefined();
    expect(shortOf([quota({ 'count/jobs.batch': '1k' }, { 'count/jobs.batch': '991' })], 10)).toBeDefined();
  });

  it('that the API server has not looked at yet count by what they ask for', () => {
    const { status: _, ...fresh } = quota({ 'count/jobs.batch': '1' });
    expect(shortOf([fresh], 2)).toContain('and 0 are there');
  });
});
