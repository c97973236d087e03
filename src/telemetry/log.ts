/**
 * telemetry/ is what a running process says about itself: structured logs, metrics, and the endpoints that health
 * checks and scrapers ask. In go a level and a port, out come a Logger, observers for the kit, and a server.
 */
import { inspect } from 'node:util';
import { createLogger, format, transports, type Logger as Winston } from 'winston';
import type { Logger } from '../runtime/logger.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type LogOptions = {
  /** Default `info`. */
  level?: LogLevel;
  /** `json`: a JSON object a line, for machines; `text`: for people. Default `json`. */
  format?: 'json' | 'text';
  /** Default: standard error. */
  stream?: NodeJS.WritableStream;
};

/** A logger that writes lines with time, level, message and fields. Errors among the fields become their message, reason and stack. */
export function logger(options: LogOptions = {}): Logger {
  const { level = 'info', stream = process.stderr } = options;
  const shape = options.format === 'text' ? format.printf(textLine) : format.printf(jsonLine);
  return over(
    createLogger({
      level,
      format: format.combine(format.timestamp(), shape),
      transports: [new transports.Stream({ stream })],
    }),
    {},
  );
}

function over(winston: Winston, fields: Record<string, unknown>): Logger {
  const at = (level: LogLevel) => (message: string, more?: Record<string, unknown>) => {
    winston.log({ level, message, fields: { ...fields, ...more } });
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (more) => over(winston, { ...fields, ...more }),
  };
}

type Line = { level: string; message: unknown; timestamp?: unknown; fields?: unknown };

function jsonLine({ timestamp, level, message, fields }: Line): string {
  const plain = plainFields(fields);
  const first = { time: timestamp, level, message };
  try {
    return JSON.stringify({ ...first, ...plain });
  } catch {
    // A log line must not fail for what somebody put into it.
    return JSON.stringify({ ...first, fields: inspect(plain) });
  }
}

function textLine({ timestamp, level, message, fields }: Line): string {
  const shown = (value: unknown) =>
    typeof value === 'string' ? JSON.stringify(value) : inspect(value, { breakLength: Number.POSITIVE_INFINITY });
  const pairs = Object.entries(plainFields(fields)).map(([name, value]) => `${name}=${shown(value)}`);
  return [timestamp, level.toUpperCase().padEnd(5), message, ...pairs].join(' ');
}

/** Field names that the line itself has come second: `message` of a field must not replace the line's. */
const TAKEN = new Set(['time', 'level', 'message']);

function plainFields(fields: unknown): Record<string, unknown> {
  const entries = Object.entries((fields ?? {}) as Record<string, unknown>);
  return Object.fromEntries(entries.map(([name, value]) => [TAKEN.has(name) ? `${name}_` : name, plain(value)]));
}

function plain(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause, ...more } = value;
  const frames = stack
    ?.split('\n')
    .slice(1, 6)
    .map((line) => line.trim());
  return { name, message, ...more, ...(cause instanceof Error && { cause: cause.message }), stack: frames };
}
