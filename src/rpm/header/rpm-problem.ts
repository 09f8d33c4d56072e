import { ReactorError } from '../../model/errors.ts';

/** What may be wrong with the bytes of an RPM. */
export type RpmProblemCode =
  | 'rpm.not_an_rpm'
  | 'rpm.payload_broken'
  | 'rpm.truncated'
  | 'rpm.header_magic_wrong'
  | 'rpm.header_too_large'
  | 'rpm.index_broken'
  | 'rpm.region_broken'
  | 'rpm.entry_out_of_bounds'
  | 'rpm.entry_type_wrong'
  | 'rpm.string_unterminated'
  | 'rpm.tag_missing'
  | 'rpm.lists_disagree'
  | 'rpm.too_many_entries';

/** An error about the bytes at `offset` of the file `where`. */
export function rpmProblem(code: RpmProblemCode, where: string, offset: number, what: string): ReactorError {
  return new ReactorError(code, `${what} (byte ${offset}).`, {
    where: `${where}:${offset}`,
    hint: 'Download or rebuild the package; `rpm -K` tells more about the file.',
  });
}
