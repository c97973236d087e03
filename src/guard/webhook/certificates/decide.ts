import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Pair } from './make.ts';

/** What the Secret holds. The first certificate of the bundle is the authority's that signs; older ones are still trusted. */
export interface Material {
  bundle: string[];
  authorityKey: string;
  leaf: Pair;
}

/** The keys of the Secret's data; the leaf's are those of a TLS Secret. */
const FIELD = { bundle: 'ca.crt', authorityKey: 'ca.key', cert: 'tls.crt', key: 'tls.key' } as const;

/** The Secret's data, base64, as the API has it. */
export const dataOf = ({ bundle, authorityKey, leaf }: Material): Record<string, string> =>
  Object.fromEntries(
    Object.entries({
      [FIELD.bundle]: bundleOf(bundle),
      [FIELD.authorityKey]: authorityKey,
      [FIELD.cert]: leaf.cert,
      [FIELD.key]: leaf.key,
    }).map(([field, text]) => [field, Buffer.from(text).toString('base64')]),
  );

/** What a webhook configuration trusts, as one text. */
export const bundleOf = (certificates: readonly string[]): string =>
  certificates.map((certificate) => `${certificate.trim()}\n`).join('');

/** Reads the Secret's data; undefined when it does not hold what we would have written. */
export function materialIn(data: Readonly<Record<string, string>> | undefined): Material | undefined {
  const text = (field: string) => Buffer.from(data?.[field] ?? '', 'base64').toString();
  const bundle = text(FIELD.bundle).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const material = {
    bundle: [...bundle],
    authorityKey: text(FIELD.authorityKey),
    leaf: { cert: text(FIELD.cert), key: text(FIELD.key) },
  };
  try {
    const [authority] = material.bundle.map((certificate) => new X509Certificate(certificate));
    const leaf = new X509Certificate(material.leaf.cert);
    const fits =
      authority?.checkPrivateKey(createPrivateKey(material.authorityKey)) &&
      leaf.checkPrivateKey(createPrivateKey(material.leaf.key));
    return fits ? material : undefined;
  } catch {
    return undefined;
  }
}

/** Renewed when a third of the life is left: a month of a leaf's, three years of an authority's. */
const RENEWED_AT = 2 / 3;

const span = (certificate: X509Certificate) => ({
  from: Date.parse(certificate.validFrom),
  to: Date.parse(certificate.validTo),
});

/** When a certificate is to be renewed; ms since the epoch. */
export function renewalOf(cert: string): number {
  const { from, to } = span(new X509Certificate(cert));
  return from + (to - from) * RENEWED_AT;
}

/** When a certificate ends; ms since the epoch. */
export const expiryOf = (cert: string): number => span(new X509Certificate(cert)).to;

export type Plan =
  | { what: 'keep' }
  /** A new leaf by the same authority. */
  | { what: 'leaf'; why: string }
  /** A new authority and a leaf by it. `trusted`: older authorities that stay in the bundle. */
  | { what: 'authority'; why: string; trusted: string[] };

/** What has to be made anew at `now`, ms since the epoch. `names`: what the leaf must be good for. */
export function decide(material: Material | undefined, names: readonly string[], now: number): Plan {
  const [current] = material?.bundle ?? [];
  if (!material || current === undefined)
    return { what: 'authority', why: 'there is none that can be used', trusted: [] };
  if (now >= renewalOf(current)) {
    const trusted = material.bundle.filter((certificate) => expiryOf(certificate) > now);
    return { what: 'authority', why: `the authority's renewal is due`, trusted };
  }
  const leaf = new X509Certificate(material.leaf.cert);
  if (!leaf.verify(new X509Certificate(current).publicKey)) return { what: 'leaf', why: 'another authority signed it' };
  if (now >= renewalOf(material.leaf.cert)) return { what: 'leaf', why: 'its renewal is due' };
  const missing = names.filter((name) => leaf.checkHost(name) === undefined && leaf.checkIP(name) === undefined);
  return missing.length > 0 ? { what: 'leaf', why: `it is not good for ${missing.join(', ')}` } : { what: 'keep' };
}
