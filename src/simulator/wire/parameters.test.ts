import { describe, expect, it } from '@jest/globals';
import { flag, integer, list, required, structures, tags, text, unflatten } from './parameters.ts';

const tree = (form: string) => unflatten(new URLSearchParams(form));

describe('parameters of the query protocol', () => {
  it('become a tree', () => {
    const parameters = tree('Filter.1.Name=tag:a&Filter.1.Value.1=x&Filter.1.Value.2=y');
    const [filter] = structures(parameters, 'Filter');
    expect(required(filter!, 'Name')).toBe('tag:a');
    expect(list(filter!, 'Value')).toEqual(['x', 'y']);
  });

  it('keep the order of their numbers, gaps and all', () => {
    expect(list(tree('InstanceId.10=c&InstanceId.2=b&InstanceId.1=a'), 'InstanceId')).toEqual(['a', 'b', 'c']);
  });

  it('read tags, a missing value being empty', () => {
    expect(tags(tree('Tag.1.Key=a&Tag.1.Value=1&Tag.2.Key=b'), 'Tag')).toEqual({ a: '1', b: '' });
  });

  it('count an empty value as absent', () => {
    expect(text(tree('NextToken='), 'NextToken')).toBeUndefined();
  });

  it.each([
    ['a value that is also a prefix', 'A=1&A.B=2', 'MalformedQueryString'],
    ['a prefix that is also a value', 'A.B=2&A=1', 'MalformedQueryString'],
  ])('refuse %s', (_what, form, code) => {
    expect(() => tree(form)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['a number that is none', () => integer(tree('MaxCount=many'), 'MaxCount'), 'InvalidParameterValue'],
    ['a boolean that is none', () => flag(tree('DryRun=perhaps'), 'DryRun'), 'InvalidParameterValue'],
    ['what must be there and is not', () => required(tree(''), 'MinCount'), 'MissingParameter'],
    ['a structure where a value belongs', () => text(tree('MinCount.1=3'), 'MinCount'), 'InvalidParameterValue'],
    ['a value where a list belongs', () => list(tree('InstanceId=i-1'), 'InstanceId'), 'InvalidParameterValue'],
  ])('refuse %s', (_what, read, code) => {
    expect(read).toThrow(expect.objectContaining({ code }));
  });

  it('may be named like a method of Object', () => {
    expect(text(tree('constructor=1&__proto__=2'), 'constructor')).toBe('1');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    tree('__proto__.polluted=yes');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
