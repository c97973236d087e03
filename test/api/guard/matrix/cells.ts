import type { Answer } from '../../../../local/access.ts';
import type { Actor, GuardedCluster, KubeObject, Method } from '../cluster.ts';
import { pathOf } from '../cluster.ts';

/**
 * The attack matrix: every act of a family, by every actor, in every situation, as a dry run and for good. In go families, which say
 * how a situation is built, what is done to it and by whom it may be done; out comes what became of each cell. A cell is legal and it
 * happened, or it is illegal, our rules refused it and the object is what it was.
 */

/** Whose attempts are made. Person and admin have every right; the impostor is an admin who says that it is the operator. */
export const actors = ['person', 'admin', 'nodeController', 'kubelet', 'operator', 'impostor'] as const;

export type Who = (typeof actors)[number];

export interface Cell {
  who: Who;
  situation: string;
  dry: boolean;
}

/** One request. */
export interface Attempt {
  method: Method;
  /** Behind the object's own path, for example `/status`. */
  subresource?: string;
  /** Instead of the object's own path. */
  path?: string;
  query?: string;
  body?: object;
  contentType?: string;
}

export interface Act {
  what: string;
  /** Which object of the cast it is done to. */
  to: string;
  attempt(object: KubeObject, who: Who): Attempt;
  legal(cell: Cell): boolean;
  /** Situations in which it makes sense; all unless told. */
  only?: readonly string[];
  /** Puts the object back, if that is needed; without it the situation is built anew after an act that happened. */
  undo?: { who: Actor; attempt(object: KubeObject): Attempt } | 'needless';
}

export type Cast = Record<string, KubeObject>;

export interface Family {
  name: string;
  situations: readonly string[];
  build(cluster: GuardedCluster, situation: string): Promise<Cast>;
  /** Removes a cast that is spent, so that the policies have no more parameters than needed. */
  discard(cluster: GuardedCluster, cast: Cast): Promise<void>;
  acts: readonly Act[];
}

/** A family's situations as they are built, each with a cast that its acts share until one of them spends it. */
export class Stage {
  readonly #casts = new Map<string, Cast>();
  readonly #cluster: GuardedCluster;
  readonly #family: Family;

  constructor(cluster: GuardedCluster, family: Family) {
    this.#cluster = cluster;
    this.#family = family;
  }

  /** Every cell of an act: what became of it, and what should have. Situations are independent of each other and run side by side. */
  async play(act: Act): Promise<{ became: Record<string, string>; should: Record<string, string> }> {
    const became: Record<string, string> = {};
    const should: Record<string, string> = {};
    await Promise.all(
      this.#family.situations
        .filter((situation) => act.only === undefined || act.only.includes(situation))
        .map(async (situation) => {
          // Dry runs and what is refused first: they leave the cast as it is.
          const cells = [true, false].flatMap((dry) => actors.map((who) => ({ who, situation, dry })));
          for (const cell of cells.sort((a, b) => rank(act, a) - rank(act, b))) {
            const name = `${situation}, ${cell.who}${cell.dry ? ', dry run' : ''}`;
            should[name] = act.legal(cell) ? 'happened' : 'refused';
            became[name] = await this.#try(act, cell);
          }
        }),
    );
    return { became, should };
  }

  async #try(act: Act, cell: Cell): Promise<string> {
    const cast = this.#casts.get(cell.situation) ?? (await this.#family.build(this.#cluster, cell.situation));
    this.#casts.set(cell.situation, cast);
    const object = cast[act.to];
    const before = await this.#cluster.get(object);
    const answer = await this.#send(cell.who, act.attempt(before, cell.who), before, cell.dry);
    const after = await this.#cluster.get(object);
    const same = JSON.stringify(essence(after)) === JSON.stringify(essence(before));
    if (answer.status >= 300) {
      if (!same) await this.#spend(cell.situation, cast);
      return same ? refusal(answer) : `refused, and yet ${differences(before, after)}`;
    }
    if (cell.dry) return same ? 'happened' : `a dry run, and yet ${differences(before, after)}`;
    if (act.undo === undefined) await this.#spend(cell.situation, cast);
    else if (act.undo !== 'needless') {
      const undone = await this.#send(act.undo.who, act.undo.attempt(before), before, false);
      if (undone.status >= 300) return `not undone: ${JSON.stringify(undone.body)}`;
    }
    return same ? 'answered 200 and did not happen' : 'happened';
  }

  async #spend(situation: string, cast: Cast): Promise<void> {
    this.#casts.delete(situation);
    await this.#family.discard(this.#cluster, cast);
  }

  #send(who: Actor, attempt: Attempt, object: KubeObject, dry: boolean): Promise<Answer> {
    const { method, subresource = '', path = pathOf(object) + subresource, query = '', body, contentType } = attempt;
    // A deletion with a body has its options there, and only there.
    const options = method === 'DELETE' && body !== undefined;
    const parameters = [query, dry && !options ? 'dryRun=All' : ''].filter((part) => part !== '').join('&');
    const content = options && dry ? { ...body, dryRun: ['All'] } : body;
    return this.#cluster.call(who, method, `${path}?${parameters}`, content, contentType);
  }
}

const rank = (act: Act, cell: Cell): number => (act.legal(cell) && !cell.dry ? 1 : 0);

/** A refusal by a policy, or by a rule of a CRD, which the API server asks first; anything else says itself in full. */
function refusal({ status, body }: Answer): string {
  const { message = '' } = body as { message?: string };
  const byPolicy =
    status === 403 && /ValidatingAdmissionPolicy 'generations-guard-[a-z]+' .* denied request: /.test(message);
  const byKind = status === 422 && /^[A-Z][A-Za-z]+\.generations\.dev "[^"]+" is invalid: /.test(message);
  return byPolicy || byKind ? 'refused' : `${status}: ${message}`;
}

/** What must be as it was after a refusal. Of a Node, whose own controllers write to it all the time, what these acts are about. */
function essence(object: KubeObject): object {
  if (object.code === 404) return { gone: true };
  const { kind, metadata, spec, status } = object;
  const { uid, labels, finalizers, ownerReferences, deletionTimestamp } = metadata;
  const common = { uid, labels, finalizers, ownerReferences, deletionTimestamp };
  // What its controller says of it, all the time.
  const says = ['CustomResourceDefinition', 'Deployment', 'StatefulSet'].includes(kind);
  if (kind !== 'Node') return { ...common, spec, ...(says ? {} : { status }) };
  // The node controller's own answer to a Node that is not Ready.
  const evicting = (spec?.taints ?? []).filter(
    ({ key, effect }: { key: string; effect: string }) =>
      effect === 'NoExecute' && key !== 'node.kubernetes.io/not-ready',
  );
  const ready = status?.conditions?.find(({ type }: { type: string }) => type === 'Ready')?.status;
  const stale = metadata.annotations?.['generations.dev/stale'];
  return { ...common, unschedulable: spec?.unschedulable ?? false, evicting, ready, stale };
}

function differences(before: KubeObject, after: KubeObject): string {
  return `${JSON.stringify(essence(before))} became ${JSON.stringify(essence(after))}`;
}
