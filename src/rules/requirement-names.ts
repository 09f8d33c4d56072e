import { fieldsOfKind } from '../model/event-catalogue.ts';

/** What a parameter is: one text, a text or a list of them, a list of days, a switch, or a time of day such as 09:30. */
export interface RequirementParameter {
  readonly shape: 'text' | 'list' | 'days' | 'switch' | 'time';
  readonly isRequired: boolean;
  /** Every word there is, of a closed list. */
  readonly words?: readonly string[];
}

/** The parameters of a state check, by name. */
export type RequirementParameters = Readonly<Record<string, RequirementParameter>>;

const text = { shape: 'text', isRequired: true } as const;
const list = { shape: 'list', isRequired: true } as const;
const time = { shape: 'time', isRequired: true } as const;

/** Days of the week; `Monday` is `mon`, too. */
export const dayNames: readonly string[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
/** How a day may be written, of which the first three letters count. */
export const DAY_PATTERN = `^(?:${dayNames.map((day) => `[${day.charAt(0).toUpperCase()}${day.charAt(0)}]${day.slice(1)}`).join('|')})`;
/** How a time of day is written. */
export const TIME_PATTERN = '^(?:[01]\\d|2[0-3]):[0-5]\\d$';

const updateStatuses = fieldsOfKind('bodhi.update').get('status')?.words ?? [];

/** State checks a rule may name under `require`. Source: RULES 4.3. */
export const requirementChecks: Readonly<Record<string, RequirementParameters>> = {
  'koji.tag_has_packages': { tag: text, packages: list },
  'koji.no_open_builds': { tag: text },
  'koji.builds_signed': { builds: list, keys: { shape: 'list', isRequired: false } },
  'koji.tag_signed': { tag: text, keys: { shape: 'list', isRequired: false } },
  'koji.tag_exists': { tag: text },
  'composes.finished': { series: list, none_running: { shape: 'switch', isRequired: false } },
  'mbs.module_ready': { module: text, platforms: list },
  'bodhi.update_status': {
    alias: text,
    is: { ...list, words: updateStatuses },
  },
  'time.window': {
    from: time,
    to: time,
    days: { shape: 'days', isRequired: false },
    zone: { shape: 'text', isRequired: false },
  },
};
