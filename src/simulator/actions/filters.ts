import { filterLimit, invalidFilter, missingParameter } from '../errors.ts';
import { list, required, structures, type Tree } from '../wire/parameters.ts';

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html */
const MOST_FILTERS = 50;
const MOST_VALUES = 200;

/** What a filter compares: the values that a thing has under the filter's name. */
export type Fields<T> = Record<string, (thing: T) => (string | undefined)[]>;

/**
 * A predicate for the request's Filter.N: every filter must match, each by one of its values, in which `*` stands
 * for any characters and `?` for one. `tag:<key>`, `tag-key` and `tag-value` work when `tagsOf` is given. Throws
 * InvalidParameterValue for a filter that is none of `fields`.
 */
export function filtering<T>(
  parameters: Tree,
  fields: Fields<T>,
  tagsOf?: (thing: T) => Readonly<Record<string, string>>,
): (thing: T) => boolean {
  const asked = structures(parameters, 'Filter');
  if (asked.length > MOST_FILTERS) throw filterLimit('filters');
  const tests = asked.map((filter) => {
    const name = required(filter, 'Name');
    const values = list(filter, 'Value');
    if (values.length === 0) throw missingParameter('Filter.Value');
    if (values.length > MOST_VALUES) throw filterLimit('filter values');
    const valuesOf = fieldFor(name, fields, tagsOf);
    const matches = anyOf(values);
    return (thing: T) => valuesOf(thing).some((value) => value !== undefined && matches(value));
  });
  return (thing) => tests.every((test) => test(thing));
}

function fieldFor<T>(name: string, fields: Fields<T>, tagsOf?: (thing: T) => Readonly<Record<string, string>>) {
  if (tagsOf && name.startsWith('tag:')) {
    const key = name.slice('tag:'.length);
    return (thing: T) => [tagsOf(thing)[key]];
  }
  if (tagsOf && name === 'tag-key') return (thing: T) => Object.keys(tagsOf(thing));
  if (tagsOf && name === 'tag-value') return (thing: T) => Object.values(tagsOf(thing));
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (!field) throw invalidFilter(name);
  return field;
}

function anyOf(values: readonly string[]): (value: string) => boolean {
  const exact = new Set(values.filter((value) => !/[*?\\]/.test(value)));
  const patterns = values.filter((value) => /[*?\\]/.test(value)).map(wildcard);
  return (value) => exact.has(value) || patterns.some((pattern) => pattern.test(value));
}

/** A backslash takes its meaning from the character after it, as EC2 documents. */
function wildcard(pattern: string): RegExp {
  const source = pattern.replace(/\\(.)|[\s\S]/g, (character, escaped?: string) => {
    if (escaped !== undefined) return literal(escaped);
    if (character === '*') return '[\\s\\S]*';
    if (character === '?') return '[\\s\\S]';
    return literal(character);
  });
  return new RegExp(`^${source}$`);
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
}
