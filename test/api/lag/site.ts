import { eventually, type Ground, must, pathOf, type Server } from './ground.ts';

/** A platform that protects nothing yet, with a generation that never was live, its pool and its Node. */
export interface Site {
  platform: string;
  generation: string;
  pool: string;
  node: string;
}

const apiVersion = 'generations.dev/v1alpha1';
const template = { ec2: { launchTemplate: { id: 'lt-0abc', version: '7' }, instanceType: 'm6i.xlarge' } };

/** Creates it; returns when the policies of every API server let all of it go. */
export async function aSite({ first, second }: Ground, name: string): Promise<Site> {
  const site = { platform: name, generation: `${name}-1`, pool: `${name}-1.web`, node: `${name}-node` };
  const post = (who: Server['admin'], path: string, body: object) =>
    must(201, who.call('POST', path.slice(0, path.lastIndexOf('/')), body));
  await post(first.admin, pathOf.platform(name), {
    apiVersion,
    kind: 'Platform',
    metadata: { name },
    spec: { className: 'aws', roles: [{ name: 'web' }] },
  });
  const { metadata } = await post(first.admin, pathOf.generation(site.generation), aGeneration(site));
  const labels = {
    'generations.dev/platform': name,
    'generations.dev/generation': site.generation,
    'generations.dev/generation-uid': metadata.uid,
    'generations.dev/pool': 'web',
    'generations.dev/role': 'web',
  };
  await post(first.operator, pathOf.pool(site.pool), {
    apiVersion,
    kind: 'GenerationPool',
    metadata: { name: site.pool, labels },
    spec: {
      platform: name,
      className: 'aws',
      generation: site.generation,
      generationUID: metadata.uid,
      role: 'web',
      machines: 1,
      template,
      placement: [{ subnet: 'subnet-a', machines: 1 }],
    },
  });
  const conditions = [{ type: 'Ready', status: 'True', reason: 'Tested', message: '' }];
  await post(first.operator, pathOf.node(site.node), {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: site.node, labels },
    status: { conditions },
  });
  await protects(first, site, []);
  for (const { admin } of [first, second])
    for (const path of [pathOf.node(site.node), pathOf.pool(site.pool), pathOf.generation(site.generation)])
      await eventually(
        `the policies to let ${path} go`,
        async () => (await admin.call('DELETE', `${path}?dryRun=All`)).status === 200,
      );
  return site;
}

export const aGeneration = (
  { platform, generation }: Pick<Site, 'platform' | 'generation'>,
  finalizers?: string[],
) => ({
  apiVersion,
  kind: 'ClusterGeneration',
  metadata: { name: generation, ...(finalizers && { finalizers }) },
  spec: { platform, release: '1', pools: [{ name: 'web', role: 'web', machines: 1, template }] },
});

/** Writes Platform.status.protected as the operator. */
export const protects = ({ operator }: Server, { platform }: Site, names: string[]) =>
  must(200, operator.call('PATCH', `${pathOf.platform(platform)}/status`, { status: { protected: names } }));

/** Writes a ClusterGeneration's own reservation as the operator, or takes it back: what protects it without any Platform. */
export const reserved = ({ operator }: Server, generation: string, by: string | null) =>
  must(
    200,
    operator.call('PATCH', `${pathOf.generation(generation)}/status`, {
      status: { reservedBy: by === null ? null : { name: by, uid: 'c00' } },
    }),
  );

/** Whether this API server would let the object go now; throws on any answer but a deletion or a policy's denial. */
export async function letsGo({ admin }: Server, path: string): Promise<boolean> {
  const { status, body } = await admin.call('DELETE', `${path}?dryRun=All`);
  if (status === 200) return true;
  if (status === 403 && String(body.message).includes("ValidatingAdmissionPolicy 'generations-guard-")) return false;
  throw new Error(`neither a deletion nor a denial: ${status} ${JSON.stringify(body)}`);
}
