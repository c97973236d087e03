import type { Cloud } from '../cloud.ts';
import {
  launchTemplateNameNotFound,
  launchTemplateNotFound,
  launchTemplateVersionNotFound,
  missingParameter,
  parameterValueRefused,
} from '../errors.ts';
import type { LaunchTemplate } from '../scenario/schema.ts';
import { type Tree, text } from '../wire/parameters.ts';

export type LaunchTemplateVersion = LaunchTemplate['versions'][number];

/** The template that LaunchTemplateId or LaunchTemplateName names; throws when there is none. */
export function templateOf(cloud: Cloud, parameters: Tree): LaunchTemplate {
  const id = text(parameters, 'LaunchTemplateId');
  const name = text(parameters, 'LaunchTemplateName');
  if (id !== undefined) {
    const template = cloud.templates.get(id);
    if (!template) throw launchTemplateNotFound(id);
    return template;
  }
  if (name === undefined) throw missingParameter('LaunchTemplateId');
  const template = [...cloud.templates.values()].find((one) => one.name === name);
  if (!template) throw launchTemplateNameNotFound(name);
  return template;
}

/** The version that a number, `$Latest`, `$Default` or nothing (the default one) means; throws when there is none. */
export function versionOf(template: LaunchTemplate, version = '$Default'): LaunchTemplateVersion {
  if (version !== '$Latest' && version !== '$Default' && !/^\d+$/.test(version)) {
    throw parameterValueRefused(
      `Invalid launch template version: either '$Default', '$Latest', or a numeric version are allowed.`,
    );
  }
  const number =
    version === '$Latest'
      ? Math.max(...template.versions.map((one) => one.version))
      : version === '$Default'
        ? defaultVersion(template)
        : Number(version);
  const found = template.versions.find((one) => one.version === number);
  if (!found) throw launchTemplateVersionNotFound(version, template.id);
  return found;
}

/** The number of the version that `$Default` means. */
export function defaultVersion(template: LaunchTemplate): number {
  return template.defaultVersion ?? Math.min(...template.versions.map((one) => one.version));
}
