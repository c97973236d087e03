import { invalidParameterValue, malformedQuery, missingParameter } from '../errors.ts';

/** The parameters of a query request as a tree: `Filter.1.Value.2=x` is `{Filter: {1: {Value: {2: 'x'}}}}`. */
export type Tree = { [key: string]: Tree | string };

/** Builds the tree of a form. Throws MalformedQueryString when one name is both a value and a prefix of others. */
export function unflatten(form: Iterable<[string, string]>): Tree {
  const root = emptyTree();
  for (const [path, value] of form) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    let node = root;
    for (const key of keys) {
      node[key] ??= emptyTree();
      const next = node[key];
      if (typeof next === 'string') throw malformedQuery(path);
      node = next;
    }
    if (node[last] !== undefined) throw malformedQuery(path);
    node[last] = value;
  }
  return root;
}

/** A value, or undefined when it is absent or empty. */
export function text(tree: Tree, name: string): string | undefined {
  const value = tree[name];
  if (typeof value === 'object') throw invalidParameterValue(name, 'structure');
  return value === '' ? undefined : value;
}

/** A value; throws MissingParameter without it. */
export function required(tree: Tree, name: string): string {
  const value = text(tree, name);
  if (value === undefined) throw missingParameter(name);
  return value;
}

/** A whole number; throws InvalidParameterValue when it is something else. */
export function integer(tree: Tree, name: string): number | undefined {
  const value = text(tree, name);
  if (value === undefined) return undefined;
  if (!/^-?\d{1,9}$/.test(value)) throw invalidParameterValue(name, value);
  return Number(value);
}

/** A boolean; throws InvalidParameterValue when it is neither true nor false. */
export function flag(tree: Tree, name: string): boolean | undefined {
  const value = text(tree, name)?.toLowerCase();
  if (value === undefined) return undefined;
  if (value !== 'true' && value !== 'false') throw invalidParameterValue(name, value);
  return value === 'true';
}

/** The values of a list in the order of their numbers, which may have gaps. */
export function list(tree: Tree, name: string): string[] {
  return entries(tree, name).map((value) => {
    if (typeof value !== 'string') throw invalidParameterValue(name, 'structure');
    return value;
  });
}

/** The structures of a list in the order of their numbers. */
export function structures(tree: Tree, name: string): Tree[] {
  return entries(tree, name).map((value) => {
    if (typeof value === 'string') throw invalidParameterValue(name, value);
    return value;
  });
}

/** A structure, or undefined when it is absent. */
export function structure(tree: Tree, name: string): Tree | undefined {
  const value = tree[name];
  if (typeof value === 'string') throw invalidParameterValue(name, value);
  return value;
}

/** Key.1, Value.1 pairs as a record, as CreateTags and TagSpecification carry them. A tag without a value has ''. */
export function tags(tree: Tree, name: string): Record<string, string> {
  return Object.fromEntries(structures(tree, name).map((tag) => [required(tag, 'Key'), text(tag, 'Value') ?? '']));
}

function entries(tree: Tree, name: string): (Tree | string)[] {
  const value = tree[name];
  if (value === undefined) return [];
  if (typeof value === 'string') throw invalidParameterValue(name, value);
  return Object.entries(value)
    .toSorted(([a], [b]) => Number(a) - Number(b))
    .map(([, entry]) => entry);
}

// Without a prototype, so that a parameter named like a method of Object is only a parameter.
function emptyTree(): Tree {
  return Object.create(null);
}
