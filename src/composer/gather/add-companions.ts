import { matchNamePattern } from '../../model/name-pattern.ts';
import { byteStringOf } from '../../rpm/repodata/xml-scan.ts';
import { selectByName, takeNew, type GatherRun } from './gather-run.ts';
import { selectsMultilib, type MultilibCandidate } from './multilib-methods.ts';
import { BINARY, lookUpNames, lookUpPackages } from './universe.ts';

/** Adds the langpacks of new packages. Source: pungi contract 1.5 step 8. */
export function addLangpacks(run: GatherRun): boolean {
  const { state, options } = run;
  const { index } = state;
  let hasAdded = false;
  for (const id of takeNew(run, 'langpacks', state.binary)) {
    for (const { name, install } of options.langpacks) {
      if (index.strings.find(byteStringOf(name)) !== index.columns.name.at(id)) continue;
      for (const matched of lookUpNames(state.universe, install.replaceAll('%s', '*'))) {
        const text = index.strings.get(matched);
        if (text.endsWith('-devel') || text.endsWith('-static') || text === 'man-pages-overrides') continue;
        for (const pack of selectByName(run, matched)) {
          if (state.add(pack, { kind: 'langpack', of: id })) hasAdded = true;
        }
      }
    }
  }
  return hasAdded;
}

/** Adds the 32-bit companions that the methods and the white list take. Source: pungi contract 1.9. */
export function addCompanions(run: GatherRun): boolean {
  const { state, options } = run;
  const { places, index } = state.universe;
  const { arch } = index.columns;
  const fresh = takeNew(run, 'multilib', state.binary);
  if (options.multilibMethods.length === 0 && options.multilibWhitelist.length === 0) return false;
  const isBlack = matchAny(options.multilibBlacklist);
  const isWhite = matchAny(options.multilibWhitelist);
  let hasAdded = false;
  for (const id of fresh) {
    const place = places.get(arch.at(id));
    if (place === undefined || place.isNoarch || !place.isNative) continue;
    const companion = findCompanion(run, id);
    if (companion < 0 || isBlack(index.nameOf(companion))) continue;
    const by = isWhite(index.nameOf(companion)) ? 'white list' : selectedBy(run, companion);
    if (by !== null && state.add(companion, { kind: 'multilib', of: id, by })) hasAdded = true;
  }
  return hasAdded;
}

function matchAny(patterns: readonly string[]): (name: string) => boolean {
  const tests = patterns.map(matchNamePattern);
  return (name) => tests.some((test) => test(name));
}

/** The best multilib package of the same name, version and release, or -1. */
function findCompanion(run: GatherRun, id: number): number {
  const { index, kinds, superseded, places } = run.state.universe;
  const { name, arch, evr } = index.columns;
  const versionOf = (other: number): string => {
    const text = index.strings.get(evr.at(other));
    return text.slice(text.indexOf(':') + 1);
  };
  const wanted = versionOf(id);
  const companions = [...lookUpPackages(run.state.universe, name.at(id))].filter((other) => {
    if (kinds[other] !== BINARY || superseded[other] === 1) return false;
    return places.get(arch.at(other))?.isNative === false && versionOf(other) === wanted;
  });
  return run.providers.best(companions);
}

function selectedBy(run: GatherRun, id: number): string | null {
  const { index } = run.state;
  const { hasRuntimeFile, providesFrom, providesTo, provideName } = index.columns;
  const known = hasRuntimeFile.at(id);
  const candidate: MultilibCandidate = {
    name: index.nameOf(id),
    provides() {
      const names: string[] = [];
      for (let i = providesFrom.at(id); i < providesTo.at(id); i += 1) {
        names.push(index.strings.get(provideName.at(i)));
      }
      return names;
    },
    hasRuntimeFile: known < 0 ? null : known === 1,
  };
  for (const method of run.options.multilibMethods) {
    const isSelected = selectsMultilib(method, candidate);
    if (isSelected === null) run.state.needsRuntimeFiles = true;
    if (isSelected === true) return method;
  }
  return null;
}
