/** A word of a command line and what it means. */
export interface ManTerm {
  readonly term: string;
  readonly meaning: string;
}

/** One way to call a command: itself, or a verb of it. */
export interface ManUsage {
  /** `odcs-reactor compose show [options] <id>` */
  readonly usage: string;
  readonly description: string;
  readonly terms: readonly ManTerm[];
}

export interface ManPage {
  /** `odcs-reactor-compose` */
  readonly name: string;
  readonly summary: string;
  readonly version: string;
  readonly own: ManUsage;
  readonly verbs: readonly ManUsage[];
  /** Text that keeps its lines. */
  readonly more: string;
  /** Sections after the options, by their heads. */
  readonly sections: Readonly<Record<string, readonly ManTerm[]>>;
  /** Other pages, without their section. */
  readonly seeAlso: readonly string[];
}

/** Returns a page of section 1 of the manual, as man(7) wants it. It bears no date: the same program, the same page. */
export function formatManPage(page: ManPage): string {
  const lines = [
    `.TH ${escape(page.name.toUpperCase())} 1 "" "odcs-reactor ${escape(page.version)}" "ODCS Reactor"`,
    '.SH NAME',
    `${escape(page.name)} \\- ${escape(lowerFirst(page.summary))}`,
    '.SH SYNOPSIS',
    '.nf',
    ...(page.verbs.length === 0 ? [page.own] : page.verbs).map(({ usage }) => escape(usage)),
    '.fi',
    '.SH DESCRIPTION',
    escape(page.own.description),
    ...section('OPTIONS', page.own.terms),
    ...(page.verbs.length === 0 ? [] : ['.SH COMMANDS', ...page.verbs.flatMap(formatVerb)]),
    ...(page.more.trim() === ''
      ? []
      : ['.SH NOTES', '.nf', ...page.more.trim().split('\n').map(escape), '.fi']),
    ...Object.entries(page.sections).flatMap(([head, terms]) => section(head, terms)),
    ...(page.seeAlso.length === 0
      ? []
      : ['.SH SEE ALSO', page.seeAlso.map((name) => `.BR ${escape(name)} (1)`).join(' ,\n')]),
  ];
  return `${lines.join('\n')}\n`;
}

function section(head: string, terms: readonly ManTerm[]): readonly string[] {
  return terms.length === 0 ? [] : [`.SH ${head}`, ...terms.flatMap(formatTerm)];
}

function formatVerb({ usage, description, terms }: ManUsage): readonly string[] {
  return [`.SS ${escape(usage)}`, escape(description), ...terms.flatMap(formatTerm)];
}

function formatTerm({ term, meaning }: ManTerm): readonly string[] {
  return ['.TP', `.B ${escape(term)}`, escape(meaning)];
}

/** Nothing in the text may be taken for a request or an escape; hyphens stay what can be copied. */
function escape(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(
      /[^\x20-\x7e\n]/gu,
      (letter) => `\\[u${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
    .replaceAll(/^(?=['.])/gm, '\\&');
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
