import type { SelectPackages } from '../selection.ts';

/**
 * Returns a source that is opened for its first compose: its code, which most services never need, is read only then. Where
 * that fails, the next compose tries again.
 */
export function openLater(open: () => Promise<SelectPackages>): SelectPackages {
  let opening: Promise<SelectPackages> | null = null;
  return async (context, request) => {
    opening ??= open().catch((error: unknown) => {
      opening = null;
      throw error;
    });
    const select = await opening;
    return select(context, request);
  };
}
