import { imageOptionSchemas, type ImagePhase } from '../../model/image-task.ts';
import {
  honouredOptions,
  optionRules,
  otherOptions,
  removedOptions,
  requiredOptions,
  type OptionShape,
} from './config-options.ts';
import {
  isDictionary,
  itemsOf,
  reprOfValue,
  textOfValue,
  type Config,
  type ConfigValue,
} from './config-value.ts';
import { jsonOfValue } from './images-of-config.ts';
import { nearestOption } from './nearest-option.ts';
import { findPatternFault } from '../python-pattern.ts';

/** What is wrong with a configuration, worded as the reference composer words it. */
export interface ConfigFaults {
  readonly warnings: readonly string[];
  readonly errors: readonly string[];
}

type Report = (path: string, fault: string) => void;

/**
 * Validates a configuration as far as it is honoured here: shapes, required options, options that need or exclude
 * each other. Unknown options only warn. Source: main compose contract 2.
 */
export function validateConfig(config: Config): ConfigFaults {
  const known = [...Object.keys(honouredOptions), ...otherOptions];
  const removed: string[] = [];
  const unknown: string[] = [];
  for (const option of config.keys()) {
    const hint = removedOptions.get(option);
    if (hint !== undefined) {
      removed.push(`WARNING: Config option ${option} was removed and has no effect; ${hint}.`);
    } else if (!Object.hasOwn(honouredOptions, option) && !otherOptions.has(option)) {
      const near = nearestOption(option, known);
      const question = near === null ? '' : ` Did you mean ${near}?`;
      unknown.push(`WARNING: Unrecognized config option: ${option}.${question}`);
    }
  }
  const errors: string[] = [];
  const report: Report = (path, fault) => errors.push(`Failed validation in ${path}: ${fault}`);
  for (const [option, shape] of Object.entries(honouredOptions)) {
    const value = config.get(option);
    if (value !== undefined) checkShape(shape, value, option, report);
  }
  for (const option of requiredOptions) {
    if (!config.has(option)) report('', `'${option}' is a required property`);
  }
  return { warnings: [...removed, ...unknown], errors: [...errors, ...brokenRules(config)] };
}

function brokenRules(config: Config): string[] {
  const requirements: string[] = [];
  for (const { option, kind, applies, others } of optionRules) {
    const value = config.get(option) ?? null;
    if (!applies(value)) continue;
    for (const other of others) {
      const isBroken = kind === 'requires' ? !config.has(other) : config.has(other);
      if (!isBroken) continue;
      const setting = `Config option ${option}=${textOfValue(value)}`;
      requirements.push(
        kind === 'requires'
          ? `ERROR: ${setting} requires ${other} which is not set.`
          : `ERROR: ${setting} conflicts with option ${other}.`,
      );
    }
  }
  return requirements;
}

function checkShape(shape: OptionShape, value: ConfigValue, path: string, report: Report): void {
  switch (shape.kind) {
    case 'text':
      if (typeof value !== 'string') report(path, notOfType(value, 'string'));
      break;
    case 'flag':
      if (typeof value !== 'boolean') report(path, notOfType(value, 'boolean'));
      break;
    case 'number':
      if (typeof value !== 'number') report(path, notOfType(value, 'number'));
      break;
    case 'one of':
      if (typeof value !== 'string' || !shape.values.includes(value)) {
        report(path, `${reprOfValue(value)} is not one of ${reprOfValue(shape.values)}`);
      }
      break;
    case 'texts':
      checkItems({ kind: 'text' }, value, path, report);
      break;
    case 'texts or text':
      if (typeof value === 'string') break;
      if (itemsOf(value) === null) report(path, notValid(value));
      else checkItems({ kind: 'text' }, value, path, report);
      break;
    case 'sigkeys':
      for (const [at, item] of checkedItems(value, path, report).entries()) {
        if (typeof item !== 'string' && item !== null) report(`${path}.${at}`, notValid(item));
      }
      break;
    case 'by arch':
      checkByArch(shape.of, value, path, report);
      break;
    case 'by variant and arch':
      checkByVariantAndArch(shape.of, value, path, report);
      break;
    case 'pairs':
      for (const [at, item] of checkedItems(value, path, report).entries()) {
        checkPair(item, `${path}.${at}`, report);
      }
      break;
    case 'method':
      checkMethod(value, path, report);
      break;
    case 'scm':
      if (typeof value !== 'string' && !isDictionary(value)) report(path, notValid(value));
      break;
    case 'images':
      checkImages(shape.phase, value, path, report);
      break;
    case 'anything':
      break;
    default:
      shape satisfies never;
  }
}

function notOfType(value: ConfigValue, type: string): string {
  return `${reprOfValue(value)} is not of type '${type}'`;
}

function notValid(value: ConfigValue): string {
  return `${reprOfValue(value)} is not valid under any of the given schemas`;
}

function checkedItems(value: ConfigValue, path: string, report: Report): readonly ConfigValue[] {
  const items = itemsOf(value);
  if (items === null) report(path, notOfType(value, 'array'));
  return items ?? [];
}

