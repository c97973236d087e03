/** What code needs of a log. Messages are constant sentences; what varies goes into fields. */
export type Logger = {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  /** A logger that adds `fields` to every line. */
  child(fields: Record<string, unknown>): Logger;
};

const ignore = () => {};

/** A logger that writes nothing. */
export const silent: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => silent };
