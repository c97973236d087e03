import type { Ec2Error } from '../errors.ts';

/** What an action answers: names are the XML elements, in order; undefined leaves one out; a list becomes `<item>`s. */
export type Answer = { [element: string]: Value };
export type Value = string | number | boolean | Date | undefined | Value[] | Answer;

const NAMESPACE = 'http://ec2.amazonaws.com/doc/2016-11-15/';
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** The document with which EC2 answers a request that succeeded. */
export function answerXml(operation: string, requestId: string, answer: Answer): string {
  const root = `${operation}Response`;
  return `${DECLARATION}<${root} xmlns="${NAMESPACE}"><requestId>${requestId}</requestId>${render(answer)}</${root}>`;
}

/** The document with which EC2 answers a request that failed. */
export function errorXml(error: Ec2Error, requestId: string): string {
  const body = render({ Errors: { Error: { Code: error.code, Message: error.message } }, RequestID: requestId });
  return `${DECLARATION}<Response>${body}</Response>`;
}

function render(value: Value): string {
  if (value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((item) => `<item>${render(item)}</item>`).join('');
  if (typeof value !== 'object') return escapeText(String(value));
  let body = '';
  for (const [name, child] of Object.entries(value)) {
    if (child !== undefined) body += `<${name}>${render(child)}</${name}>`;
  }
  return body;
}

/** Text as XML can carry it; characters that XML 1.0 cannot carry at all become U+FFFD. */
export function escapeText(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are what XML forbids
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replace(/[&<>"\r]/g, (character) => `&#${character.charCodeAt(0)};`)
  );
}

/** Whether a value is a structure. */
export function isAnswer(value: Value): value is Answer {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
}
