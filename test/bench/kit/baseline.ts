/** The least that a streaming list can cost: one undici request, its body split into lines, JSON.parse; nothing is kept. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { measure } from './measure.ts';

const { server, certificateAuthority, token } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const dispatcher = new Agent({ allowH2: false, connect: { ca: certificateAuthority } });
const query = 'watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
const done = measure();
const { body } = await request(`${server}/api/v1/nodes?${query}`, {
  dispatcher,
  headers: { accept: 'application/json', authorization: `Bearer ${token}` },
});
let items = 0;
let rest: Buffer = Buffer.alloc(0);
reading: for await (const chunk of body) {
  let buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
  for (let end = buffer.indexOf(10); end >= 0; end = buffer.indexOf(10)) {
    const event = JSON.parse(buffer.toString('utf8', 0, end));
    if (event.type === 'BOOKMARK') break reading;
    items++;
    buffer = buffer.subarray(end + 1);
  }
  rest = buffer;
}
done(items);
process.exit();
