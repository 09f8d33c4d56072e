import type { OpenableSource } from '../src/composer/open-sources.ts';
import { sourceDefinitions } from '../src/source-types.ts';
import { formatBlock, measureLongestBlock } from '../tests/longest-block.ts';

/** A part of a step, up to the next one. */
interface Phase {
  readonly name: string;
  readonly wallMs: number;
  /** Milliseconds of CPU of all threads of the process. */
  readonly cpuMs: number;
  /** The most memory of the process until its end, MiB. */
  readonly peakMib: number;
}

export interface MeasuredStep<T> {
  readonly value: T;
  readonly taken: { readonly wallMs: number; readonly cpuMs: number; readonly peakMib: number };
}

/** Measures steps and the phases that a source and what is made of its selection go through. */
export interface PhaseTable {
  readonly definitions: readonly OpenableSource[];
  /** Measures a step and writes what it took, a line for each of its phases below. Throws what the step throws. */
  readonly measure: <T>(name: string, step: () => Promise<T>) => Promise<MeasuredStep<T>>;
}

/** Returns a table that hands every line to `say`. */
export function openPhaseTable(say: (line: string) => void): PhaseTable {
  let phases: Phase[] = [];
  let current = { name: '', at: 0, cpu: process.cpuUsage() };
  const begin = (name: string): void => {
    const { user, system } = process.cpuUsage(current.cpu);
    phases.push({
      name: current.name,
      wallMs: performance.now() - current.at,
      cpuMs: (user + system) / 1000,
      peakMib: process.resourceUsage().maxRSS / 1024,
    });
    current = { name, at: performance.now(), cpu: process.cpuUsage() };
  };
  return {
    definitions: sourceDefinitions.map((definition) => withPhases(definition, begin)),
    async measure(name, step) {
      phases = [];
      current = { name: 'take', at: performance.now(), cpu: process.cpuUsage() };
      const { value, block } = await measureLongestBlock(step);
      begin('');
      const sum = (of: (phase: Phase) => number): number =>
        phases.reduce((total, phase) => total + of(phase), 0);
      const whole = {
        name,
        wallMs: sum(({ wallMs }) => wallMs),
        cpuMs: sum(({ cpuMs }) => cpuMs),
        peakMib: Math.max(...phases.map(({ peakMib }) => peakMib)),
      };
      say(`${formatPhase(whole)}  longest block ${formatBlock(block)}`);
      for (const phase of phases) say(formatPhase({ ...phase, name: `  ${phase.name}` }));
      const { wallMs, cpuMs, peakMib } = whole;
      return { value, taken: { wallMs, cpuMs, peakMib } };
    },
  };
}

function formatPhase({ name, wallMs, cpuMs, peakMib }: Phase): string {
  const wall = (wallMs / 1000).toFixed(2).padStart(7);
  const cpu = (cpuMs / 1000).toFixed(2).padStart(7);
  return `${name.padEnd(32)} ${wall} s wall ${cpu} s CPU ${Math.round(peakMib)} MB peak`;
}

/** Returns a source that says which phase begins. */
function withPhases(definition: OpenableSource, begin: (name: string) => void): OpenableSource {
  return {
    ...definition,
    async open(opened) {
      const select = await definition.open(opened);
      if (select === null) return null;
      return async (context, request) => {
        begin('pin inputs');
        const selected = await select(
          {
            ...context,
            progress(stage, ...step) {
              if (stage === 'gather') begin('gather');
              context.progress(stage, ...step);
            },
            noteInputs: async (inputs) => {
              await context.noteInputs?.(inputs);
              begin('read packages');
            },
          },
          request,
        );
        begin('manifest, known repodata');
        const { reader } = selected;
        return {
          ...selected,
          reader: {
            ...reader,
            async loadFragments(packages, signal) {
              begin('read metadata');
              const fragments = await reader.loadFragments(packages, signal);
              begin('write');
              return fragments;
            },
          },
        };
      };
    },
  };
}
