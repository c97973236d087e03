import { describe, expect, it } from '@jest/globals';
import { manualClock } from '../../runtime/clock.ts';
import { Agenda } from './agenda.ts';

describe('the agenda', () => {
  it('runs entries in order of time, those of one moment in the order in which they were added', async () => {
    const clock = manualClock({ now: 0 });
    const agenda = new Agenda(clock);
    const ran: string[] = [];
    for (const [at, name] of [
      [30, 'd'],
      [10, 'a'],
      [20, 'b'],
      [20, 'c'],
      [5, '0'],
    ] as const)
      agenda.at(at, () => ran.push(name));
    await clock.advance(25);
    expect(ran).toEqual(['0', 'a', 'b', 'c']);
    await clock.advance(10);
    expect(ran).toEqual(['0', 'a', 'b', 'c', 'd']);
    expect(clock.pending).toBe(0);
  });

  it('runs a thousand shuffled entries in order, and those that entries add', async () => {
    const clock = manualClock({ now: 0 });
    const agenda = new Agenda(clock);
    const ran: number[] = [];
    for (let index = 0; index < 1000; index++) {
      const at = (index * 7919) % 1000;
      agenda.at(at, (due) => {
        ran.push(due);
        if (due === 500) agenda.at(700, (later) => ran.push(later));
      });
    }
    await clock.advance(1000);
    expect(ran).toHaveLength(1001);
    expect(ran).toEqual(ran.toSorted((a, b) => a - b));
  });

  it('catches up when asked, before its timer has fired', async () => {
    let now = 0;
    const clock = { ...manualClock(), now: () => now };
    const agenda = new Agenda(clock);
    const ran: number[] = [];
    agenda.at(10, (at) => ran.push(at));
    now = 50;
    agenda.runDue();
    expect(ran).toEqual([10]);
  });

  it('forgets everything when stopped', async () => {
    const clock = manualClock({ now: 0 });
    const agenda = new Agenda(clock);
    let ran = 0;
    agenda.at(10, () => ran++);
    agenda.stop();
    await clock.advance(100);
    expect(ran).toBe(0);
    expect(clock.pending).toBe(0);
  });
});
