import { z } from 'zod';
import { metadataKeySettings } from './metadata-key-settings.ts';
import { identitySettings } from './identity-settings.ts';
import { mainComposeSettings } from './main-compose-settings.ts';
import { nameSchema } from './name-schema.ts';
import { imageSettings } from './image-settings.ts';
import { pungiSettings } from './pungi-settings.ts';
import { retentionSettings } from './retention-settings.ts';
import { setting, type Setting } from './setting.ts';
import { targetDirSettings } from './target-dir-settings.ts';
import { ctsSettings } from './cts-settings.ts';
import { traceSettings } from './trace-settings.ts';
import { upstreamSettings } from './upstream-settings.ts';

const text = z.string();
const list = z.array(z.string());
const arches = z.array(nameSchema('arch'));
const port = z.number().int().min(0).max(65535);
const seconds = z.number().int().positive();
const secondsOrNever = z.number().int().nonnegative();
const count = z.number().int().positive();
/** A name, one that begins with `.` or `*.`, an address, each with a port if wanted, or a network. */
const hostEntry =
  /^(?:(?:\*?\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::\d{1,5})?|\[[0-9a-f:.]+\](?::\d{1,5})?|[0-9a-f]*:[0-9a-f:.]+|[0-9a-f:.]+\/\d{1,3})$/i;
/** The one table of settings. Keys are the names in the file, `env` those in the environment. */
/** What processes can be. */
export const roleNames = ['api', 'listener', 'rules', 'composer', 'janitor', 'announcer'] as const;

