import { callApi } from '../../../local/access.ts';
import type { ApiServer } from '../../../local/api-server.ts';
import { ensureBinaries } from '../../../local/binaries/build.ts';
import { installChart } from '../../../local/chart.ts';
import { type ControlPlane, startControlPlane } from '../../../local/control-plane.ts';
import { waitFor } from '../../../local/wait.ts';
import { type Kept, kept, type Timed } from './kept.ts';

/**
 * Two API servers on one etcd with the chart, for asking how far the policies' view is behind what was written. In goes nothing; out
 * come clients of an admin and of the operator at each server, and objects whose protection can be switched. RBAC stops nobody here.
 * It uses nothing of jest: the command `make bench-lag` stands on it too.
 */

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT';

/** One API server and who asks it. */
export interface Server {
  api: ApiServer;
  admin: Kept;
  operator: Kept;
}

export interface Ground {
  controlPlane: ControlPlane;
  first: Server;
  /** On the same etcd. */
  second: Server;
  stop(): Promise<void>;
}

const GROUP = '/apis/generations.dev/v1alpha1';
const KINDS = ['platforms', 'clustergenerations', 'generationpools'];
const NAMESPACE = 'generations-system';
const ACCOUNT = 'generations-operator';

export const pathOf = {
  platform: (name: string) => `${GROUP}/platforms/${name}`,
  generation: (name: string) => `${GROUP}/clustergenerations/${name}`,
  pool: (name: string) => `${GROUP}/generationpools/${name}`,
  node: (name: string) => `/api/v1/nodes/${name}`,
};

export async function startGround(): Promise<Ground> {
  const binaries = await ensureBinaries({ log: (line) => console.error(line) });
  const run = { scheduler: false, kwok: false };
  const controlPlane = await startControlPlane({ binaries, run });
  try {
    await installChart(controlPlane);
    await must(201, callApi(controlPlane, 'admin', 'POST', BINDINGS, { body: EVERYTHING }));
    const path = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${ACCOUNT}/token`;
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
    const { status } = await must(201, callApi(controlPlane, 'admin', 'POST', path, { body }));
    const serverOf = (api: ApiServer): Server => ({
      api,
      admin: kept(api, controlPlane.tokens.admin),
      operator: kept(api, status.token),
    });
    const first = serverOf(controlPlane.apiServer);
    const second = serverOf(await controlPlane.addApiServer());
    for (const { admin } of [first, second])
      await eventually('our kinds to be served', async () => {
        const answers = await Promise.all(KINDS.map((kind) => admin.call('GET', `${GROUP}/${kind}`)));
        return answers.every((answer) => answer.status === 200);
      });
    return {
      controlPlane,
      first,
      second,
      async stop() {
        await Promise.all([first, second].flatMap(({ admin, operator }) => [admin.close(), operator.close()]));
        await controlPlane.stop();
      },
    };
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
}

const BINDINGS = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
const EVERYTHING = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'test-rbac-stops-nobody' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
  subjects: [{ kind: 'ServiceAccount', namespace: NAMESPACE, name: ACCOUNT }],
};

/** The body of an answer that has this status; throws on any other. */
export async function must(status: number, answer: Promise<{ status: number; body: unknown }>): Promise<Timed['body']> {
  const { status: got, body } = await answer;
  if (got !== status) throw new Error(`expected ${status}, got ${got}: ${JSON.stringify(body)}`);
  return body;
}

/** Looks again and again, 5 real ms apart, until both API servers' policies are as wished. */
export const eventually = (what: string, act: () => Promise<boolean>): Promise<true> =>
  waitFor(what, { limitMs: 90_000, everyMs: 5 }, async () => ((await act()) ? true : undefined));
