/** What the operator asks for, told apart: which requests change something, and on what. Pure. */

/** One request as it arrived: at the API server, or at the cloud. */
export interface Arrival {
  at: 'kubernetes' | 'cloud';
  method: string;
  /** Path and query. */
  url: string;
  body: string;
}

/** A request that changes something. */
export interface Change {
  at: Arrival['at'];
  /** Method, or the cloud's operation. */
  verb: string;
  /** `platforms/site/status`, `services/edge/www`; at the cloud the ids that it is about. */
  object: string;
  /** True for one that ends, stops or drains something: S2 to S5 are about these. */
  destructive: boolean;
  /** The body as it was sent, parsed. */
  body: unknown;
}

/** Renewed all the while, or for people only: where the operator dies among these makes no difference. */
const UNNUMBERED = ['leases', 'events', 'secrets', 'validatingwebhookconfigurations'];

/** Sent by whoever starts the operator, not by the operator: POST .../serviceaccounts/<name>/token. */
const TOKEN = 'serviceaccounts';

const DESTRUCTIVE = ['TerminateInstances', 'StopInstances', 'DisassociateAddress', 'ReleaseAddress', 'DeleteTags'];

/** The change that a request asks for; undefined for reads, dry runs and what is not numbered. */
export function changeOf(arrival: Arrival): Change | undefined {
  return arrival.at === 'cloud' ? atCloud(arrival) : atApiServer(arrival);
}

/** For people: `PUT cutovers/to-b/status (Switch Running)`. */
export function lineOf({ verb, object, body }: Pick<Change, 'verb' | 'object' | 'body'>): string {
  const { steps, outcome, undo } = (body as { status?: Journal } | null)?.status ?? {};
  const step = steps?.findLast(({ state }) => state !== 'Pending' && state !== 'Skipped');
  const notes = [step && `${step.name} ${step.state}`, undo && 'going back', outcome].filter(Boolean);
  return `${verb} ${object}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
}

/** What of a Cutover's status says where it is. */
interface Journal {
  steps?: { name: string; state: string }[];
  outcome?: string;
  undo?: object;
}

function atApiServer({ method, url, body }: Arrival): Change | undefined {
  if (method === 'GET' || method === 'HEAD') return undefined;
  const { pathname, searchParams } = new URL(url, 'http://api');
  const { plural, object } = objectOf(pathname);
  const parsed = parse(body);
  if (UNNUMBERED.includes(plural) || plural === TOKEN || searchParams.has('dryRun') || isDryRun(parsed))
    return undefined;
  const created = method === 'POST' && !object.includes('/eviction') ? nameIn(parsed) : undefined;
  return {
    at: 'kubernetes',
    verb: method,
    object: created ? `${object}/${created}` : object,
    destructive: method === 'DELETE' || object.endsWith('/eviction'),
    body: parsed,
  };
}

/** `/apis/generations.dev/v1alpha1/platforms/site/status` is platforms/site/status; a namespace comes after the plural. */
function objectOf(pathname: string): { plural: string; object: string } {
  const [root, ...rest] = pathname.split('/').filter(Boolean).map(decodeURIComponent);
  const parts = rest.slice(root === 'api' ? 1 : 2);
  const namespaced = parts[0] === 'namespaces' && parts.length > 2;
  const [plural = '', ...names] = namespaced ? parts.slice(2) : parts;
  return { plural, object: [plural, ...(namespaced ? [parts[1]] : []), ...names].join('/') };
}

function atCloud({ body }: Arrival): Change | undefined {
  const form = new URLSearchParams(body);
  const verb = form.get('Action') ?? '';
  // Service Quotas is asked in another protocol, and only reads are.
  if (verb === '' || verb.startsWith('Describe') || form.get('DryRun') === 'true') return undefined;
  const values = (prefix: string) => [...form].filter(([name]) => name.startsWith(prefix)).map(([, value]) => value);
  const ids = [
    ...values('AllocationId'),
    ...values('InstanceId'),
    ...values('NetworkInterfaceId'),
    ...values('ResourceId'),
    ...values('ClientToken'),
  ];
  const lifts = [...form].some(
    ([name, value]) => /^DisableApi(Termination|Stop)\.Value$/.test(name) && value === 'false',
  );
  return {
    at: 'cloud',
    verb,
    object: ids.join(','),
    destructive: DESTRUCTIVE.includes(verb) || lifts,
    body: Object.fromEntries(form),
  };
}

/** Ids of the machines that a Describe call names, for judging whether a destructive call follows a look at them. */
export function describedIn({ at, body }: Arrival): string[] {
  if (at !== 'cloud') return [];
  const form = new URLSearchParams(body);
  if (!form.get('Action')?.startsWith('DescribeInstance')) return [];
  return [...form].filter(([name]) => /^InstanceId/.test(name) || /\.Value\./.test(name)).map(([, value]) => value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const isDryRun = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && Array.isArray((body as { dryRun?: unknown }).dryRun);

const nameIn = (body: unknown): string | undefined =>
  (body as { metadata?: { name?: string; generateName?: string } } | null)?.metadata?.name;
