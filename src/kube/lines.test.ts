import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lineSplitter } from './lines.ts';

function split(chunks: Buffer[]): string[] {
  const lines: string[] = [];
  const feed = lineSplitter((line) => lines.push(line));
  for (const chunk of chunks) feed(chunk);
  return lines;
}

describe('splitting a stream into lines', () => {
  it('gives the same lines however the bytes are cut, even within a character', () => {
    const texts = fc.array(fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ' ')));
    fc.assert(
      fc.property(texts, fc.array(fc.nat({ max: 200 })), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
        expect(split(chunks)).toEqual(lines);
      }),
    );
  });

  it('keeps back a last line without its newline', () => {
    expect(split([Buffer.from('whole\nhal'), Buffer.from('f')])).toEqual(['whole']);
  });
});
