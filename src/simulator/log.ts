import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';

/** Lines of JSON on stderr, so that stdout carries nothing but the line with the URL. */
export function stderrLogger(clock: Clock, bound: Record<string, unknown> = {}): Logger {
  const at = (level: string) => (message: string, fields?: Record<string, unknown>) => {
    const line = { time: new Date(clock.now()).toISOString(), level, message, ...bound, ...fields };
    process.stderr.write(`${JSON.stringify(line)}\n`);
  };
  return {
    debug: () => {},
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => stderrLogger(clock, { ...bound, ...fields }),
  };
}
