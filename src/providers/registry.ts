import { createHash } from 'node:crypto';
import type { GenerationClass } from '../api/v1alpha1/index.ts';
import type { BudgetLimits } from '../domain/api-budget.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { limitsOf, lowest } from './ceilings.ts';
import { Budgets } from './ec2/budgets.ts';
import { type Call, type CallObserver, pacedClient } from './ec2/client.ts';
import { DOCUMENTED_BUDGETS, OPERATIONS, type Operation, type Transport } from './ec2/operations.ts';
import { ec2Provider } from './ec2/provider.ts';
import type { Account } from './ec2/sdk.ts';
import { type BudgetState, type Provider, ProviderError } from './provider.ts';
import { shareEach } from './share.ts';

/** From a GenerationClass to its Provider: one client and one set of budgets per account, region and endpoint. */
export interface Providers {
  /** The provider of a class; the same object while its endpoint and credentials stay. Throws ProviderError. */
  for(generationClass: GenerationClass): Promise<Provider>;
  /** Ceilings of a class that was deleted no longer bind its account. */
  forget(className: string): void;
  /** Every account's budgets, for metrics. */
  budgets(): { region: string; endpoint: string; budgets: BudgetState[] }[];
}

export interface ProvidersOptions {
  clock: Clock;
  log: Logger;
  /** The decoded data of a Secret; rejects when it cannot be read. */
  readSecret: (ref: { namespace: string; name: string }) => Promise<Record<string, string>>;
  /** Is told of every call to a cloud. */
  observe?: CallObserver;
  /** What opens connections; the AWS SDK, loaded on first use, unless a test says otherwise. */
  open?: (account: Account) => Transport | Promise<Transport>;
}

/** Real ms for which a Secret's content is believed, so that reconciling does not read it each time. */
const SECRET_AGE = 10_000;

/** More than there are classes in any cluster. */
const SECRETS = 256;

/** One set of budgets, and who shares it. */
interface Shared {
  region: string;
  endpoint: string;
  budgets: Budgets;
}

export function providers(options: ProvidersOptions): Providers {
  const { clock, log } = options;
  const open = options.open ?? (async (account) => (await import('./ec2/sdk.ts')).openTransport(account));
  const observe = (call: Call) => {
    if (call.outcome !== 'ok') log.debug('call to the cloud failed', { ...call });
    options.observe?.(call);
  };
  const secrets = shareEach(clock, SECRETS, (key) => {
    const [namespace = '', name = ''] = key.split('/');
    return readCredentials({ namespace, name }, options.readSecret);
  });
  /** By account, region and endpoint. */
  const shared = new Map<string, Shared>();
  /** By class: what it declares, for whom it counts, and its provider as long as its connection stays the same. */
  const classes = new Map<
    string,
    { account: string; limits: Map<Operation, BudgetLimits>; declared: string; connection: string }
  >();
  /** By connection: account, region, endpoint and secret. */
  const connections = new Map<string, Promise<Provider>>();

  const ceilings = (account: string): Map<Operation, BudgetLimits> => {
    const sharing = [...classes.values()].filter((one) => one.account === account);
    return new Map(
      OPERATIONS.flatMap((operation) => {
        const limits = lowest(sharing.flatMap((one) => one.limits.get(operation) ?? []));
        return limits ? [[operation, limits] as const] : [];
      }),
    );
  };
  const release = (className: string) => {
    const former = classes.get(className);
    classes.delete(className);
    if (!former) return;
    const left = ceilings(former.account);
    if (left.size > 0) shared.get(former.account)?.budgets.limit(left);
    if (![...classes.values()].some(({ connection }) => connection === former.connection)) {
      connections.delete(former.connection);
    }
  };

  const opened = (account: string, where: Pick<Shared, 'region' | 'endpoint'>): Shared => {
    const one = { ...where, budgets: new Budgets(ceilings(account), clock) };
    shared.set(account, one);
    return one;
  };

  return {
    async for(generationClass) {
      const { name } = generationClass.metadata;
      const { region, endpoint, credentialsSecretRef: ref } = ec2Of(generationClass);
      refuseScale(name, endpoint, clock.scale);
      const credentials = ref && (await secrets(`${ref.namespace}/${ref.name}`, SECRET_AGE));
      const where = { region, endpoint: endpoint ?? `AWS in ${region}` };
      const account = JSON.stringify([credentials?.accessKeyId ?? '', region, endpoint ?? '']);
      const connection = JSON.stringify([account, credentials ? digest(Object.values(credentials).join('\n')) : '']);
      const { apiBudgets, recoveryReserve } = generationClass.spec;
      const declared = JSON.stringify([apiBudgets ?? {}, recoveryReserve]);

      const former = classes.get(name);
      if (former?.connection !== connection || former.declared !== declared) {
        if (former && former.connection !== connection) release(name);
        classes.set(name, { account, limits: limitsFor(generationClass, clock), declared, connection });
        shared.get(account)?.budgets.limit(ceilings(account));
      }
      const { budgets } = shared.get(account) ?? opened(account, where);
      const existing = connections.get(connection);
      if (existing) return existing;
      const opening = (async () => {
        const transport = await open({ region, endpoint, credentials });
        log.info('client of the cloud opened', { class: name, ...where });
        return ec2Provider(pacedClient({ transport, budgets, clock, region, endpoint, observe }), clock);
      })();
      connections.set(connection, opening);
      return opening.catch((error: unknown) => {
        connections.delete(connection);
        throw error;
      });
    },
    forget: release,
    budgets: () =>
      [...shared.values()].map(({ region, endpoint, budgets }) => ({ region, endpoint, budgets: budgets.states() })),
  };
}

