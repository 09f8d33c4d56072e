import { defineSource } from '../source-definition.ts';

/** A repository. */
export const repoSource = defineSource({
  type: 'repo',
  number: 3,
  words: 'a repository, a directory or a URL',
  areRepositories: true,
  async open(context) {
    const { openRepoSource } = await import('./repo-source.ts');
    return openRepoSource(context);
  },
});
