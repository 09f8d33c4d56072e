import { formatRepoclosureCommand, repoclosureLogPath } from '../../composer/repoclosure-log.ts';
import { repositoryUrls } from '../../composer/build/write-repoclosure-logs.ts';
import type { RepoclosureCheck, Selection } from '../../composer/selection.ts';
import { messageOf, ReactorError } from '../../model/errors.ts';
import type { RunDirectory } from './run-directory.ts';

/**
 * Returns the errors that `pungi-koji` logs of a compose that failed; keys are written as the configuration writes them.
 * Source: the recorded composes.
 */
export function failureLines(error: unknown, sigkeys: readonly string[]): string[] {
  if (!(error instanceof ReactorError)) return [`Compose run failed: ${messageOf(error)}`];
  const isOfGather = error.code === 'main.unresolved' || error.code === 'main.method_missing';
  const isDetailed = error.code === 'main.unresolved' || error.message === 'Configuration is not valid';
  return [
    ...(isDetailed ? (error.hint ?? '').split(/\n(?=Unresolved|GATHER)/) : []),
    ...(isOfGather ? [`Error in gathering for ${error.where}: ${error.message}`] : []),
    `Compose run failed: ${withKeys(error, sigkeys)}`,
  ];
}

function withKeys({ code, message }: ReactorError, sigkeys: readonly string[]): string {
  if (code !== 'koji.signed_copy_missing' && code !== 'koji.not_signed_yet') return message;
  return sigkeys.reduce((text, key) => text.replaceAll(`'${key.toLowerCase()}'`, `'${key}'`), message);
}

/** Returns what is said of a tree whose repoclosure found something. Source: main compose contract 10. */
export function repoclosureFailure(
  { path, identity }: Pick<RunDirectory, 'path' | 'identity'>,
  selection: Pick<Selection, 'variants'>,
  check: RepoclosureCheck,
): string {
  const urlOf = repositoryUrls(selection, `file://${path}`, check.arch);
  return (
    `ERROR running command: ${formatRepoclosureCommand({ composeId: identity.id, urlOf }, check)}\n` +
    `For more details see ${path}/logs/${repoclosureLogPath(check)}`
  );
}
