import { styleText } from 'node:util';

/**
 * How the story is printed: acts, lines with the declared minutes since the story began, commands as people type them, and what they
 * are told. Colours only on a terminal that wants them.
 */
export interface Narrator {
  act(title: string): void;
  /** Zero of the minutes in front of each line. */
  startClock(): void;
  say(text: string): void;
  /** What somebody does: `alice: kubectl delete ...`. */
  does(who: string, what: string): void;
  /** What somebody is told, word by word. */
  told(words: string): void;
  /** Printed as it is. */
  print(text: string): void;
}

export interface NarratorOptions {
  write(text: string): void;
  /** Declared seconds in a real one. */
  scale: number;
  colour: boolean;
  /** Characters in a line. */
  columns: number;
  /** Ms of any steady clock. */
  now(): number;
}

const margin = ' '.repeat(12);

export function narrator({ write, scale, colour, columns, now }: NarratorOptions): Narrator {
  const paint = (format: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(format, text, { validateStream: false }) : text;
  let zero = now();
  const line = (text: string) => write(`${text}\n`);
  const marked = (text: string, format?: Parameters<typeof styleText>[0]) => {
    const [first = '', ...rest] = wrapped(text, columns - margin.length);
    const mark = `${(((now() - zero) * scale) / 60_000).toFixed(1)} min`.padStart(margin.length - 2);
    const dress = (words: string) => (format === undefined ? words : paint(format, words));
    line(`${paint('dim', mark)}  ${dress(first)}`);
    for (const more of rest) line(`${margin}${dress(more)}`);
  };
  return {
    act: (title) => line(`\n${paint('bold', title)}`),
    startClock: () => {
      zero = now();
    },
    say: (text) => marked(text),
    does: (who, what) => marked(`${who} $ ${what}`, 'cyan'),
    told: (words) => {
      for (const text of wrapped(words, columns - margin.length - 2)) line(`${margin}${paint('yellow', `> ${text}`)}`);
    },
    print: line,
  };
}

/** Text in lines of at most `columns` characters, broken between words. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(/\s+/)) {
    if (current !== '' && current.length + 1 + word.length > columns) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current];
}
