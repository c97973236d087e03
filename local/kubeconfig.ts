import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';

export interface KubeconfigOptions {
  server: string;
  /** PEM. */
  certificateAuthority: string;
  /** Name of the user entry; only people see it. */
  user: string;
  /** A token itself, or a file that somebody keeps fresh and that the client reads again. */
  credential: { token: string } | { tokenFile: string };
}

/**
 * The text of a kubeconfig with one cluster, one user and one context.
 *
 * A token file is named by an auth provider called `tokenFile`, which the JavaScript client reads again when it changes. It ignores the
 * field `tokenFile` that kubectl and other Go programs read, and sends no credentials then; they in turn refuse this provider. So a file
 * with a token file is for the operator only.
 */
export function kubeconfigText({ server, certificateAuthority, user, credential }: KubeconfigOptions): string {
  const cluster = { server, 'certificate-authority-data': Buffer.from(certificateAuthority).toString('base64') };
  const userEntry =
    'token' in credential
      ? { token: credential.token }
      : { 'auth-provider': { name: 'tokenFile', config: { tokenFile: credential.tokenFile } } };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'local', cluster }],
    users: [{ name: user, user: userEntry }],
    contexts: [{ name: 'local', context: { cluster: 'local', user } }],
    'current-context': 'local',
  });
}

/** Writes it readable by its owner only: it holds a credential. */
export async function writeKubeconfig(file: string, options: KubeconfigOptions): Promise<void> {
  await writeFile(file, kubeconfigText(options), { mode: 0o600 });
}
