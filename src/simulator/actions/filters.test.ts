import { describe, expect, it } from '@jest/globals';
import { filters } from '../testing.ts';
import { unflatten } from '../wire/parameters.ts';
import { filtering } from './filters.ts';

type Thing = { name: string; tags: Record<string, string> };
const things: Thing[] = [
  { name: 'web-1', tags: { role: 'web', team: 'a*b' } },
  { name: 'web-2', tags: { role: 'web' } },
  { name: 'job-1', tags: { role: 'job' } },
  { name: 'bare', tags: {} },
];
const found = (wanted: Record<string, string[]>) => {
  const parameters = unflatten(Object.entries(filters(wanted)));
  const matches = filtering<Thing>(parameters, { name: ({ name }) => [name] }, ({ tags }) => tags);
  return things.filter(matches).map(({ name }) => name);
};

describe('filters', () => {
  it('match any of their values', () => expect(found({ name: ['web-1', 'job-1'] })).toEqual(['web-1', 'job-1']));
  it('must all match', () => expect(found({ 'tag:role': ['web'], name: ['*-2', 'job*'] })).toEqual(['web-2']));
  it('take * for any characters', () => expect(found({ name: ['*-1'] })).toEqual(['web-1', 'job-1']));
  it('take ? for one character', () => expect(found({ name: ['we?-1', 'bar'] })).toEqual(['web-1']));
  it('take a backslash for the next character itself', () => {
    expect(found({ 'tag:team': ['a\\*b'] })).toEqual(['web-1']);
    expect(found({ 'tag:team': ['a\\?b'] })).toEqual([]);
  });
  it('do not take other characters for a pattern', () =>
    expect(found({ name: ['web.1', '.*', 'web-(1)'] })).toEqual([]));
  it('look at tags by key, and at keys and values', () => {
    expect(found({ 'tag-key': ['team'] })).toEqual(['web-1']);
    expect(found({ 'tag-value': ['job'] })).toEqual(['job-1']);
  });
  it('find nothing that lacks the tag, not even with *', () => expect(found({ 'tag:team': ['*'] })).toEqual(['web-1']));
  it('are at most 50, of at most 200 values each', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `x-${index}`);
    expect(found({ name: [...many(199), 'bare'] })).toEqual(['bare']);
    expect(() => found({ name: many(201) })).toThrow(expect.objectContaining({ code: 'FilterLimitExceeded' }));
    const wide = Object.fromEntries(many(51).map((key) => [`tag:${key}`, ['x']]));
    expect(() => found(wide)).toThrow(expect.objectContaining({ code: 'FilterLimitExceeded' }));
  });
  it.each(['colour', 'constructor', 'Name'])('refuse the unknown filter %s', (name) => {
    expect(() => found({ [name]: ['x'] })).toThrow(`The filter '${name}' is invalid`);
  });
});
