import { z } from 'zod';
import { setting } from './setting.ts';

const days = z.number().int().positive();

/** The settings that say how long rows of history are kept, and which composes beyond their life. */
export const retentionSettings = {
  request_keep_most: setting(
    z.number().int().nonnegative(),
    30,
    'ODCS_REQUEST_KEEP_MOST',
    'Composes of a series that "keep" of a request may keep beyond their life; admins and rules may keep more.',
  ),
  keep_releases: setting(
    z.enum(['latest', 'labels', 'none']),
    'latest',
    'ODCS_KEEP_RELEASES',
    'Which main composes live on past their life until another takes their place: the latest of each release, the latest of each label too, or none.',
  ),
  events_kept_days: setting(
    days,
    30,
    'ODCS_EVENTS_KEPT_DAYS',
    'Days after which an event is forgotten, unless an open window, a request or a compose still refers to it.',
  ),
  announcements_kept_days: setting(
    days,
    30,
    'ODCS_ANNOUNCEMENTS_KEPT_DAYS',
    'Days after which an announcement that every bus accepted is forgotten.',
  ),
  decisions_kept_days: setting(
    days,
    365,
    'ODCS_DECISIONS_KEPT_DAYS',
    'Days after which it is forgotten why something was, or was not, composed: decisions, their windows and requests.',
  ),
  rule_groups_kept_days: setting(
    days,
    90,
    'ODCS_RULE_GROUPS_KEPT_DAYS',
    'Days after its last event that a group of a rule is forgotten, and no sweep looks at it any more.',
  ),
  rule_sets_kept_days: setting(
    days,
    180,
    'ODCS_RULE_SETS_KEPT_DAYS',
    'Days after it last ran that a set of rules is forgotten, and what it decided can no longer be explained.',
  ),
} as const;
