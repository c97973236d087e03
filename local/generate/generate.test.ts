import { describe, expect, it } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { crdTemplate } from './crds.ts';
import { manifestFiles } from './manifests.ts';

describe('a CRD as a template of the chart', () => {
  const template = crdTemplate(
    'kind: CustomResourceDefinition\nmetadata:\n  name: a\nspec: {message: "write {{x}}"}\n',
  );

  it('can be left out', () => {
    expect(template).toMatch(/^# Generated .*\n\{\{- if \.Values\.crds\.install }}\n/);
    expect(template).toMatch(/\{\{- end }}\n$/);
  });

  it('is kept when the chart is uninstalled', () => {
    const { metadata } = parse(template.replaceAll(/^\{\{-.*\n/gm, ''));
    expect(metadata).toEqual({ name: 'a', annotations: { 'helm.sh/resource-policy': 'keep' } });
  });

  it('renders as the text that it is made from, braces included', () => {
    expect(template).toContain('write {{ "{{" }}x}}');
  });
});

describe('the manifests', () => {
  const rendered = [
    '# Source: chart/templates/service.yaml\nkind: Service\n',
    '# Source: chart/templates/rbac/operator.yaml\nkind: ClusterRole\n',
    '# Source: chart/templates/rbac/operator.yaml\nkind: ClusterRoleBinding\n',
  ];
  const files = manifestFiles(`---\n${rendered.join('---\n')}`);

  it('are a file per template', () => {
    const kinds = parseAllDocuments(files.get('rbac/operator.yaml') ?? '').map((document) => document.toJS().kind);
    expect(kinds).toEqual(['ClusterRole', 'ClusterRoleBinding']);
    expect(parse(files.get('service.yaml') ?? '')).toEqual({ kind: 'Service' });
  });

  it('are listed in the kustomization, the namespace first', () => {
    const { resources } = parse(files.get('kustomization.yaml') ?? '');
    expect(resources).toEqual(['namespace.yaml', 'rbac/operator.yaml', 'service.yaml']);
  });
});
