import { beforeAll, describe, expect, it } from '@jest/globals';
import { useControlPlane } from '../../../local/testing.ts';
import {
  applyCrds,
  create,
  type Draft,
  draft,
  type Kind,
  refusalOfCreate,
  refusalOfUpdate,
  writeStatus,
} from './objects.ts';

/**
 * What is asked of every kind, each as a table: the API server itself takes good objects and fills in the defaults, and refuses bad
 * ones with exactly these messages (`field: message`, a string per cause).
 */

export type Refusal = [what: string, change: (object: Draft) => unknown, ...causes: string[]];

type Fields = { [field: string]: unknown };

/** `before`: what the object has beside its required fields. */
export type Change = [
  what: string,
  before: { spec?: Fields; status?: Fields },
  change: (object: Draft) => unknown,
  ...subresourceAndCauses: string[],
];

function describeKind(
  kind: Kind,
  what: string,
  tests: (controlPlane: ReturnType<typeof useControlPlane>) => void,
): void {
  describe(`a ${kind} ${what}`, () => {
    const controlPlane = useControlPlane();
    beforeAll(() => applyCrds(controlPlane), 60_000);
    tests(controlPlane);
  });
}

/** The smallest good object, and what its spec becomes. */
export function itTakes(kind: Kind, stored: object): void {
  describeKind(kind, 'with all that is required', (controlPlane) => {
    it('is stored with the defaults', async () => {
      const { spec, status } = await create(controlPlane, draft(kind));
      expect(spec).toEqual(stored);
      expect(status).toEqual({ observedGeneration: -1 });
    });
  });
}

export function itIsShownAs(kind: Kind, shortName: string, columns: string[]): void {
  describeKind(kind, 'in kubectl', (controlPlane) => {
    it(`is found as ${shortName} and in the category generations, with its columns`, async () => {
      const { metadata } = await create(controlPlane, draft(kind));
      const byShortName = await controlPlane.kubectl('admin', ['get', shortName, metadata.name]);
      expect(byShortName.stdout.split('\n')[0]?.split(/ {2,}/)).toEqual(columns);
      const category = await controlPlane.kubectl('admin', ['get', 'generations', '-o', 'name']);
      expect(category.stdout).toContain(`/${metadata.name}\n`);
    });
  });
}

export function itRefuses(kind: Kind, rows: Refusal[]): void {
  describeKind(kind, 'to be created', (controlPlane) => {
    it.each(rows)('with %s is refused', async (_what, change, ...causes) => {
      const object = draft(kind);
      change(object);
      expect(causes).not.toEqual([]);
      expect(await refusalOfCreate(controlPlane, object)).toEqual(causes);
    });
  });
}

export function itRefusesChanges(kind: Kind, rows: Change[]): void {
  describeKind(kind, 'that exists', (controlPlane) => {
    it.each(rows)('does not take %s', async (_what, before, change, ...rest) => {
      const { subresource, causes } = split(rest);
      const object = await stored(controlPlane, kind, before);
      change(object);
      expect(causes).not.toEqual([]);
      expect(await refusalOfUpdate(controlPlane, object, subresource)).toEqual(causes);
    });
  });
}

export function itTakesChanges(kind: Kind, rows: Change[]): void {
  describeKind(kind, 'that exists', (controlPlane) => {
    it.each(rows)('takes %s', async (_what, before, change, ...rest) => {
      const object = await stored(controlPlane, kind, before);
      change(object);
      expect(await refusalOfUpdate(controlPlane, object, split(rest).subresource)).toEqual([]);
    });
  });
}

async function stored(
  controlPlane: ReturnType<typeof useControlPlane>,
  kind: Kind,
  before: { spec?: Fields; status?: Fields },
): Promise<Draft> {
  const object = draft(kind);
  Object.assign(object.spec, before.spec);
  const created = await create(controlPlane, object);
  return before.status === undefined ? created : writeStatus(controlPlane, created, before.status);
}

function split(rest: string[]): { subresource: '' | '/status'; causes: string[] } {
  return rest[0] === '/status' ? { subresource: '/status', causes: rest.slice(1) } : { subresource: '', causes: rest };
}
