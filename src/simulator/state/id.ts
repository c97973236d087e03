import type { Clock } from '../../runtime/clock.ts';

/** An id in EC2's long format, `prefix-` and 17 hexadecimal digits, drawn from the clock's random numbers. */
export function newId(clock: Clock, prefix: string): string {
  const digits = (count: number) =>
    Math.floor(clock.random() * 16 ** count)
      .toString(16)
      .padStart(count, '0');
  return `${prefix}-0${digits(8)}${digits(8)}`;
}
