import { ReactorError } from '../../model/errors.ts';
import { readModuleDocuments, type ModuleDefaults, type ModuleNotice } from '../../rpm/modulemd.ts';
import type { GitFile } from '../../upstream/git.ts';

/**
 * Reads the defaults of a repository's top directory: one module to a file. Throws `module.defaults_twice` and
 * `module.defaults_invalid` in the words ODCS's users know, and the codes of `readModuleDocuments`.
 * Source: module contract 5.
 */
export function readModuleDefaults(files: readonly GitFile[]): readonly ModuleDefaults[] {
  const all = files.map(({ path, text }) =>
    readModuleDocuments(text, path).filter((document) => document.kind === 'defaults'),
  );
  const byModule = new Map<string, ModuleDefaults[]>();
  for (const defaults of all.flat()) {
    byModule.set(defaults.module, [...(byModule.get(defaults.module) ?? []), defaults]);
  }
  const twice = [...byModule].flatMap(([module, list]) => {
    const streams = [...new Set(list.flatMap(({ stream }) => (stream === null ? [] : [stream])))].sort();
    return streams.length > 1 ? [`Module ${module} has multiple defaults: ${streams.join(', ')}`] : [];
  });
  if (twice.length > 0) {
    throw new ReactorError(
      'module.defaults_twice',
      `There are duplicated module defaults:\n${twice.join('\n')}`,
      {
        hint: 'Keep one default stream for each module.',
      },
    );
  }
  const bad = files.filter((_, index) => all[index]?.length !== 1).map(({ path }) => path);
  const double = [...byModule].filter(([, list]) => list.length > 1).map(([module]) => module);
  if (bad.length > 0 || double.length > 0) {
    throw new ReactorError('module.defaults_invalid', 'Defaults contains not valid default file', {
      hint: `Every file must hold the defaults of one module, each module in one file. Look at ${[...bad, ...double].join(', ')}.`,
    });
  }
  return all.flat();
}

/** Reads the obsoletes of a repository's top directory; other documents are left out. */
export function readModuleObsoletes(files: readonly GitFile[]): readonly ModuleNotice[] {
  return files.flatMap(({ path, text }) =>
    readModuleDocuments(text, path).filter(
      (document): document is ModuleNotice => document.kind === 'obsoletes',
    ),
  );
}
