import { describe, expect, it } from '@jest/globals';
import type { Pod } from '../../src/kube/resources.ts';
import { countOf } from './tasks.ts';

const pod = (task: string, state: object): Pod =>
  ({
    metadata: { name: task, labels: { app: task } },
    status: { phase: 'Running', containerStatuses: [{ name: 'main', state }] },
  }) as unknown as Pod;
const running = { running: {} };

describe('the count of tasks', () => {
  it('takes a copy for running as long as its container runs, and no longer', () => {
    expect(countOf([pod('a', running), pod('b', { terminated: {} }), pod('c', { waiting: {} })])).toEqual({
      running: 1,
      twice: [],
    });
  });

  it('names a task that runs twice', () => {
    expect(countOf([pod('a', running), pod('a', running), pod('b', running)])).toEqual({ running: 2, twice: ['a'] });
  });
});
