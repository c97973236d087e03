import { describe, expect, it } from '@jest/globals';
import { narrator } from './narration.ts';

describe('the narrator', () => {
  it('marks each line with the declared minutes since the story began', () => {
    let now = 5_000;
    let text = '';
    const write = (more: string) => {
      text += more;
    };
    const tell = narrator({ write, scale: 30, colour: false, columns: 40, now: () => now });
    tell.startClock();
    tell.say('It begins.');
    now += 5_000;
    tell.does('alice', 'kubectl get cg');
    tell.told('one two three four five six seven eight nine ten');
    expect(text).toBe(
      [
        '   0.0 min  It begins.',
        '   2.5 min  alice $ kubectl get cg',
        '            > one two three four five',
        '            > six seven eight nine ten',
        '',
      ].join('\n'),
    );
  });

  it('uses colours only when told to', () => {
    let text = '';
    const write = (more: string) => {
      text += more;
    };
    const options = { scale: 1, columns: 80, now: () => 0, write };
    narrator({ ...options, colour: false }).act('An act');
    expect(text).toBe('\nAn act\n');
    narrator({ ...options, colour: true }).act('An act');
    expect(text).toContain('\u001b[1mAn act');
  });
});
