/** A line of a page that is not run with the others. */
interface NotRun {
  /** The page and how the line begins. */
  readonly start: string;
  /** Why not, and what runs it elsewhere. */
  readonly why: string;
}

const long = 'takes minutes to days; `.ci/run` runs the short form';
const packed = 'installs packages; packaging/npm/try-package.sh packs, installs and runs the program';
const service = 'never ends; the service of this test stands for it';
const hub =
  'wants a Koji hub or a configuration of the reader; tests/commands/definition.test.ts runs the verb';

/** Every line of a shell that tests/docs-running.test.ts does not run. */
export const notRun: readonly NotRun[] = [
  { start: 'README.md: npm ci && npm run demo', why: '`.ci/run` runs it' },
  { start: 'README.md: npm ci && npm test', why: 'would run this test' },
  { start: 'README.md: npm pack', why: packed },
  {
    start: 'README.md: podman compose',
    why: 'needs images of a registry; tests/packaging/containers.test.ts reads the files',
  },
  { start: 'README.md: npx odcs-reactor serve', why: service },
  { start: 'README.md: ODCS_RULES_DIR=my-rules npx odcs-reactor serve', why: service },
  {
    start: 'docs/api.md: npm run clients',
    why: 'tests/clients/generated-clients.test.ts makes them and calls with them',
  },
  {
    start: 'docs/command-line.md: odcs-reactor completion',
    why: 'of other shells than bash; tests/commands/completion.test.ts runs them there',
  },
  {
    start: 'docs/containers.md: odcs-reactor image set httpd-24 --series base-images --lock https://',
    why: 'reads another server over HTTPS; tests/api/images.test.ts does so',
  },
  {
    start: 'docs/containers.md: odcs-reactor image set httpd-24 --series base-images --sbom https://',
    why: 'reads another server over HTTPS; tests/api/images.test.ts does so',
  },
  {
    start: 'docs/containers.md: odcs-reactor compose verify',
    why: 'wants a compose that is signed; tests/composer/verify/verify-compose.test.ts has some',
  },
  { start: 'docs/install.md: npm pack', why: packed },
  { start: 'docs/install.md: npm install', why: packed },
  { start: 'docs/install.md: odcs-reactor demo', why: packed },
  { start: 'docs/install.md: odcs-reactor serve', why: service },
  { start: 'docs/main-composes.md: odcs-reactor definition', why: hub },
  { start: 'docs/main-composes.md: ODCS_DEFINITIONS_DIR=definitions', why: service },
  { start: 'docs/main-composes.md: curl -d', why: hub },
  {
    start: 'docs/main-composes.md: odcs-reactor pungi-koji',
    why: 'wants a Koji hub; tests/commands/pungi-koji.test.ts runs it',
  },
  {
    start: 'docs/migrating-from-odcs.md: odcs-reactor import-odcs',
    why: 'wants an ODCS; tests/commands/import-odcs has one',
  },
  { start: 'docs/scale.md: npm run simulate', why: long },
  { start: 'docs/scale.md: npm run soak', why: long },
  { start: 'docs/security.md: npm run attack', why: long },
  { start: 'docs/security.md: npm ci --prefix ../older', why: packed },
];
