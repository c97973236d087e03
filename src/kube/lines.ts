const NEWLINE = 10;

/**
 * Makes chunks of bytes into lines: calls `handle` with each one that is complete. Splits bytes rather than text: a
 * line is decoded once, as a string of its own, so that nothing kept of it keeps the chunk alive.
 */
export function lineSplitter(handle: (line: string) => void): (chunk: Buffer) => void {
  let begun: Buffer[] = [];
  return (chunk) => {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      if (begun.length === 0) handle(chunk.toString('utf8', from, end));
      else {
        const whole = Buffer.concat([...begun, chunk.subarray(from, end)]);
        begun = [];
        handle(whole.toString());
      }
      from = end + 1;
    }
    if (from < chunk.length) begun.push(chunk.subarray(from));
  };
}
