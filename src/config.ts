import { parseArgs } from 'node:util';
import { z } from 'zod';

/** The operator's configuration: flags, each with an environment variable of the same meaning. */

/** An address to listen on: `:8080`, `127.0.0.1:8080`; port 0 is any free one. */
const address = z
  .string()
  .regex(/^[^:]*:[0-9]{1,5}$/, 'is not an address: write host:port or :port, for example :8080')
  .transform((text) => {
    const [host = '', port = '0'] = text.split(':');
    return { ...(host !== '' && { host }), port: Number(port) };
  })
  .refine(({ port }) => port <= 65535, 'has a port above 65535');

const schema = z.object({
  namespace: z.string().min(1).max(63),
  'time-scale': z.coerce.number('is not a number').positive('must be above 0').max(100_000),
  'metrics-address': address,
  'health-address': address,
  'webhook-address': address,
  'log-level': z.enum(['debug', 'info', 'warn', 'error']),
  'log-format': z.enum(['json', 'text']),
  'leader-elect': z.boolean(),
});

export type Config = z.output<typeof schema>;

const DEFAULTS = {
  namespace: 'generations-system',
  'time-scale': '1',
  'metrics-address': ':8080',
  'health-address': ':8081',
  'webhook-address': ':9443',
  'log-level': 'info',
  'log-format': 'json',
} as const;

const FLAGS = Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[];

export const USAGE = `usage: cluster-generations [flags]
  --namespace=NAME          where the operator's Lease and Secrets are (${DEFAULTS.namespace})
  --time-scale=N            declared seconds in a real one: drills on a simulated cloud only (${DEFAULTS['time-scale']})
  --metrics-address=ADDR    host:port of /metrics (${DEFAULTS['metrics-address']})
  --health-address=ADDR     host:port of /healthz and /readyz (${DEFAULTS['health-address']})
  --webhook-address=ADDR    host:port of the admission webhook (${DEFAULTS['webhook-address']})
  --log-level=LEVEL         debug, info, warn or error (${DEFAULTS['log-level']})
  --log-format=FORMAT       json or text (${DEFAULTS['log-format']})
  --leader-elect            elect one of several replicas; without it this process takes itself for the only one
  --help, --version         print this, or the version, and end
Each flag can be given as an environment variable: GENERATIONS_TIME_SCALE=1. The API server is the one of
$KUBECONFIG, or of the pod's service account.`;

/** A flag that is wrong or unknown. The message is a line for people. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What is asked for instead of a start. Throws UsageError. */
export function questionIn(args: readonly string[]): 'help' | 'version' | undefined {
  const { help, version } = flagsOf(args);
  if (help) return 'help';
  return version ? 'version' : undefined;
}

/** Reads flags, then the environment, then defaults. Throws UsageError. */
export function readConfig(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Config {
  const values = flagsOf(args);
  const given = Object.fromEntries(
    FLAGS.map((flag) => [flag, values[flag] ?? env[variableOf(flag)] ?? DEFAULTS[flag]]),
  );
  const elect = values['leader-elect'] ?? env[variableOf('leader-elect')] === 'true';
  const result = schema.safeParse({ ...given, 'leader-elect': elect });
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => {
    const flag = String(path[0]);
    return `--${flag} "${given[flag]}" ${message}`;
  });
  throw new UsageError(issues.join('; '));
}

const variableOf = (flag: string): string => `GENERATIONS_${flag.toUpperCase().replaceAll('-', '_')}`;

function flagsOf(args: readonly string[]): { [flag: string]: string | boolean | undefined } {
  const options = Object.fromEntries(FLAGS.map((flag) => [flag, { type: 'string' as const }]));
  try {
    const switches = {
      'leader-elect': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean' },
    } as const;
    return parseArgs({ args: [...args], options: { ...options, ...switches } }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