function ec2Of({ metadata, spec }: GenerationClass) {
  if (spec.ec2) return spec.ec2;
  throw new ProviderError(
    `GenerationClass ${metadata.name} has no block ec2. Write for example ec2: {region: us-east-1}.`,
    {
      reason: 'InvalidTemplate',
      code: 'NoEC2Block',
      refused: true,
    },
  );
}

/** A scale above 1 shortens retention, soak and deadlines: never against machines that are somebody's. */
function refuseScale(className: string, endpoint: string | undefined, scale: number): void {
  if (scale <= 1 || (endpoint !== undefined && isLoopback(endpoint))) return;
  throw new ProviderError(
    `GenerationClass ${className} speaks to ${endpoint ?? 'AWS'}, and the operator runs at time scale ${scale}, which shortens ` +
      'retention and safety times: that is for simulated clouds on a loopback address only. Start the operator with time scale 1.',
    { reason: 'InvalidTemplate', code: 'TimeScaleRefused', refused: true },
  );
}

/** Whether a URL's host can only be this machine: 127.0.0.0/8, ::1 or localhost. */
export function isLoopback(endpoint: string): boolean {
  if (!URL.canParse(endpoint)) return false;
  const { hostname } = new URL(endpoint);
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function limitsFor({ spec }: GenerationClass, clock: Clock): Map<Operation, BudgetLimits> {
  return new Map(
    OPERATIONS.map((operation) => [
      operation,
      limitsOf(spec.apiBudgets?.[operation], DOCUMENTED_BUDGETS[operation], spec.recoveryReserve, clock.rate),
    ]),
  );
}

async function readCredentials(
  ref: { namespace: string; name: string },
  readSecret: ProvidersOptions['readSecret'],
): Promise<NonNullable<Account['credentials']>> {
  const where = `Secret ${ref.namespace}/${ref.name}`;
  const refuse = (message: string, code: string, cause?: unknown) =>
    new ProviderError(message, { reason: 'Unauthorized', code, refused: true, cause });
  let data: Record<string, string>;
  try {
    data = await readSecret(ref);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw refuse(`${where} with the credentials cannot be read: ${why}`, 'SecretUnreadable', error);
  }
  const value = (key: string) => {
    const text = data[key]?.trim();
    if (text) return text;
    throw refuse(`${where} has no key ${key}. It needs accessKeyId and secretAccessKey.`, 'SecretIncomplete');
  };
  const sessionToken = data.sessionToken?.trim();
  return {
    accessKeyId: value('accessKeyId'),
    secretAccessKey: value('secretAccessKey'),
    ...(sessionToken && { sessionToken }),
  };
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
