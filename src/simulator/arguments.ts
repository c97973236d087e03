import { parseArgs } from 'node:util';
import ipaddr from 'ipaddr.js';

export type Arguments = {
  scenario: string;
  /** Undefined: a cloud without Kubernetes. */
  kubeconfig: string | undefined;
  host: string;
  /** 0: any free one. */
  port: number;
  timeScale: number;
};

export const USAGE = `usage: simulator --scenario=FILE [flags]
  --scenario=FILE      what the cloud has and what befalls it
  --kubeconfig=FILE    the cluster in which machines become Nodes; none without it
  --host=ADDRESS       a loopback address to listen on (127.0.0.1)
  --port=N             0: any free one (0)
  --time-scale=N       declared seconds in a real one (1)
  --help, --version    print this, or the version, and end`;

/** Arguments that cannot be used; the message is one line. */
export class ArgumentError extends Error {}

/** What is asked for instead of a start. Throws ArgumentError. */
export function questionIn(args: string[]): 'help' | 'version' | undefined {
  const { help, version } = parsed(args);
  if (help) return 'help';
  return version ? 'version' : undefined;
}

/** Reads the command line. Throws ArgumentError. */
export function parseArguments(args: string[]): Arguments {
  const values = parsed(args);
  if (!values.scenario) throw new ArgumentError('--scenario FILE is missing');
  const { host, kubeconfig, scenario } = values;
  if (!isLoopback(host)) {
    throw new ArgumentError(
      `--host ${host} is not a loopback address: the simulated cloud checks no signatures, so nobody else may reach it`,
    );
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new ArgumentError(`--port ${values.port} is not a port`);
  const timeScale = Number(values['time-scale']);
  if (!(timeScale > 0 && Number.isFinite(timeScale))) {
    throw new ArgumentError(`--time-scale ${values['time-scale']} is not a number above 0`);
  }
  return { scenario, kubeconfig, host, port, timeScale };
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        scenario: { type: 'string' },
        kubeconfig: { type: 'string' },
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string', default: '0' },
        'time-scale': { type: 'string', default: '1' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new ArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || (ipaddr.isValid(host) && ipaddr.parse(host).range() === 'loopback');
}
