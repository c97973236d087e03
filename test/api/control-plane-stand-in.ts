import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { AuthenticationV1Api, KubeConfig } from '@kubernetes/client-node';

/**
 * Stands in for the operator where only its process matters: asks the API server who it is, with the client that the operator uses and
 * the kubeconfig that it was given, prints the answer and its arguments but for addresses, and says that it is ready.
 */
const config = new KubeConfig();
config.loadFromString(readFileSync(process.env.KUBECONFIG ?? '', 'utf8'));
const review = await config.makeApiClient(AuthenticationV1Api).createSelfSubjectReview({ body: {} });
const args = process.argv.slice(2);
const health = args.find((arg) => arg.startsWith('--health-address='));
const others = args.filter((arg) => !/^--(health|metrics)-address=/.test(arg));
process.stdout.write(`I am ${review.status?.userInfo?.username} ${others.join(' ')}\n`);
if (others.includes('--fail')) process.exit(2);
createServer((_, answer) => answer.end('ok')).listen(Number(health?.split(':')[1]), '127.0.0.1');
