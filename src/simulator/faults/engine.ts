import type { Clock } from '../../runtime/clock.ts';
import type { FaultSpec } from '../scenario/fault.ts';

/** What a request is about, as far as a fault can tell requests apart. */
export type Subject = {
  operation: string;
  caller: string;
  /** The machines it names or would launch; empty when it is about none. */
  targets: { subnet?: string | undefined; instanceType?: string | undefined; tags: Readonly<Record<string, string>> }[];
};

/** `machines`: launched by matching requests; `used`: those of them launched while it was in force. */
type Fault = { spec: FaultSpec; requests: number; machines: number; used: number; acted: number };

/** The faults in force and how often each has acted. */
export class Faults {
  readonly #clock: Clock;
  readonly #start: number;
  readonly #faults: Fault[] = [];

  constructor(specs: readonly FaultSpec[], clock: Clock) {
    this.#clock = clock;
    this.#start = clock.now();
    for (const spec of specs) this.add(spec);
  }

  /** Adds a fault; one of the same name is replaced and starts counting anew. */
  add(spec: FaultSpec): void {
    this.remove(spec.name);
    this.#faults.push({ spec, requests: 0, machines: 0, used: 0, acted: 0 });
  }

  /** Whether there was one of that name. */
  remove(name: string): boolean {
    const index = this.#faults.findIndex((fault) => fault.spec.name === name);
    if (index >= 0) this.#faults.splice(index, 1);
    return index >= 0;
  }

  /** Every fault with the requests it matched, the machines these launched, and how often it acted. */
  get list(): (FaultSpec & { requests: number; machines: number; acted: number })[] {
    return this.#faults.map(({ spec, requests, machines, acted }) => ({ ...spec, requests, machines, acted }));
  }

  /** The faults that act on a request as a whole; called once per request, because it counts. */
  onRequest(subject: Subject): FaultSpec[] {
    const acting = [];
    for (const fault of this.#faults) {
      if (!matches(fault.spec, subject)) continue;
      const before = fault.requests++;
      const { capacity, neverBoots, ends } = fault.spec.effect;
      if (capacity !== undefined || neverBoots !== undefined || ends !== undefined) continue;
      if (!this.#inForce(fault, before) || !this.#strikes(fault.spec.probability)) continue;
      fault.acted++;
      acting.push(fault.spec);
    }
    return acting;
  }

  /** How many of `count` machines there is capacity for, and the fault that says so when it is fewer. */
  capacity(subject: Subject, count: number): { count: number; fault?: string } {
    let answer: { count: number; fault?: string } = { count };
    for (const fault of this.#launching(subject)) {
      const limit = fault.spec.effect.capacity;
      if (limit === undefined || !this.#inForce(fault, fault.requests - 1)) continue;
      const left = Math.max(0, limit - fault.used);
      if (left < answer.count) answer = { count: left, fault: fault.spec.name };
    }
    return answer;
  }

  /** Counts machines that a request launched, and answers for each the fault that keeps it from living, if any. */
  launched(subject: Subject, count: number): (FaultSpec | undefined)[] {
    const faults = this.#launching(subject);
    return Array.from({ length: count }, () => {
      let broken: FaultSpec | undefined;
      for (const fault of faults) {
        const { neverBoots, ends } = fault.spec.effect;
        const share = ends ? fault.spec.probability : neverBoots;
        const inForce = this.#inForce(fault, fault.requests - 1);
        const strikes = share !== undefined && inForce && this.#strikes(share);
        fault.machines++;
        if (inForce) fault.used++;
        if (!strikes || broken) continue;
        fault.acted++;
        broken = fault.spec;
      }
      return broken;
    });
  }

  /** Notes that the fault `name` has acted. */
  acted(name: string): void {
    const fault = this.#faults.find((one) => one.spec.name === name);
    if (fault) fault.acted++;
  }

  #launching(subject: Subject): Fault[] {
    return this.#faults.filter((fault) => matches(fault.spec, subject));
  }

  #inForce({ spec, machines, acted }: Fault, requestsBefore: number): boolean {
    const age = this.#clock.now() - this.#start;
    if (spec.after.time !== undefined && age < this.#clock.scaled(spec.after.time)) return false;
    if (spec.until !== undefined && age >= this.#clock.scaled(spec.until)) return false;
    if (spec.after.requests !== undefined && requestsBefore < spec.after.requests) return false;
    if (spec.after.machines !== undefined && machines < spec.after.machines) return false;
    return spec.count === undefined || acted < spec.count;
  }

  #strikes(probability: number): boolean {
    return probability >= 1 || this.#clock.random() < probability;
  }
}

function matches({ operations, match }: FaultSpec, subject: Subject): boolean {
  if (operations && !operations.includes(subject.operation)) return false;
  if (match.caller !== undefined && match.caller !== subject.caller) return false;
  const { subnet, instanceType, tags } = match;
  if (subnet === undefined && instanceType === undefined && tags === undefined) return true;
  return subject.targets.some(
    (target) =>
      (subnet === undefined || target.subnet === subnet) &&
      (instanceType === undefined || target.instanceType === instanceType) &&
      Object.entries(tags ?? {}).every(([key, value]) => target.tags[key] === value),
  );
}
