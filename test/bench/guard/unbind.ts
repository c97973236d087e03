import { eventually, type Ground, must } from '../../api/lag/ground.ts';

const GROUP = 'admissionregistration.k8s.io/v1';
const KINDS = ['ValidatingAdmissionPolicyBinding', 'MutatingAdmissionPolicyBinding'];

/**
 * Takes the bindings of these names away and waits until their policies do nothing; returns what puts them back and waits until they
 * refuse again. `held`: whether they refuse now.
 */
export async function unbind(
  { first }: Ground,
  isOurs: (name: string) => boolean,
  held: () => Promise<boolean>,
): Promise<() => Promise<void>> {
  const taken: { collection: string; kind: string; name: string; spec: object }[] = [];
  for (const kind of KINDS) {
    const collection = `/apis/${GROUP}/${kind.toLowerCase()}s`;
    const { items } = await must(200, first.admin.call('GET', collection));
    for (const { metadata, spec } of items as { metadata: { name: string }; spec: object }[])
      if (isOurs(metadata.name)) taken.push({ collection, kind, name: metadata.name, spec });
  }
  for (const { collection, name } of taken) await must(200, first.admin.call('DELETE', `${collection}/${name}`));
  await eventually('the policies to do nothing', async () => !(await held()));
  return async () => {
    for (const { collection, kind, name, spec } of taken)
      await must(201, first.admin.call('POST', collection, { apiVersion: GROUP, kind, metadata: { name }, spec }));
    await eventually('the policies to refuse again', held);
  };
}
