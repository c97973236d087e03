import about from '../package.json' with { type: 'json' };

/** The version of both programs: that of the package, which the bundle has in it. */
export const VERSION: string = about.version;
