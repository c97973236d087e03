import { describe, expect, it } from '@jest/globals';
import { identityNames, makeTokens, tokenFile } from './identities.ts';

describe('the token file', () => {
  it('names everybody once, with user name and groups as the API server reads them', () => {
    const tokens = makeTokens();
    const lines = tokenFile(tokens).trimEnd().split('\n');
    expect(lines).toHaveLength(identityNames.length);
    expect(lines[0]).toBe(`${tokens.admin},admin,local-admin,"system:masters"`);
    expect(lines[1]).toBe(`${tokens.alice},alice@example.com,local-alice,"generations:operators"`);
    expect(lines[4]).toBe(`${tokens.cloud},system:cloud-controller-manager,local-cloud,""`);
  });

  it('has another token for everybody, every time', () => {
    const all = [...Object.values(makeTokens()), ...Object.values(makeTokens())];
    expect(new Set(all).size).toBe(all.length);
  });
});
