import type { ReportProblem } from '../../model/file-problem.ts';
import { completeImage, type ImageTask } from '../../model/image-task.ts';
import type { DefinitionFile } from './definition-file-schema.ts';
import { reportUnknown, type WrittenVariant } from './written-variants.ts';

/** Lists the images of a definition file in the order of its variants; reports what they lack, and names that are none. */
export function listImageTasks(
  file: DefinitionFile,
  written: readonly WrittenVariant[],
  report: ReportProblem,
): ImageTask[] {
  const uids = written.map(({ variant }) => variant.uid);
  const checksums = file.output.file_digests;
  const tasks: ImageTask[] = [];
  for (const { variant, entry, path } of written) {
    for (const [at, { phase, ...options }] of entry.images.entries()) {
      const place = [...path, 'images', at];
      checkNames({ options, place, uids, arches: variant.arches }, report);
      const completed = completeImage(phase, options, {
        uid: variant.uid,
        arches: variant.arches,
        checksums,
      });
      if (completed.ok) {
        if (completed.task !== null) tasks.push(completed.task);
        continue;
      }
      const message = `The image ${phase} of ${variant.uid} lacks ${completed.missing.join(', ')}.`;
      report('definition.key_missing', place, message, 'Koji cannot make it without.');
    }
  }
  return tasks;
}

interface ImagePlace {
  readonly options: Readonly<Record<string, unknown>>;
  readonly place: readonly (string | number)[];
  readonly uids: readonly string[];
  readonly arches: readonly string[];
}

function checkNames({ options, place, uids, arches }: ImagePlace, report: ReportProblem): void {
  for (const key of ['arches', 'failable']) {
    for (const [at, arch] of textsOf(options[key]).entries()) {
      if (arches.includes(arch) || (key === 'failable' && arch === '*')) continue;
      reportUnknown(report, [...place, key, at], 'The variant has no arch', arch, arches);
    }
  }
  for (const key of ['repo', 'repos']) {
    for (const [at, name] of textsOf(options[key]).entries()) {
      if (name.includes('://') || uids.includes(name)) continue;
      reportUnknown(report, [...place, key, at], 'There is no variant', name, uids);
    }
  }
}

/** The texts of a list, or a single one; what is no text has names of its own. */
function textsOf(value: unknown): string[] {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  return all.map((place) => (typeof place === 'string' ? place : '://')).filter(() => value !== undefined);
}
