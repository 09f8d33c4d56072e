import type { ImageTask } from '../../model/image-task.ts';
import { maskUrlSecrets } from '../../model/mask-secrets.ts';
import { resolveGitRevision, type GitContext } from '../../upstream/git.ts';

/** Images whose sources are at commits. */
export interface ResolvedImages {
  readonly tasks: readonly ImageTask[];
  /** Sentences that say which commits were found. */
  readonly remarks: readonly string[];
}

/**
 * Puts commits for the branches and tags of the git repositories that images are described in, so that equal
 * images are told from those of another description. `origin/NAME` is a branch, as Pungi has it; a URL without a
 * revision stays as it is. Throws what `resolveGitRevision` throws. Source: Pungi's `resolve_git_url`.
 */
export async function resolveImageSources(
  context: GitContext,
  tasks: readonly ImageTask[],
): Promise<ResolvedImages> {
  const found = new Map<string, string>();
  const remarks: string[] = [];
  const resolve = async (text: string): Promise<string> => {
    const known = found.get(text);
    if (known !== undefined) return known;
    const resolved = await resolveUrl(context, text);
    found.set(text, resolved);
    if (resolved !== text) remarks.push(`Images are described by ${maskUrlSecrets(resolved)}.`);
    return resolved;
  };
  const resolved: ImageTask[] = [];
  for (const task of tasks) {
    switch (task.phase) {
      case 'kiwibuild': {
        const { description_scm: scm = '' } = task.options;
        resolved.push({ ...task, options: { ...task.options, description_scm: await resolve(scm) } });
        break;
      }
      case 'osbs':
        resolved.push({ ...task, options: { ...task.options, url: await resolve(task.options.url) } });
        break;
      case 'image_container':
        resolved.push({ ...task, options: { ...task.options, url: await resolve(task.options.url) } });
        break;
      case 'imagebuilder':
      case 'osbuild':
        resolved.push(task);
        break;
      default:
        task satisfies never;
    }
  }
  return { tasks: resolved, remarks };
}

async function resolveUrl(context: GitContext, text: string): Promise<string> {
  const at = text.indexOf('#');
  const revision = at < 0 ? '' : text.slice(at + 1);
  if (revision === '') return text;
  const place = text.slice(0, at);
  const url = place.replace(/^git\+/, '').replace(/\?.*$/, '');
  const branch = /^origin\/(.+)$/.exec(revision)?.[1];
  const wanted = branch === undefined ? revision : `refs/heads/${branch}`;
  return `${place}#${await resolveGitRevision(context, { url, revision: wanted })}`;
}
