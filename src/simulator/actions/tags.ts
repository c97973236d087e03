import type { Cloud } from '../cloud.ts';
import { missingParameter, resourceNotFound, tagReserved, tooManyTags } from '../errors.ts';
import type { Lagged } from '../state/lagged.ts';
import { list, structures, type Tree, tags, text } from '../wire/parameters.ts';
import type { Action } from './action.ts';
import { findInstance } from './find.ts';

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions */
const MOST_TAGS = 50;

type Tagged = { id: string; tags: Lagged<Readonly<Record<string, string>>> };

/** Sets tags on instances and addresses; all of them or, when one does not exist, none. */
export const createTags: Action = {
  parameters: ['ResourceId', 'Tag'],
  run(cloud, { parameters, now }) {
    const resources = named(cloud, parameters);
    const given = tags(parameters, 'Tag');
    if (Object.keys(given).length === 0) throw missingParameter('Tag');
    for (const resource of resources) checkTags({ ...resource.tags.current, ...given }, given);
    for (const resource of resources) change(cloud, resource, { ...resource.tags.current, ...given }, now);
    return { return: true };
  },
};

/** Removes tags by key, and by value where one is given; all tags when none is named. */
export const deleteTags: Action = {
  parameters: ['ResourceId', 'Tag'],
  run(cloud, { parameters, now }) {
    const doomed = structures(parameters, 'Tag').map((tag) => ({ key: text(tag, 'Key') ?? '', value: tag.Value }));
    for (const resource of named(cloud, parameters)) {
      const kept = Object.entries(resource.tags.current).filter(
        ([key, value]) =>
          doomed.length > 0 &&
          !doomed.some((one) => one.key === key && (one.value === undefined || one.value === value)),
      );
      change(cloud, resource, Object.fromEntries(kept), now);
    }
    return { return: true };
  },
};

/** Throws when a resource cannot have those tags, of which `added` are new (all by default). */
export function checkTags(all: Readonly<Record<string, string>>, added = all): void {
  if (Object.keys(added).some((key) => key.toLowerCase().startsWith('aws:'))) throw tagReserved();
  if (Object.keys(all).length > MOST_TAGS) throw tooManyTags();
}

function change(cloud: Cloud, resource: Tagged, value: Record<string, string>, now: number): void {
  resource.tags.set(value, now);
  cloud.ledger.machine(resource.id, { tags: value });
}

function named(cloud: Cloud, parameters: Tree): Tagged[] {
  const ids = list(parameters, 'ResourceId');
  if (ids.length === 0) throw missingParameter('ResourceId');
  return ids.map((id) => {
    if (id.startsWith('i-')) return findInstance(cloud, id);
    const address = cloud.addresses.get(id);
    if (!address) throw resourceNotFound(id);
    return { id, tags: address.tags };
  });
}
