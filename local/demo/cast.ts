/** Who and what the story is about: names that acts, manifests and the table share. */

export const platform = 'pythonanywhere-us';

/** Live when the story begins. */
export const live = 'ga-2023-09-12';
/** The release of 9 October. */
export const release = 'ga-2023-10-09';
/** Somebody's second try at it, in another zone. */
export const halfStarted = 'ga-2023-10-09-try2';

/** Machines of a generation by role, in the order in which roles are restored. */
export const machines = {
  'load-balancer': 6,
  web: 60,
  console: 40,
  notebook: 24,
  'scheduled-task': 20,
  'always-on': 30,
} as const;

export const roles = Object.keys(machines) as ReadonlyArray<keyof typeof machines>;

/** How pods of the roles that are not made anew with each generation come to the live one. */
export const handover: Partial<Record<(typeof roles)[number], 'Follow' | 'Singleton'>> = {
  'scheduled-task': 'Follow',
  'always-on': 'Singleton',
};

/** Users' always-on tasks: a Deployment each, of which never two copies may run. */
export const tasks = { namespace: 'always-on', count: 60 } as const;

/** Where migrations run, and with whose rights. */
export const jobs = { namespace: 'releases', serviceAccountName: 'cutover' } as const;

export const machinesEach = Object.values(machines).reduce((sum, count) => sum + count, 0);

/** GenerationClasses: the platform's own, and the one of the second try. */
export const classes = { own: 'us-east-1', other: 'us-east-1c' } as const;

/** The websites' Service. */
export const website = { namespace: 'edge', name: 'www' } as const;

/** Shows a new generation before it is live, to the checks of its cutover. */
export const preview = { namespace: 'edge', name: 'www-preview' } as const;

/** What users see while the database is migrated. */
export const maintenance = { namespace: 'edge', name: 'maintenance', replicas: 3 } as const;

/** What the check of a cutover asks for. */
export const checkPath = '/healthz';

export const addresses = ['eipalloc-1', 'eipalloc-2', 'eipalloc-3'] as const;

/** What is removed of a generation that was live, in a minute. */
export const machinesPerMinute = 30;

/** An engineer's own key at the cloud, by its access key id in the scenario. */
export const opsLaptop = { name: 'ops-laptop', accessKeyId: 'AKIAOPSLAPTOP000000' } as const;

/** The two operations whose limits are lower than the classes declare. */
export const limitedOperations = ['RunInstances', 'ModifyInstanceAttribute'] as const;
