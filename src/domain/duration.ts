const UNIT = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 } as const;
type Unit = keyof typeof UNIT;

/** Milliseconds of a duration such as "90s", "1h30m" or "2d". Throws on anything else: the API server lets nothing else in. */
export function parseDuration(text: string): number {
  if (!/^([0-9]+[dhms])+$/.test(text))
    throw new RangeError(`"${text}" is not a duration: write for example 90s, 1h30m or 2d`);
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9]+)([dhms])/g)) total += Number(amount) * UNIT[unit as Unit];
  return total;
}

/** A duration for people, to the second: 5400000 is "1h30m". */
export function formatDuration(ms: number): string {
  let left = Math.max(0, Math.round(ms / 1000)) * 1000;
  let text = '';
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const amount = Math.floor(left / UNIT[unit]);
    left -= amount * UNIT[unit];
    if (amount > 0) text += `${amount}${unit}`;
  }
  return text || '0s';
}
