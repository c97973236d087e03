import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** The places in the tree that the local environment uses, absolute. */
export const paths = {
  root,
  /** State of `make up`. */
  state: join(root, '.local'),
  chart: join(root, 'charts', 'cluster-generations'),
  operator: join(root, 'src', 'main.ts'),
  simulator: join(root, 'src', 'simulator', 'main.ts'),
  upScenario: join(root, 'local', 'scenarios', 'up.yaml'),
  pythonRequirements: join(root, 'test', 'simulator', 'requirements.txt'),
} as const;
