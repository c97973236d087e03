import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { KubeConfig, type User } from '@kubernetes/client-node';
import { parse } from 'yaml';

/** Where the API server is and who we are to it. */
export type Connection = {
  /** Base URL, without a trailing slash. */
  server: string;
  /** The namespace that the context names, or `default`. */
  namespace: string;
  /** What `tls.connect` needs: authorities, client certificate, server name. */
  tls: Record<string, unknown>;
  /** Headers that prove who we are; asked for before each request, because tokens change. */
  headers(): Promise<Record<string, string>>;
  /** Says that the API server refused the credentials: a token file is read again for the next request. */
  refused(): void;
};

export type ConfigOptions = {
  /** Path of a kubeconfig file. Default: the pod's service account, else $KUBECONFIG, else ~/.kube/config. */
  kubeconfig?: string | undefined;
  /** Name of a context in it. Default: its current one. */
  context?: string | undefined;
};

/** A kubeconfig that is missing, malformed, or asks for what is not supported. The message is for people. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Headers = Record<string, string>;

/** A token is read again at this age, as client-go does: kubelets renew theirs minutes before they expire. */
const TOKEN_AGE_MS = 60_000;

/** Reads the kubeconfig or the pod's service account. Throws ConfigError. */
export async function loadConnection(options: ConfigOptions = {}): Promise<Connection> {
  const { config, source } = load(options.kubeconfig);
  const contextName = options.context ?? config.getCurrentContext();
  config.setCurrentContext(contextName);
  const context = config.getContextObject(contextName);
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (!context) throw new ConfigError(`${source} has no context named ${contextName || '(none)'}`);
  if (!cluster?.server) throw new ConfigError(`${source}: context ${context.name} names no cluster with a server`);
  if (!user) throw new ConfigError(`${source}: context ${context.name} names user ${context.user}, which is not there`);
  if (cluster.proxyUrl) throw new ConfigError(`${source}: cluster ${cluster.name}: proxy-url is not supported`);
  // client-node refuses plain HTTP unless told not to verify, although there is nothing to verify.
  if (cluster.server.startsWith('http:')) Object.assign(cluster, { skipTLSVerify: true });

  const apply = async () => {
    const applied: RequestOptions = {};
    await config.applyToHTTPSOptions(applied);
    return applied;
  };
  const headersOf = ({ headers, auth }: RequestOptions): Headers => ({
    ...(auth && { authorization: `Basic ${Buffer.from(auth).toString('base64')}` }),
    ...(headers as Headers | undefined),
  });
  const file = tokenFileOf(user);
  const token = file === undefined ? undefined : tokenFile(file);
  // client-node reads token files as well, but sends a trailing newline along.
  if (token) Object.assign(user, { authProvider: undefined });

  const first = await apply().catch((error: unknown) => {
    throw new ConfigError(`${source}: ${error instanceof Error ? error.message : error}`, { cause: error });
  });
  const { ca, cert, key, passphrase, rejectUnauthorized, servername } = first;
  const tls = Object.entries({ ca, cert, key, passphrase, rejectUnauthorized, servername });
  const renewable = Boolean(user.exec || user.authProvider);
  return {
    server: cluster.server.replace(/\/+$/, ''),
    namespace: context.namespace || 'default',
    tls: Object.fromEntries(tls.filter(([, value]) => value !== undefined)),
    async headers() {
      const headers = headersOf(renewable ? await apply() : first);
      return token ? { ...headers, authorization: `Bearer ${token.read()}` } : headers;
    },
    refused: () => token?.forget(),
  };
}

function load(path: string | undefined): { config: KubeConfig; source: string } {
  if (path !== undefined) return { config: fromFile(path), source: path };
  if (process.env.KUBERNETES_SERVICE_HOST) {
    const config = new KubeConfig();
    config.loadFromCluster();
    return { config, source: "the pod's service account" };
  }
  const paths = (process.env.KUBECONFIG ?? '').split(delimiter).filter((part) => part !== '');
  if (paths.length === 0) paths.push(join(homedir(), '.kube', 'config'));
  const config = new KubeConfig();
  for (const each of paths) config.mergeConfig(fromFile(each), config.currentContext !== undefined);
  return { config, source: paths.join(delimiter) };
}

type KubeConfigFile = { users?: { name: string; user?: { tokenFile?: string } }[] };

function fromFile(path: string): KubeConfig {
  const config = new KubeConfig();
  try {
    const text = readFileSync(path, 'utf8');
    config.loadFromString(text);
    config.makePathsAbsolute(dirname(path));
    // client-node drops `tokenFile` without a word and would send no credentials.
    const { users = [] } = parse(text) as KubeConfigFile;
    for (const { name, user } of users) {
      if (!user?.tokenFile) continue;
      const authProvider = { name: 'tokenFile', config: { tokenFile: resolve(dirname(path), user.tokenFile) } };
      Object.assign(config.getUser(name) ?? {}, { authProvider });
    }
    return config;
  } catch (error) {
    throw new ConfigError(`cannot read kubeconfig ${path}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

function tokenFileOf(user: User): string | undefined {
  const path: unknown = user.authProvider?.config?.tokenFile;
  return typeof path === 'string' ? path : undefined;
}

function tokenFile(path: string) {
  let token = '';
  let readAt = Number.NEGATIVE_INFINITY;
  return {
    /** The token, at most a minute old. When the file cannot be read, the last one known. Throws when there is none. */
    read(): string {
      if (performance.now() - readAt < TOKEN_AGE_MS) return token;
      try {
        token = readFileSync(path, 'utf8').trim();
        readAt = performance.now();
      } catch (error) {
        if (token === '') throw new ConfigError(`cannot read the token file ${path}`, { cause: error });
      }
      return token;
    },
    forget() {
      readAt = Number.NEGATIVE_INFINITY;
    },
  };
}
