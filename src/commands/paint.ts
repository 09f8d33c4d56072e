import { styleText } from 'node:util';
import type { ActionContext } from './command.ts';

/** What a colour says: that something went well, went wrong, goes on, matters less, or is a head. */
export type Shade = 'good' | 'bad' | 'busy' | 'soft' | 'head';

/** Colours a text for a terminal, or leaves it as it is. */
export type Paint = (shade: Shade, text: string) => string;

const styles = {
  good: 'green',
  bad: 'red',
  busy: 'yellow',
  soft: 'gray',
  head: 'bold',
} as const satisfies Record<Shade, Parameters<typeof styleText>[0]>;

/**
 * Returns what colours the text of standard output: on a terminal, unless NO_COLOR is set or TERM is dumb; FORCE_COLOR
 * decides before both. Sources: no-color.org, force-color.org.
 */
export function paintFor(context: Pick<ActionContext, 'environment' | 'isOutputTerminal'>): Paint {
  const isColoured = wantsColours(context);
  return (shade, text) =>
    isColoured && text !== '' ? styleText(styles[shade], text, { validateStream: false }) : text;
}

function wantsColours({
  environment,
  isOutputTerminal,
}: Pick<ActionContext, 'environment' | 'isOutputTerminal'>): boolean {
  const forced = environment['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  const isRefused = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb';
  return isOutputTerminal === true && !isRefused;
}

const shades: Readonly<Record<string, Shade>> = {
  done: 'good',
  composed: 'good',
  ok: 'good',
  active: 'good',
  failed: 'bad',
  refused: 'bad',
  rate_limited: 'bad',
  overdue: 'bad',
  paused: 'bad',
  generating: 'busy',
  wait: 'busy',
  not_ready: 'busy',
  removed: 'soft',
  unchanged: 'soft',
  covered: 'soft',
  off: 'soft',
};

/** Returns the word of a state or an outcome in the colour of what it says. */
export function paintState(paint: Paint, word: string): string {
  const shade = shades[word];
  return shade === undefined ? word : paint(shade, word);
}