function checkItems(shape: OptionShape, value: ConfigValue, path: string, report: Report): void {
  for (const [at, item] of checkedItems(value, path, report).entries()) {
    checkShape(shape, item, `${path}.${at}`, report);
  }
}

function checkPair(item: ConfigValue, path: string, report: Report): void {
  const pair = itemsOf(item);
  if (pair === null) report(path, notOfType(item, 'array'));
  else if (pair.length < 2) report(path, `${reprOfValue(pair)} is too short`);
  else if (pair.length > 2) report(path, `${reprOfValue(pair)} is too long`);
  else checkItems({ kind: 'text' }, item, path, report);
}

function checkByArch(of: OptionShape, value: ConfigValue, path: string, report: Report): void {
  if (!isDictionary(value)) {
    report(path, notOfType(value, 'object'));
    return;
  }
  for (const [arch, member] of value) {
    const isSingle = itemsOf(member) === null;
    if (isSingle) checkShape(of, member, `${path}.${arch}`, report);
    else checkItems(of, member, `${path}.${arch}`, report);
  }
}

function checkByVariantAndArch(of: OptionShape, value: ConfigValue, path: string, report: Report): void {
  for (const [at, item] of checkedItems(value, path, report).entries()) {
    const place = `${path}.${at}`;
    const pair = itemsOf(item);
    if (pair === null) {
      report(place, notOfType(item, 'array'));
      continue;
    }
    const [pattern, arches] = pair;
    if (pair.length !== 2) report(place, `${reprOfValue(pair)} is too ${pair.length < 2 ? 'short' : 'long'}`);
    if (typeof pattern === 'string') {
      const fault = findPatternFault(pattern);
      if (fault !== null) report(`${place}.0`, `incorrect regular expression: ${fault}`);
    } else if (pattern !== undefined) report(`${place}.0`, notOfType(pattern, 'string'));
    if (arches !== undefined) checkByArch(of, arches, `${place}.1`, report);
  }
}

function checkImages(phase: ImagePhase, value: ConfigValue, path: string, report: Report): void {
  if (!isDictionary(value)) {
    report(path, notOfType(value, 'object'));
    return;
  }
  for (const [pattern, images] of value) {
    const place = `${path}.${String(pattern)}`;
    const fault = findPatternFault(String(pattern));
    if (fault !== null) report(path, `incorrect regular expression: ${fault}`);
    const items = itemsOf(images);
    const isSingleFine = phase === 'osbs' || phase === 'image_container';
    if (items === null && !isSingleFine) report(place, notOfType(images, 'array'));
    for (const [at, image] of (items ?? (isSingleFine ? [images] : [])).entries()) {
      const where = items === null ? place : `${place}.${at}`;
      if (!isDictionary(image)) report(where, notOfType(image, 'object'));
      else
        for (const { path, fault } of findImageFaults(phase, image))
          report([where, ...path].join('.'), fault);
    }
  }
}

/** What is wrong with the options of an image. None is what nobody said. */
function findImageFaults(
  phase: ImagePhase,
  image: ReadonlyMap<unknown, ConfigValue>,
): { readonly path: readonly string[]; readonly fault: string }[] {
  const said = new Map([...image].filter(([, value]) => value !== null));
  const checked = imageOptionSchemas[phase].safeParse(
    jsonOfValue(new Map(Array.from(said, ([key, value]) => [String(key), value]))),
  );
  return (checked.error?.issues ?? []).flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      const fault = `Additional properties are not allowed (${issue.keys.map((key) => `'${key}'`).join(', ')} ${issue.keys.length === 1 ? 'was' : 'were'} unexpected)`;
      return { path, fault };
    }
    const [name = '', ...deeper] = path;
    const value = said.get(name);
    if (value === undefined) return { path: [], fault: `'${name}' is a required property` };
    const isType = issue.code === 'invalid_type' && deeper.length === 0;
    return { path, fault: isType ? notOfType(value, issue.expected) : notValid(value) };
  });
}

const methods = ['deps', 'nodeps', 'hybrid'];

function checkMethod(value: ConfigValue, path: string, report: Report): void {
  if (typeof value === 'string' && methods.includes(value)) return;
  if (!isDictionary(value)) {
    report(path, notValid(value));
    return;
  }
  for (const [pattern, bySource] of value) {
    const fault = findPatternFault(String(pattern));
    if (fault !== null) report(path, `incorrect regular expression: ${fault}`);
    const isMethod = typeof bySource === 'string' && methods.includes(bySource);
    const isBySource =
      isDictionary(bySource) &&
      [...bySource].every(
        ([source, method]) =>
          typeof source === 'string' &&
          ['module', 'comps', 'json'].includes(source) &&
          typeof method === 'string' &&
          methods.includes(method),
      );
    if (!isMethod && !isBySource) report(`${path}.${pattern}`, notValid(bySource));
  }
}
