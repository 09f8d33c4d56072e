import { settings, type SettingName } from '../../settings.ts';
import type { PythonSetting } from './read-python-sections.ts';
import type { PythonValue } from './python-literal.ts';

/** What becomes of the settings of an ODCS here. */
export interface ImportedSettings {
  /** Those of this service, in the order of ODCS's. */
  readonly settings: Readonly<Partial<Record<SettingName, unknown>>>;
  /** Names of ODCS that are not taken over, each with the reason and the line it stands in. */
  readonly unread: readonly { readonly name: string; readonly line: number; readonly why: string }[];
  /** Names that nothing here corresponds to. */
  readonly needless: readonly string[];
  /** Its database, for the import of its composes; null where it is not told. */
  readonly database: string | null;
}

/** Settings that both have, by the same name in small letters. Source: ODCS contract 21. */
const same: readonly SettingName[] = [
  'admins',
  'allowed_arches',
  'allowed_clients',
  'allowed_compose_types',
  'allowed_flags',
  'allowed_results',
  'allowed_source_types',
  'allowed_sources',
  'arches',
  'auth_backend',
  'auth_ldap_group_base',
  'auth_ldap_groups',
  'auth_ldap_server',
  'auth_openidc_required_scopes',
  'auth_openidc_userinfo_uri',
  'base_module_names',
  'extra_target_dirs',
  'host',
  'koji_profile',
  'log_level',
  'max_seconds_to_live',
  'mbs_url',
  'oidc_base_namespace',
  'port',
  'pulp_password',
  'pulp_server_url',
  'pulp_username',
  'pungi_config_validate',
  'pungi_koji',
  'pungi_koji_args',
  'pungi_timeout',
  'raw_config_pungi_koji_args',
  'raw_config_schema_override',
  'raw_config_urls',
  'raw_config_wrapper_conf_path',
  'seconds_to_live',
  'sigkeys',
  'target_dir',
  'target_dir_url',
];

const renamed: Readonly<Record<string, readonly SettingName[]>> = {
  NUM_CONCURRENT_PUNGI: ['concurrent_composes', 'concurrent_pungi'],
  MESSAGING_CERT_FILE: ['umb_certificate'],
  MESSAGING_KEY_FILE: ['umb_key'],
  MESSAGING_CA_CERT: ['umb_ca'],
  MESSAGING_TOPIC: ['umb_topic'],
};

/** What is written by hand, and why. */
const byHand: Readonly<Record<string, string>> = {
  MESSAGING_BROKER_URLS:
    'rhmsg speaks AMQP; write umb_urls with the ports at which the same brokers speak STOMP, stomp+ssl://HOST:61612',
};

/** Nothing corresponds to these, and nothing needs them. */
const needlessNames =
  /^(?:CELERY_.*|DEBUG|EXPECTED_BACKEND_NUMBER|INTERNAL_MESSAGING_TOPIC|KOJI_KRB_.*|KOJI_TAG_CACHE_.*|LOG_BACKEND|LOG_FILE|MERGEREPO_TIMEOUT|MESSAGING_BACKEND|NET_.*|PDC_.*|PUNGI_CONF_PATH|RUNROOT_EXTRA_MOUNTS|SECRET_KEY|SQLALCHEMY_TRACK_MODIFICATIONS|SSL_.*)$/;

/** Makes settings of this service of those that a section of ODCS's configuration has. */
export function settingsOfOdcs(section: ReadonlyMap<string, PythonSetting>): ImportedSettings {
  const taken: Partial<Record<SettingName, unknown>> = {};
  const unread: { name: string; line: number; why: string }[] = [];
  const needless: string[] = [];
  let database: string | null = null;
  const isOfUmb = valueOf(section.get('MESSAGING_BACKEND')) !== 'fedora-messaging';
  const refuse = (name: string, line: number, why: string): void => void unread.push({ name, line, why });
  for (const [name, found] of section) {
    if (!/^[A-Z]/.test(name)) continue;
    const { line } = found;
    const isOfOtherBus = name.startsWith('MESSAGING_') && !isOfUmb;
    if (needlessNames.test(name) || isOfOtherBus) needless.push(name);
    else if (!('value' in found)) refuse(name, line, found.unread);
    else if (name === 'SQLALCHEMY_DATABASE_URI') database = String(found.value);
    else if (isEmpty(found.value)) continue;
    else {
      const targets = targetsOf(name);
      if (targets.length === 0) refuse(name, line, byHand[name] ?? UNKNOWN);
      for (const target of targets) {
        const result = settings[target].schema.safeParse(converted(target, found.value));
        if (result.success) taken[target] = result.data;
        else refuse(name, line, `${target}: ${result.error.issues[0]?.message ?? 'wrong type'}`);
      }
    }
  }
  return { settings: taken, unread, needless, database };
}

const UNKNOWN = 'nothing here is called so';

/** ODCS writes what is not set as an empty text. */
function isEmpty(value: PythonValue): boolean {
  return value === '' || value === null;
}

function valueOf(setting: PythonSetting | undefined): PythonValue | undefined {
  return setting !== undefined && 'value' in setting ? setting.value : undefined;
}

function targetsOf(name: string): readonly SettingName[] {
  const target = same.find((setting) => setting.toUpperCase() === name);
  return target === undefined ? (renamed[name] ?? []) : [target];
}

function isTable(value: PythonValue | undefined): value is { readonly [key: string]: PythonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Brings a value to the form that it has here, where that is another one. */
function converted(target: SettingName, value: PythonValue): unknown {
  if (target === 'log_level' && typeof value === 'string') {
    return value.toLowerCase().replace('warning', 'warn');
  }
  if (target === 'auth_ldap_groups' && Array.isArray(value)) return filtersByBase(value);
  if (!isTable(value)) return value;
  if (target === 'allowed_clients') return mapValues(value, grantsOf);
  // Pungi made them; whether this service does is for people to try.
  if (target === 'raw_config_urls') {
    return mapValues(value, (entry) => (isTable(entry) ? { engine: 'pungi', ...entry } : entry));
  }
  return value;
}

/** Pairs of a base and a filter; of those with one base any may find a group. */
function filtersByBase(pairs: readonly PythonValue[]): unknown {
  const filters = new Map<string, string[]>();
  for (const pair of pairs) {
    const [base, filter, ...others] = Array.isArray(pair) ? pair.map(String) : [];
    if (base === undefined || filter === undefined || others.length > 0) return pairs;
    const pattern = filter.replaceAll('{0}', '{}');
    const enclosed = pattern.startsWith('(') ? pattern : `(${pattern})`;
    filters.set(base, [...(filters.get(base) ?? []), enclosed]);
  }
  return Object.fromEntries(
    [...filters].map(([base, found]) => [base, found.length === 1 ? found[0] : `(|${found.join('')})`]),
  );
}

function mapValues(
  table: { readonly [key: string]: PythonValue },
  change: (value: PythonValue) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, change(value)]));
}

/** Releases before 0.2 listed names, some of them with their source types. Source: ODCS contract 10. */
function grantsOf(entries: PythonValue): unknown {
  if (Array.isArray(entries)) {
    return Object.fromEntries(
      entries.flatMap((entry: PythonValue) =>
        isTable(entry) ? Object.entries(entry).map(grantOf) : [[String(entry), {}]],
      ),
    );
  }
  return isTable(entries) ? Object.fromEntries(Object.entries(entries).map(grantOf)) : entries;
}

function grantOf([name, limits]: [string, PythonValue]): [string, unknown] {
  return [name, Array.isArray(limits) ? { source_types: limits } : limits];
}
