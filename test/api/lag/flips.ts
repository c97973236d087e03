import { type Ground, pathOf, type Server } from './ground.ts';
import { letsGo, protects, reserved, type Site } from './site.ts';

/** What one writing of a protection showed, real ms. */
export interface Flip {
  /** From sending the write to its acknowledgement. */
  write: number;
  /** From the acknowledgement to the sending of the last deletion that was let through nevertheless; 0 when none was. */
  open: number;
  /** How many were let through. */
  allowed: number;
  /** From sending the write to the first denial, which may come before the acknowledgement. */
  seen: number;
}

/** A protection that is written on one API server, and the object whose deletion is tried on another or the same. */
export interface Protection {
  what: string;
  write(site: Site, held: boolean): Promise<unknown>;
  at: Server;
  path(site: Site): string;
}

/** Denials in a row, of each hammerer, after which the policies count as up to date. */
const SURE = 3;

/** Who try to delete the object all the while, so that something is always about to be sent. */
const HAMMERERS = 3;

/** Protects and unprotects again `count` times, with deletions sent all the while. */
export async function flips(site: Site, { write, at, path }: Protection, count: number): Promise<Flip[]> {
  const found: Flip[] = [];
  for (let round = 0; round < count; round++) {
    await write(site, false);
    while (!(await letsGo(at, path(site)))) await undefined;
    const tries: { sent: number; answered: number; allowed: boolean }[] = [];
    const hammer = async () => {
      for (let denied = 0; denied < SURE; ) {
        const sent = performance.now();
        const allowed = await letsGo(at, path(site));
        tries.push({ sent, answered: performance.now(), allowed });
        denied = allowed ? 0 : denied + 1;
      }
    };
    const hammerers = Promise.all(Array.from({ length: HAMMERERS }, hammer));
    const began = performance.now();
    await write(site, true);
    const acknowledged = performance.now();
    await hammerers;
    const later = tries.filter(({ sent }) => sent >= acknowledged);
    const through = later.filter(({ allowed }) => allowed).map(({ sent }) => sent - acknowledged);
    const denied = tries.filter(({ allowed }) => !allowed).map(({ answered }) => answered - began);
    found.push({
      write: acknowledged - began,
      open: Math.max(0, ...through),
      allowed: through.length,
      seen: Math.min(...denied),
    });
  }
  await write(site, false);
  return found;
}

/** What protects what, on one API server and across two. */
export function protections({ first, second }: Ground): Protection[] {
  const byPlatform = (site: Site, held: boolean) => protects(first, site, held ? [site.generation] : []);
  const byItself = (site: Site, held: boolean) => reserved(first, site.generation, held ? 'to-next' : null);
  const generation = ({ generation: name }: Site) => pathOf.generation(name);
  const pool = ({ pool: name }: Site) => pathOf.pool(name);
  const node = ({ node: name }: Site) => pathOf.node(name);
  return [
    { what: 'a pool, by Platform.status.protected', write: byPlatform, at: first, path: pool },
    { what: 'a pool, likewise, on the other API server', write: byPlatform, at: second, path: pool },
    { what: 'a Node, likewise, on the other API server', write: byPlatform, at: second, path: node },
    { what: "a pool, by its generation's status, on the other", write: byItself, at: second, path: pool },
    { what: 'a ClusterGeneration, by its own status', write: byItself, at: first, path: generation },
    { what: 'a ClusterGeneration, likewise, on the other', write: byItself, at: second, path: generation },
  ];
}

/** min, median, p99 and max of some numbers. */
export function spread(values: number[]): [min: number, median: number, p99: number, max: number] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return [at(0), at(0.5), at(0.99), at(1)];
}