export const settings = {
  data_dir: setting(
    text,
    './data',
    'ODCS_DATA_DIR',
    'Directory of the embedded database, caches and composes.',
  ),
  database_url: setting(
    text,
    '',
    'ODCS_DATABASE_URL',
    'PostgreSQL to use instead of the embedded database: postgres://user@host/name.',
    { isSecret: true },
  ),
  database_migrate: setting(
    z.enum(['safe', 'always', 'never']),
    'safe',
    'ODCS_DATABASE_MIGRATE',
    'When serve brings the tables up to date: unless that breaks processes that run, always, or never.',
  ),
  database_pool_size: setting(
    z.number().int().min(4),
    10,
    'ODCS_DATABASE_POOL_SIZE',
    'Connections to PostgreSQL for statements; 8 more serve the queue and the watch.',
  ),
  database_connect_timeout: setting(
    seconds,
    5,
    'ODCS_DATABASE_CONNECT_TIMEOUT',
    'Seconds a connection to PostgreSQL may take.',
  ),
  database_lock_timeout: setting(seconds, 5, 'ODCS_DATABASE_LOCK_TIMEOUT', 'Seconds to wait for a held row.'),
  database_statement_timeout: setting(
    seconds,
    60,
    'ODCS_DATABASE_STATEMENT_TIMEOUT',
    'Seconds one statement may take.',
  ),
  database_idle_transaction_timeout: setting(
    seconds,
    15,
    'ODCS_DATABASE_IDLE_TRANSACTION_TIMEOUT',
    'Seconds after which PostgreSQL ends a transaction whose process says nothing more.',
  ),
  host: setting(text, '127.0.0.1', 'ODCS_HOST', 'Address the HTTP server listens on.'),
  port: setting(port, 5005, 'ODCS_PORT', 'Port the HTTP server listens on; 0 takes a free one.'),
  admin_host: setting(
    text,
    '127.0.0.1',
    'ODCS_ADMIN_HOST',
    'Address the admin server listens on: health, readiness, metrics, drain. It asks nobody who they are.',
  ),
  admin_port: setting(
    port,
    0,
    'ODCS_ADMIN_PORT',
    'Port the admin server listens on, another one for each process of a machine; 0 means none.',
  ),
  shutdown_grace: setting(
    secondsOrNever,
    5,
    'ODCS_SHUTDOWN_GRACE',
    'Seconds a process that is told to stop serves on, unready, so that a balancer turns away from it.',
  ),
  roles: setting(z.array(z.enum(roleNames)), [...roleNames], 'ODCS_ROLES', 'What this process does.'),
  log_level: setting(
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    'info',
    'ODCS_LOG_LEVEL',
    'Least severe log line that is written.',
  ),
  event_loop_warn_seconds: setting(
    secondsOrNever,
    5,
    'ODCS_EVENT_LOOP_WARN_SECONDS',
    'Seconds the process may stand still before the log says what it does and where; 0 never.',
  ),
  event_loop_end_seconds: setting(
    secondsOrNever,
    60,
    'ODCS_EVENT_LOOP_END_SECONDS',
    'Seconds the process may stand still before it ends, to be started again; 0 never.',
  ),
  ...targetDirSettings,
  ...metadataKeySettings,
  rules_dir: setting(
    text,
    '',
    'ODCS_RULES_DIR',
    'Directory of rule files, one YAML file per rule; empty means no rules.',
  ),
  repo_roots: setting(
    list,
    [],
    'ODCS_REPO_ROOTS',
    'Directories source type repo may read; empty means any, for clients on the loopback address only.',
  ),
  repo_hosts: setting(
    z.array(z.string().regex(hostEntry, 'is no name, name:port, *.name, address or network')),
    ['127.0.0.1', 'localhost', '::1'],
    'ODCS_REPO_HOSTS',
    'Hosts source type repo, lookaside_repos and files of images may be fetched from: name, name:port, *.name (below it), .name (it and below), address, network/bits.',
  ),
  webhook_hosts: setting(
    z.array(z.string().regex(hostEntry, 'is no name, name:port, *.name, address or network')),
    [],
    'ODCS_WEBHOOK_HOSTS',
    'Hosts that requests may have told of their series, written as repo_hosts; empty allows none. Rules name any.',
  ),
  image_refresh_seconds: setting(
    z.number().int().min(60).max(604_800),
    3_600,
    'ODCS_IMAGE_REFRESH_SECONDS',
    'Seconds until the lock file or bills of materials of an image are looked at again.',
  ),
  arches: setting(arches, ['x86_64'], 'ODCS_ARCHES', 'Arches of a request that names none.'),
  sigkeys: setting(
    z.array(nameSchema('sigkey', { isEmptyFine: true })),
    [],
    'ODCS_SIGKEYS',
    'Signing keys of a request that names none; the word none, or an empty key, allows unsigned packages.',
  ),
  seconds_to_live: setting(
    seconds,
    86_400,
    'ODCS_SECONDS_TO_LIVE',
    'Life of a compose that asks for none, in seconds.',
  ),
  max_seconds_to_live: setting(
    seconds,
    259_200,
    'ODCS_MAX_SECONDS_TO_LIVE',
    'Longest life a compose may ask for, in seconds.',
  ),
  compose_timeout: setting(
    seconds,
    3_600,
    'ODCS_COMPOSE_TIMEOUT',
    'Seconds after which a compose that is being made fails.',
  ),
  concurrent_composes: setting(
    count,
    2,
    'ODCS_CONCURRENT_COMPOSES',
    'Composes one process makes at the same time.',
  ),
  repodata_compression: setting(
    z.enum(['zstd', 'gzip']),
    'zstd',
    'ODCS_REPODATA_COMPRESSION',
    'Compression of repodata; gzip for readers older than libsolv with zstd.',
  ),
  delivery: setting(
    z.enum(['link', 'copy', 'reference']),
    'link',
    'ODCS_DELIVERY',
    'How packages get into a compose: hard link where possible, copy, or not at all (repodata refers to the origin).',
  ),
  packages_kept_gib: setting(
    z.number().int().positive(),
    200,
    'ODCS_PACKAGES_KEPT_GIB',
    'GiB of downloaded packages that are kept, for a day, though no compose links to them; beyond it those go first that were used longest ago.',
  ),
  allowed_source_types: setting(
    list,
    ['tag', 'module', 'build'],
    'ODCS_ALLOWED_SOURCE_TYPES',
    'Source types any allowed client may ask for.',
  ),
  allowed_sources: setting(
    list,
    [''],
    'ODCS_ALLOWED_SOURCES',
    'Sources any allowed client may ask for; one empty entry allows all.',
  ),
  allowed_flags: setting(
    list,
    [''],
    'ODCS_ALLOWED_FLAGS',
    'Flags any allowed client may use; one empty entry allows all.',
  ),
  allowed_arches: setting(list, ['x86_64'], 'ODCS_ALLOWED_ARCHES', 'Arches any allowed client may ask for.'),
  allowed_results: setting(
    list,
    [''],
    'ODCS_ALLOWED_RESULTS',
    'Results any allowed client may ask for; one empty entry allows all.',
  ),
  allowed_compose_types: setting(
    list,
    [''],
    'ODCS_ALLOWED_COMPOSE_TYPES',
    'Compose types any allowed client may ask for; one empty entry allows all.',
  ),
  ...identitySettings,
  base_module_names: setting(
    list,
    ['platform', 'bootstrap'],
    'ODCS_BASE_MODULE_NAMES',
    'Modules that stand for the distribution and are never composed.',
  ),
  ...mainComposeSettings,
  ...pungiSettings,
  ...imageSettings,
  event_token: setting(
    text,
    '',
    'ODCS_EVENT_TOKEN',
    'Token or HMAC key of the webhook; empty admits loopback clients without one.',
    { isSecret: true },
  ),
  event_max_bytes: setting(count, 1_048_576, 'ODCS_EVENT_MAX_BYTES', 'Largest message body that is read.'),
  max_streams: setting(
    count,
    1_000,
    'ODCS_MAX_STREAMS',
    'Streams of server-sent events one process keeps open; further ones are told to come back.',
  ),
  ...retentionSettings,
  fedora_messaging_config: setting(
    text,
    '',
    'FEDORA_MESSAGING_CONF',
    'Path of a fedora-messaging config.toml; empty means that bus is not used.',
  ),
  umb_urls: setting(list, [], 'ODCS_UMB_URLS', 'UMB brokers, tried in turn: stomp+ssl://host:61612.'),
  umb_destinations: setting(
    list,
    [],
    'ODCS_UMB_DESTINATIONS',
    'Queues to read: /queue/Consumer.<name>.<unique>.VirtualTopic.eng.>',
  ),
  umb_certificate: setting(text, '', 'ODCS_UMB_CERTIFICATE', 'Client certificate for UMB, PEM.'),
  umb_key: setting(text, '', 'ODCS_UMB_KEY', 'Key of that certificate, PEM.'),
  umb_ca: setting(text, '', 'ODCS_UMB_CA', 'Certificates UMB brokers are checked against, PEM.'),
  umb_topic: setting(
    text,
    '',
    'ODCS_UMB_TOPIC',
    'Topic compose states are announced on; empty means not at all.',
  ),
  private_buses: setting(
    z.array(z.enum(['fedora-messaging', 'umb'])),
    [],
    'ODCS_PRIVATE_BUSES',
    'Buses that may carry announcements of private composes: fedora-messaging, umb.',
  ),
  koji_profile: setting(
    text,
    '',
    'ODCS_KOJI_PROFILE',
    'Koji profile of /etc/koji.conf.d or ~/.koji/config.d; empty means Koji is not used.',
  ),
  koji_hubs: setting(
    z.record(nameSchema('hub'), text.min(1)),
    {},
    'ODCS_KOJI_HUBS',
    'Further Kojis: how their messages call them (brew), and so tags in requests and rules (brew:TAG), to profile.',
  ),
  koji_config: setting(
    text,
    '',
    'ODCS_KOJI_CONFIG',
    'File or directory Koji profiles are read from instead of the usual places.',
  ),
  upstream_instance: setting(
    text,
    '',
    'ODCS_UPSTREAM_INSTANCE',
    'Whose Koji, MBS and Bodhi are asked, as their messages say: fedora, centos, brew; by default that of the bus.',
  ),
  mbs_url: setting(text, '', 'ODCS_MBS_URL', 'Module Build Service, up to /module-build-service.'),
  git_allowed_urls: setting(
    list,
    [],
    'ODCS_GIT_ALLOWED_URLS',
    'Git repositories, or what they lie below, that module defaults and files of main composes may be read from.',
  ),
  ...traceSettings,
  ...upstreamSettings,
  ...ctsSettings,
} as const satisfies Record<string, Setting<never> | Setting<unknown>>;

export type SettingName = keyof typeof settings;

/** The value of every setting. */
export type Config = {
  readonly [K in SettingName]: (typeof settings)[K] extends Setting<infer T> ? T : never;
};
