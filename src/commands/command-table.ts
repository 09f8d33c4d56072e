import type { Command } from './command.ts';

/** Every command, loaded only when it is called. */
export const commands: Record<
  string,
  { readonly summary: string; readonly load: () => Promise<{ command: Command }> }
> = {
  serve: { summary: 'Run the service', load: () => import('./serve.ts') },
  demo: {
    summary: 'Tell what the service is for, with a real one',
    load: () => import('./demo.ts'),
  },
  compose: {
    summary: 'Ask a service for composes, look at them, wait for them',
    load: () => import('./compose.ts'),
  },
  find: {
    summary: 'Tell what is known of a build, package, tag, update, CVE, …, and what came of it',
    load: () => import('./find.ts'),
  },
  series: {
    summary: 'Look at lines of composes, and what would be kept of them',
    load: () => import('./series.ts'),
  },
  image: {
    summary: 'Tell the service of container images, and see which ones a compose changes',
    load: () => import('./image.ts'),
  },
  lock: {
    summary: 'Bring a lock file of a container build up to date',
    load: () => import('./lock.ts'),
  },
  definition: {
    summary: 'Check, import, plan and compare definitions of main composes',
    load: () => import('./definition.ts'),
  },
  rules: {
    summary: 'Check, explain and try rules; pause, resume, trigger',
    load: () => import('./rules.ts'),
  },
  events: {
    summary: 'Look at the messages that came in, give some again',
    load: () => import('./events.ts'),
  },
  koji: {
    summary: 'Check whether a Koji can be composed from',
    load: () => import('./koji.ts'),
  },
  gather: {
    summary: 'Tell which packages a compose of some input has, and why',
    load: () => import('./gather.ts'),
  },
  'pungi-koji': {
    summary: 'Make a main compose of a Pungi configuration, as pungi-koji does, without a service',
    load: () => import('./pungi-koji.ts'),
  },
  repoclosure: {
    summary: 'Tell what packages of repositories require and none provides',
    load: () => import('./repoclosure.ts'),
  },
  createrepo: {
    summary: 'Write the repodata of a tree of RPMs',
    load: () => import('./createrepo.ts'),
  },
  token: {
    summary: 'Create, list and revoke tokens for the API',
    load: () => import('./token.ts'),
  },
  config: { summary: 'Print the effective settings', load: () => import('./config.ts') },
  'import-odcs': {
    summary: 'Take over the composes of an ODCS',
    load: () => import('./import-odcs.ts'),
  },
  completion: {
    summary: 'Print what completes commands and options in a shell',
    load: () => import('./completion.ts'),
  },
  man: { summary: 'Print the manual as pages for man', load: () => import('./man.ts') },
  migrate: { summary: 'Bring the database up to date', load: () => import('./migrate.ts') },
};
