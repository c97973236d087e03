import { createPrivateKey, KeyObject, webcrypto } from 'node:crypto';

/**
 * Makes the certificates. ECDSA on P-256: an order of magnitude less work in a handshake than RSA, and known to every
 * client. The library is loaded here alone, and only when there is something to make: once in two months, by one
 * replica.
 */

/** PEM, both. */
export interface Pair {
  cert: string;
  key: string;
}

const DAY = 86_400_000;
/** An authority lives for ten years: replacing it needs a bundle of two for a while. ms. */
export const AUTHORITY_LIFE = 3_650 * DAY;
/** ms. */
export const LEAF_LIFE = 90 * DAY;
/** Clocks of API servers may be slow: a certificate begins a day before it is made. ms. */
const BACKDATED = DAY;

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** An authority that signs for itself, from `now` on. */
export async function makeAuthority(now: number): Promise<Pair> {
  const x509 = await import('@peculiar/x509');
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const { KeyUsageFlags } = x509;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      // The time keeps two authorities apart that are trusted at once.
      name: `CN=generations-webhook-ca ${new Date(now).toISOString()}`,
      notBefore: new Date(now - BACKDATED),
      notAfter: new Date(now + AUTHORITY_LIFE),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { cert: certificate.toString('pem'), key: pem(keys.privateKey) };
}

/** A server's certificate for these names, DNS or IP, signed by `authority`. Its PEM has the one certificate. */
export async function makeLeaf(authority: Pair, names: readonly string[], now: number): Promise<Pair> {
  const x509 = await import('@peculiar/x509');
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(authority.cert);
  const { KeyUsageFlags } = x509;
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: 'CN=generations-webhook',
      issuer: issuer.subject,
      notBefore: new Date(now - BACKDATED),
      notAfter: new Date(now + LEAF_LIFE),
      publicKey: keys.publicKey,
      signingKey: createPrivateKey(authority.key).toCryptoKey(ALGORITHM, false, ['sign']),
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: /^[0-9.]+$|:/.test(value) ? ('ip' as const) : ('dns' as const), value })),
        ),
        await x509.AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { cert: certificate.toString('pem'), key: pem(keys.privateKey) };
}

const pem = (key: webcrypto.CryptoKey): string => `${KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' })}`;
