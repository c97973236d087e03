import { describe, expect, it } from '@jest/globals';
import { silent } from '../runtime/logger.ts';
import { store, type Versioned } from './store.ts';

type Item = { colour?: string; tags?: string[] };

function aStore() {
  const subject = store<Item>({ log: silent, indexes: { colour: ({ colour }) => colour, tag: ({ tags }) => tags } });
  const changes: [string, Item | undefined, Item | undefined][] = [];
  subject.subscribe((...change) => changes.push(change));
  return { subject, changes };
}
const entries = (items: Record<string, Item & { version?: string }>) =>
  new Map<string, Versioned<Item>>(
    Object.entries(items).map(([key, { version = '1', ...item }]) => [key, { item, version }]),
  );

describe('a store', () => {
  it('gets, lists, counts and deletes', () => {
    const { subject, changes } = aStore();
    subject.set('a', { colour: 'red' }, '1');
    subject.set('b', { colour: 'red' }, '2');
    expect(subject.get('a')).toEqual({ colour: 'red' });
    expect([subject.size, subject.list().length]).toEqual([2, 2]);
    subject.delete('a');
    subject.delete('a');
    expect(subject.get('a')).toBeUndefined();
    expect(changes.map(([key, before, after]) => [key, before?.colour, after?.colour])).toEqual([
      ['a', undefined, 'red'],
      ['b', undefined, 'red'],
      ['a', 'red', undefined],
    ]);
  });

  it('keeps indexes right while items come, change their value, have several, and go', () => {
    const { subject } = aStore();
    subject.set('a', { colour: 'red', tags: ['x', 'y'] }, '1');
    subject.set('b', { colour: 'red', tags: ['y', 'y'] }, '1');
    subject.set('c', {}, '1');
    expect(subject.byIndex('colour', 'red')).toHaveLength(2);
    expect(subject.byIndex('tag', 'y')).toHaveLength(2);
    subject.set('a', { colour: 'blue', tags: ['y'] }, '2');
    expect(subject.byIndex('colour', 'red')).toHaveLength(1);
    expect(subject.byIndex('colour', 'blue')).toHaveLength(1);
    expect(subject.byIndex('tag', 'x')).toEqual([]);
    subject.delete('a');
    subject.delete('b');
    expect([subject.byIndex('colour', 'red'), subject.byIndex('colour', 'blue'), subject.byIndex('tag', 'y')]).toEqual([
      [],
      [],
      [],
    ]);
  });

  it('refuses an index that it does not have', () => {
    expect(() => aStore().subject.byIndex('shape', 'round')).toThrow('no index named shape');
  });

  it('is replaced in one step, and tells only what differs', () => {
    const { subject, changes } = aStore();
    subject.replace(entries({ same: { colour: 'red' }, changed: { colour: 'red' }, gone: { colour: 'red' } }));
    changes.length = 0;
    const same = subject.get('same');
    const sizes: number[] = [];
    subject.subscribe(() => sizes.push(subject.size, subject.byIndex('colour', 'red').length));
    subject.replace(
      entries({ same: { colour: 'red' }, changed: { colour: 'blue', version: '2' }, added: { colour: 'red' } }),
    );
    expect(changes.map(([key, before, after]) => [key, before?.colour, after?.colour])).toEqual([
      ['gone', 'red', undefined],
      ['changed', 'red', 'blue'],
      ['added', undefined, 'red'],
    ]);
    expect(subject.get('same')).toBe(same);
    // Whoever looks while being told sees the whole of the new state.
    expect(sizes).toEqual([3, 2, 3, 2, 3, 2]);
  });

  it('does not let one listener harm the others, and lets them leave', () => {
    const { subject, changes } = aStore();
    const leave = subject.subscribe(() => {
      throw new Error('a bad listener');
    });
    const later: string[] = [];
    subject.subscribe((key) => later.push(key));
    subject.set('a', {}, '1');
    leave();
    subject.set('b', {}, '1');
    expect(later).toEqual(['a', 'b']);
    expect(changes).toHaveLength(2);
  });
});
