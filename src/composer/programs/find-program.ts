import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Returns the absolute path of a program, null where it is not to be run. `searched` is what `PATH` says. */
export async function findProgram(name: string, searched: string): Promise<string | null> {
  const places = name.includes('/') ? [name] : searched.split(delimiter).map((place) => join(place, name));
  for (const place of name === '' ? [] : places) {
    try {
      await access(place, constants.X_OK);
      return place;
    } catch {
      continue;
    }
  }
  return null;
}
