import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';

export type StreamOptions = {
  origin: string;
  path: string;
  headers: Record<string, string>;
  /** Longest wait for the answer to begin, real ms. */
  headersTimeout: number;
  /** Longest silence after that, real ms. */
  bodyTimeout: number;
  signal?: AbortSignal | undefined;
  /** Called once a successful answer has begun. */
  onOpen(): void;
  /** Called with its bytes as they come. When it throws the stream ends with that error. */
  onData(chunk: Buffer): void;
};

/** How an answer went: for an error status with what the server said, else with an empty text. */
export type StreamEnd = { status: number; headers: IncomingHttpHeaders; text: string };

/** Of an answer with an error status no more than this is read, bytes. */
const ERROR_LIMIT = 65_536;

/**
 * A GET whose answer is handed on chunk by chunk, straight from the socket: without a Readable in between, a list of
 * 5,000 nodes of 3 KB took about 50 ms less CPU. Resolves when the server ends the answer; rejects when the connection
 * fails, times out or `signal` aborts.
 */
export function streamOver(dispatcher: Dispatcher, options: StreamOptions): Promise<StreamEnd> {
  const { origin, path, headers, headersTimeout, bodyTimeout, signal, onOpen, onData } = options;
  return new Promise((resolve, reject) => {
    let answer: StreamEnd | undefined;
    let connection: Dispatcher.DispatchController | undefined;
    const finish = (settle: () => void) => {
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    // Rejects by itself: while the connection is being made there is nothing yet to abort.
    const onAbort = () =>
      finish(() => {
        connection?.abort(new Error('aborted', { cause: signal?.reason }));
        reject(signal?.reason);
      });
    signal?.addEventListener('abort', onAbort, { once: true });
    dispatcher.dispatch(
      { origin, path, method: 'GET', headers, headersTimeout, bodyTimeout },
      {
        onRequestStart(controller) {
          connection = controller;
          if (signal?.aborted) controller.abort(new Error('aborted', { cause: signal.reason }));
        },
        onResponseStart(_, status, headers) {
          answer = { status, headers, text: '' };
          if (status < 400) onOpen();
        },
        onResponseData(_, chunk) {
          if (!answer || answer.status < 400) onData(chunk);
          else if (answer.text.length < ERROR_LIMIT) answer.text += chunk.toString();
        },
        onResponseEnd() {
          finish(() => (answer ? resolve(answer) : reject(new Error('the answer ended before it began'))));
        },
        onResponseError(_, error) {
          finish(() => reject(error));
        },
      },
    );
  });
}
