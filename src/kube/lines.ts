const NEWLINE = 10;

/**
 * Calls `handle` with each complete line of a byte stream. Splits bytes rather than text: a line is decoded once, as
 * a string of its own, so that nothing kept of it keeps the chunk alive. A last line without its newline is dropped.
 */
export async function eachLine(chunks: AsyncIterable<Buffer>, handle: (line: string) => void): Promise<void> {
  let begun: Buffer[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const rest = chunk.subarray(from, end);
      handle(begun.length === 0 ? rest.toString() : Buffer.concat([...begun, rest]).toString());
      begun = [];
      from = end + 1;
    }
    if (from < chunk.length) begun.push(chunk.subarray(from));
  }
}
