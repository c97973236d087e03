import { z } from 'zod';

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration as people write it ("90s", "1.5h", "250ms") in declared time; parsed to declared ms. */
export const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, 'must be a number and a unit of ms, s, m, h or d, such as "90s"')
  .transform((text) => {
    const [, amount, unit] = /^([\d.]+)(ms|s|m|h|d)$/.exec(text) ?? [];
    return Number(amount) * UNITS[(unit ?? 's') as keyof typeof UNITS];
  });
