import { describe, expect, it } from '@jest/globals';
import { Ec2Error } from '../errors.ts';
import { answerXml, errorXml, escapeText } from './xml.ts';

describe('an answer in XML', () => {
  it('has the operation, the namespace and the request id around it', () => {
    expect(answerXml('CreateTags', 'req-1', { return: true })).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<CreateTagsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>req-1</requestId><return>true</return></CreateTagsResponse>',
    );
  });

  it('renders lists as items, dates in ISO 8601, and leaves out what is undefined', () => {
    const xml = answerXml('X', 'r', { set: [{ id: 'a', none: undefined }, { at: new Date(0) }], empty: [] });
    expect(xml).toContain(
      '<set><item><id>a</id></item><item><at>1970-01-01T00:00:00.000Z</at></item></set><empty></empty>',
    );
  });

  it('escapes what XML would take for markup, and keeps line ends', () => {
    expect(escapeText('a<b>&"c"\r\n')).toBe('a&#60;b&#62;&#38;&#34;c&#34;&#13;\n');
  });

  it('replaces characters that XML cannot carry', () => {
    expect(escapeText('a\u0000b\u001bc')).toBe('a\ufffdb\ufffdc');
  });

  it('of an error has the form of EC2', () => {
    expect(errorXml(new Ec2Error('A.B', 'x < y'), 'req-2')).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>A.B</Code><Message>x &#60; y</Message></Error></Errors><RequestID>req-2</RequestID></Response>',
    );
  });
});
