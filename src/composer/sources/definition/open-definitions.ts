import type { SelectPackages } from '../../selection.ts';
import {
  checkMainRequest,
  selectDefinition,
  type MainResources,
} from '../../main-inputs/select-definition.ts';
import { ReactorError } from '../../../model/errors.ts';
import type { MainDefinition } from '../../main/main-definition.ts';
import { openMainResources } from '../../main-inputs/open-main-resources.ts';
import type { SourceContext } from '../source-definition.ts';
import { readNamedDefinition } from './read-named-definition.ts';

/** Opens the source type `definition`, with what it keeps from one compose to the next. */
export function openDefinitions(context: SourceContext): SelectPackages {
  const { kysely, targetDirs } = context;
  const composes = kysely === null ? null : { kysely, targetDirs };
  return definitionSource(openMainResources({ ...context, composes }));
}

/**
 * The source type `definition`: the main compose that a definition says, read anew for each compose. Series that are its
 * parts are pinned to the composes they show, and the source of the compose names those: `product baseos=17`. Its select
 * throws `definition.*`, `compose.part_*`, `main.*`, `git.*`, `koji.*`, `repo.*`, `rpm.*`, `module.*`.
 */
function definitionSource(resources: MainResources): SelectPackages {
  return async (context, request) => {
    checkMainRequest(request);
    context.progress('resolve', 0, 1, 'step');
    const [word = '', ...pins] = request.source;
    const { definition, files, digest, commit, remarks } = await readNamedDefinition(
      resources.config,
      word,
      context.signal,
    );
    const pinned = pinnedParts(definition, pins);
    const source = commit === null ? word : `${word.split('#')[0] ?? ''}#${commit}`;
    return selectDefinition(resources, context, request, {
      source,
      digest,
      definition,
      files,
      warnings: [],
      remarks,
      pinned,
    });
  };
}

/** The composes that a request names for series, by series. Throws `definition.part_unknown`. */
function pinnedParts({ packages }: MainDefinition, pins: readonly string[]): ReadonlyMap<string, number> {
  const known = packages.kind === 'composes' ? packages.parts : [];
  return new Map(
    pins.map((pin): [string, number] => {
      const at = pin.lastIndexOf('=');
      const series = pin.slice(0, at);
      if (known.includes(series)) return [series, Number(pin.slice(at + 1))];
      throw new ReactorError('definition.part_unknown', `The definition has no part "${series}".`, {
        hint: known.length === 0 ? 'It is not made of composes.' : `Its parts are: ${known.join(', ')}.`,
      });
    }),
  );
}
