import { readFileSync } from 'node:fs';
import { AuthenticationV1Api, KubeConfig } from '@kubernetes/client-node';

/**
 * Stands in for the operator where only its process matters: asks the API server who it is, with the client that the operator uses and
 * the kubeconfig that it was given, prints the answer and its arguments, and stays.
 */
const config = new KubeConfig();
config.loadFromString(readFileSync(process.env.KUBECONFIG ?? '', 'utf8'));
const review = await config.makeApiClient(AuthenticationV1Api).createSelfSubjectReview({ body: {} });
process.stdout.write(`I am ${review.status?.userInfo?.username} ${process.argv.slice(2).join(' ')}\n`);
setInterval(() => {}, 1_000);
