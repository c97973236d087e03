import { rename, writeFile } from 'node:fs/promises';
import { type Access, callApi } from './access.ts';

export interface TokenOptions {
  access: Access;
  namespace: string;
  serviceAccount: string;
  /** Where the token is kept fresh. */
  file: string;
  /** Real seconds that each token is valid for; the API server accepts no less than 600. */
  validForSeconds: number;
  /** Told when a renewal fails; it is tried again. */
  log: (line: string) => void;
}

export interface RenewedToken {
  /** Asks for a new token at once and writes it. */
  renew(): Promise<void>;
  stop(): void;
}

/** Real ms until a failed renewal is tried again. */
const retryMs = 5_000;

/**
 * Writes a token of a service account to a file, as a kubelet does for a pod, and replaces it at half of its life for as long as this
 * process runs. Readers always see a whole token: the file is replaced by renaming.
 *
 * @throws Error when the first token is refused: mostly because the service account does not exist
 */
export async function keepTokenFresh(options: TokenOptions): Promise<RenewedToken> {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const schedule = (ms: number) => {
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => void renewLater(), ms);
    timer.unref();
  };
  const renew = async () => {
    const lifeMs = await writeToken(options);
    schedule(lifeMs / 2);
  };
  const renewLater = async () => {
    try {
      await renew();
    } catch (error) {
      options.log(
        `the token of ${options.serviceAccount} could not be renewed, next try in ${retryMs / 1000} s: ${error}`,
      );
      schedule(retryMs);
    }
  };
  await renew();
  return {
    renew,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** @returns real ms that the token is valid for; the API server may give less than it was asked for */
async function writeToken({ access, namespace, serviceAccount, file, validForSeconds }: TokenOptions): Promise<number> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`;
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: validForSeconds },
  };
  const { status, body } = await callApi(access, 'admin', 'POST', path, { body: request });
  if (status !== 201) {
    throw new Error(
      `the API server answered ${status} to the request for a token of ${namespace}/${serviceAccount}: ${JSON.stringify(body)}`,
    );
  }
  const answer = body as { status: { token: string; expirationTimestamp: string } };
  await writeFile(`${file}.new`, answer.status.token, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return Date.parse(answer.status.expirationTimestamp) - Date.now();
}
