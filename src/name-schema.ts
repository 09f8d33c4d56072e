import { z } from 'zod';
import { isName, nameHint, nameSentence, type NameKind } from './model/names.ts';

/** Returns the schema of texts that are names of a kind; of empty ones too where `isEmptyFine` says so. */
export function nameSchema(kind: NameKind, { isEmptyFine = false } = {}): z.ZodType<string> {
  return z.string().superRefine((value, context) => {
    if (isName(kind, value) || (value === '' && isEmptyFine)) return;
    const message = `${nameSentence(kind, value)} ${nameHint(kind)}`.replace(/\.$/, '');
    context.addIssue({ code: 'custom', message });
  });
}
