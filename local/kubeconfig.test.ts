import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { kubeconfigText } from './kubeconfig.ts';

const cluster = {
  server: 'https://127.0.0.1:6443',
  certificateAuthority: '-----BEGIN CERTIFICATE-----\n',
  user: 'bob',
};

describe('a kubeconfig', () => {
  it('trusts the server by its CA and never skips the check', () => {
    const { clusters } = parse(kubeconfigText({ ...cluster, credential: { token: 't' } }));
    const data = Buffer.from(cluster.certificateAuthority).toString('base64');
    expect(clusters).toEqual([
      { name: 'local', cluster: { server: cluster.server, 'certificate-authority-data': data } },
    ]);
  });

  it('holds a token itself for a person', () => {
    expect(parse(kubeconfigText({ ...cluster, credential: { token: 't' } })).users).toEqual([
      { name: 'bob', user: { token: 't' } },
    ]);
  });

  it('names a token file in the way that the JavaScript client reads', () => {
    const { users } = parse(kubeconfigText({ ...cluster, credential: { tokenFile: '/run/token' } }));
    expect(users[0].user).toEqual({ 'auth-provider': { name: 'tokenFile', config: { tokenFile: '/run/token' } } });
  });
});
