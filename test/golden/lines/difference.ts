/** A line when a value has changed. */
export const difference = <T>(
  what: string,
  old: T,
  now: T,
  text: (value: NonNullable<T>) => string,
): string | undefined =>
  JSON.stringify(old) === JSON.stringify(now)
    ? undefined
    : `${what} ${now === undefined || now === null ? 'cleared' : text(now)}`;
