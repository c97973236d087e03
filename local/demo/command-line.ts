/** A command of kubectl as a person would type it, quoted for a shell. */
export const commandLine = (args: ReadonlyArray<string>): string => ['kubectl', ...args.map(quoted)].join(' ');

function quoted(arg: string): string {
  if (/^[\w@%+=:,./-]+$/.test(arg)) return arg;
  const [, option = '', value = arg] = /^(--?[\w-]+=)(.*)$/.exec(arg) ?? [];
  return `${option}'${value}'`;
}
