import ipaddr from 'ipaddr.js';

/** EC2 keeps the first four addresses and the last one of every subnet for itself. */
const RESERVED = 5;

/** Addresses in a prefix of an interface: a /28. */
const PREFIX = 16;

/** One subnet and who has its addresses. */
export class Subnet {
  readonly id: string;
  readonly zone: string;
  readonly cidr: string;
  readonly #base: number;
  readonly #end: number;
  readonly #returned: number[] = [];
  #fresh: number;
  /** Above it prefixes have been cut, down from the end. */
  #top: number;
  readonly #returnedPrefixes: string[] = [];

  constructor(spec: { id: string; zone: string; cidr: string }) {
    this.id = spec.id;
    this.zone = spec.zone;
    this.cidr = spec.cidr;
    const [address, prefix] = ipaddr.IPv4.parseCIDR(spec.cidr);
    const size = 2 ** (32 - prefix);
    const base = number(address);
    this.#base = base - (base % size);
    this.#end = this.#base + size - 1;
    this.#fresh = this.#base + 4;
    this.#top = this.#end;
  }

  /** Addresses that machines can ever have. */
  get total(): number {
    return this.#end - this.#base + 1 - RESERVED;
  }

  /** Addresses that are free now. */
  get free(): number {
    return this.#top - this.#fresh + this.#returned.length + PREFIX * this.#returnedPrefixes.length;
  }

  /** Takes a free address, the longest unused first; undefined when there is none. */
  take(): string | undefined {
    if (this.#fresh < this.#top) return format(this.#fresh++);
    const returned = this.#returned.shift();
    return returned === undefined ? undefined : format(returned);
  }

  /** Takes a block of 16 addresses that nobody has, such as `10.0.0.32/28`; undefined when there is none in one piece. */
  takePrefix(): string | undefined {
    const returned = this.#returnedPrefixes.shift();
    if (returned !== undefined) return returned;
    const start = Math.floor(this.#top / PREFIX) * PREFIX - PREFIX;
    if (start < this.#fresh) return undefined;
    for (let address = start + PREFIX; address < this.#top; address++) this.#returned.push(address);
    this.#top = start;
    return `${format(start)}/28`;
  }

  /** Gives a block back. */
  releasePrefix(prefix: string): void {
    this.#returnedPrefixes.push(prefix);
  }

  /** Gives an address back. */
  release(address: string): void {
    this.#returned.push(number(ipaddr.IPv4.parse(address)));
  }

  /** Whether an address lies in it. */
  holds(address: string): boolean {
    if (!ipaddr.IPv4.isValid(address)) return false;
    const value = number(ipaddr.IPv4.parse(address));
    return value >= this.#base && value <= this.#end;
  }
}

function number({ octets }: { octets: number[] }): number {
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

function format(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
