/**
 * A failure whose message is all that a person needs: one line, no stack trace. The programs that `make` calls print it and exit
 * with status 2 when the machine or the setup is at fault (a missing Go, an unsupported platform, a missing file).
 */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

/** What to print and the exit status for an error that ends a program: 2 for the setup, 1 for everything else. */
export function describeFailure(error: unknown): { message: string; status: 1 | 2 } {
  const message = error instanceof Error ? error.message : String(error);
  return { message, status: error instanceof SetupError ? 2 : 1 };
}
