import type { CallSummary } from '../state/ledger.ts';

const IGNORED = /^(Action|Version|UserData|SecurityToken|X-Amz-.*|Signature.*|AWSAccessKeyId|Timestamp)$/;

/** What the ledger keeps of a request's parameters; it takes anything, because bad requests are noted as well. */
export function summarize(form: Iterable<[string, string]>): CallSummary {
  const summary: CallSummary = {};
  const tags = new Map<string, { key?: string; value?: string }>();
  const filters = new Map<string, { name?: string; values: string[] }>();
  for (const [path, value] of form) {
    const [name = '', index = '', ...rest] = path.split('.');
    const [tagPrefix, tagField] =
      /^(TagSpecification\.\d+\.Tag\.\d+|Tag\.\d+)\.(Key|Value)$/.exec(path)?.slice(1) ?? [];
    if (IGNORED.test(name)) continue;
    if (name === 'InstanceId') add(summary, 'instanceIds', value);
    else if (name === 'ResourceId') add(summary, 'resourceIds', value);
    else if (path === 'MinCount') summary.minCount = Number(value);
    else if (path === 'MaxCount') summary.maxCount = Number(value);
    else if (path === 'SubnetId') summary.subnet = value;
    else if (path === 'InstanceType') summary.instanceType = value;
    else if (path === 'ClientToken') summary.clientToken = value;
    else if (path === 'DryRun') summary.dryRun = value === 'true';
    else if (tagPrefix && tagField) {
      const tag = entry<{ key?: string; value?: string }>(tags, tagPrefix, () => ({}));
      if (tagField === 'Key') tag.key = value;
      else tag.value = value;
    } else if (name === 'Filter') {
      const filter = entry<{ name?: string; values: string[] }>(filters, index, () => ({ values: [] }));
      if (rest[0] === 'Name') filter.name = value;
      else filter.values.push(value);
    } else {
      summary.other ??= {};
      summary.other[path] = value;
    }
  }
  if (tags.size > 0) summary.tags = Object.fromEntries([...tags.values()].map(({ key, value }) => [key, value ?? '']));
  if (filters.size > 0) {
    summary.filters = Object.fromEntries([...filters.values()].map(({ name, values }) => [name, values]));
  }
  return summary;
}

function add(summary: CallSummary, field: 'instanceIds' | 'resourceIds', value: string): void {
  summary[field] ??= [];
  summary[field].push(value);
}

function entry<T>(map: Map<string, T>, key: string, fresh: () => T): T {
  const known = map.get(key);
  if (known) return known;
  const value = fresh();
  map.set(key, value);
  return value;
}
