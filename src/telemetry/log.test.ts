import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { type LogOptions, logger } from './log.ts';

function aLogger(options: LogOptions = {}) {
  let text = '';
  const stream = new Writable({
    write(chunk, _, done) {
      text += chunk;
      done();
    },
  });
  return { log: logger({ stream, ...options }), lines: () => text.trimEnd().split('\n') };
}

describe('the log', () => {
  it('writes a JSON object a line, with the fields of its parents', () => {
    const { log, lines } = aLogger();
    log.child({ controller: 'a', n: 1 }).child({ n: 2 }).info('Done', { key: 'k' });
    const { time, ...rest } = JSON.parse(lines()[0] ?? '');
    expect(rest).toEqual({ level: 'info', message: 'Done', controller: 'a', n: 2, key: 'k' });
    expect(Date.parse(time)).not.toBeNaN();
  });

  it('makes errors readable, with their cause and fields', () => {
    const { log, lines } = aLogger();
    const error = Object.assign(new Error('outer', { cause: new Error('inner') }), { status: 409 });
    log.error('Failed', { error, message: 'kept' });
    const line = JSON.parse(lines()[0] ?? '');
    expect(line.error).toMatchObject({ name: 'Error', message: 'outer', cause: 'inner', status: 409 });
    expect(line.error.stack[0]).toMatch(/^at /);
    expect(line).toMatchObject({ message: 'Failed', message_: 'kept' });
  });

  it('keeps silent below its level', () => {
    const { log, lines } = aLogger({ level: 'warn' });
    log.debug('no');
    log.info('no');
    log.warn('yes');
    expect(lines()).toHaveLength(1);
  });

  it('writes text for people', () => {
    const { log, lines } = aLogger({ format: 'text' });
    log.warn('Slow', { ms: 12, who: 'x y' });
    expect(lines()[0]).toMatch(/^\S+ WARN {2}Slow ms=12 who="x y"$/);
  });

  it('survives what JSON cannot hold', () => {
    const { log, lines } = aLogger();
    const circle: Record<string, unknown> = { big: 1n };
    circle.self = circle;
    log.info('Odd', { circle });
    expect(lines()[0]).toContain('"message":"Odd"');
  });
});
