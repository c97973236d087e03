import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type GuardedCluster, startGuardedCluster } from '../cluster.ts';
import { Stage } from './cells.ts';
import { decision } from './decisions.ts';
import { approvals, classes, crds, cutovers } from './kinds.ts';
import { site } from './site.ts';
import { evictions, namespaces, traffic } from './traffic.ts';
import { workloads } from './workloads.ts';

const families = [
  site,
  classes,
  cutovers,
  approvals,
  crds,
  namespaces,
  evictions(),
  traffic('Service'),
  traffic('Ingress'),
  workloads('Deployment'),
  workloads('StatefulSet'),
  decision('override'),
  decision('rebind'),
];

let cluster: GuardedCluster;
const counts = { happened: 0, refused: 0 };

beforeAll(async () => {
  cluster = await startGuardedCluster();
}, 180_000);
afterAll(() => cluster?.stop());

describe.each(families)('$name', (family) => {
  let stage: Stage;
  beforeAll(() => {
    stage = new Stage(cluster, family);
  });

  it.each(family.acts)(
    '$what',
    async (act) => {
      const { became, should } = await stage.play(act);
      expect(became).toEqual(should);
      for (const outcome of Object.values(should)) counts[outcome as keyof typeof counts]++;
    },
    60_000,
  );
});

it('is a matrix of some size, of legal acts as well as of illegal ones', () => {
  expect(counts.happened).toBeGreaterThan(250);
  expect(counts.refused).toBeGreaterThan(1000);
});
