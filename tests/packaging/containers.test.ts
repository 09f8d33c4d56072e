import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseFedoraMessagingConfig } from '../../src/buses/fedora-messaging-config.ts';
import { loadConfig } from '../../src/config.ts';
import { settings } from '../../src/settings.ts';

const packaging = resolve(import.meta.dirname, '../../packaging');
const read = (path: string): string => readFileSync(join(packaging, path), 'utf8');
const known = new Set<string>(Object.values(settings).map(({ env }) => env));
const everyRole = loadConfig({ file: undefined, environment: {}, overrides: {} }).config.roles.toSorted();
const rolesOf = (environment: Readonly<Record<string, string>>) =>
  loadConfig({ file: undefined, environment, overrides: {} }).config.roles;

const services = z
  .object({
    services: z.record(
      z.string(),
      z.object({
        image: z.string(),
        environment: z.record(z.string(), z.string()).optional(),
        healthcheck: z.unknown().optional(),
        volumes: z.array(z.string()).optional(),
      }),
    ),
    volumes: z.record(z.string(), z.unknown()),
  })
  .parse(parse(read('container/compose.yaml'), { merge: true }));

test('the services of the compose file have all roles between them, by settings that exist', () => {
  const own = Object.values(services.services).filter(({ image }) => image === 'odcs-reactor');
  assert.equal(own.length, 4);
  for (const { environment = {} } of own) {
    assert.deepEqual(
      Object.keys(environment).filter((name) => !known.has(name)),
      [],
    );
  }
  assert.deepEqual(own.flatMap(({ environment = {} }) => rolesOf(environment)).toSorted(), everyRole);
});

test('every volume of the compose file is declared, and what is mounted of the checkout is there', () => {
  const mounted = Object.values(services.services).flatMap(({ volumes = [] }) =>
    volumes.map((line) => line.split(':')[0] ?? ''),
  );
  const named = mounted.filter((name) => !name.startsWith('./'));
  assert.deepEqual([...new Set(named)].toSorted(), Object.keys(services.volumes).toSorted());
  const config = parseFedoraMessagingConfig(read('container/fedora-messaging.toml'), 'fedora-messaging.toml');
  assert.ok(mounted.includes('./fedora-messaging.toml'));
  assert.deepEqual(
    Object.keys(config.queues),
    config.bindings.map(({ queue }) => queue),
  );
});

test('the image runs the program that npm pack makes, by settings that exist', () => {
  const text = read('container/Containerfile');
  const variables = [...text.matchAll(/\b(ODCS_\w+)=/g)].map((match) => match[1] ?? '');
  assert.ok(variables.length > 2);
  assert.deepEqual(
    variables.filter((name) => !known.has(name)),
    [],
  );
  assert.match(text, /^ENTRYPOINT \["odcs-reactor"\]$/m);
});

const chartValues: unknown = parse(read('helm/odcs-reactor/values.yaml'));
const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(
  z.record(z.string(), z.unknown()).parse(JSON.parse(read('helm/odcs-reactor/values.schema.json'))),
);

test('the values of the chart are those of its schema, which refuses others', () => {
  assert.equal(validate(chartValues), true, JSON.stringify(validate.errors));
  for (const wrong of [
    { replicas: 2 },
    { url: 'http://a/' },
    { processes: { api: { roles: ['web'], replicas: 1 } } },
  ]) {
    assert.equal(validate({ ...z.record(z.string(), z.unknown()).parse(chartValues), ...wrong }), false);
  }
});

test('the processes of the chart have all roles between them, by settings that exist', () => {
  const { processes } = z
    .object({ processes: z.record(z.string(), z.object({ roles: z.array(z.string()) })) })
    .parse(chartValues);
  assert.deepEqual(
    Object.values(processes)
      .flatMap(({ roles }) => roles)
      .toSorted(),
    everyRole,
  );
  const variables = [...read('helm/odcs-reactor/templates/processes.yaml').matchAll(/name: (ODCS_\w+)/g)];
  assert.ok(variables.length > 4);
  assert.deepEqual(
    variables.map((match) => match[1] ?? '').filter((name) => !known.has(name)),
    [],
  );
});
