import { keep } from '../keep.js'
import type { StaticType, Typed } from '../typed.js'

/**
 * One thing that DuckDB is proven to answer as SQLite does. All rules together are the list of
 * what is translated: the documentation is made from it, the start-up probe computes its examples
 * in both engines, and the tests break each rule to see that its examples notice.
 */
export interface Rule {
  readonly kind: RuleKind
  /** As SQL writes it: `substr`, `+`, `cast as integer`. */
  readonly name: string
  /** Classes of the operands: `text, int?`; `number` is value of int, real and num. */
  readonly operands: string
  /** What DuckDB is told, with the operands as x, y, z. */
  readonly form: string
  /** For which values the query returns to SQLite. */
  readonly guard?: string
  /** Where SQLite's behaviour is written down, or how it was found out. */
  readonly source: string
  /** Expressions over the columns of the probe table that both engines must compute alike. */
  readonly examples: readonly string[]
  /** Expressions that DuckDB must refuse: kept, or raised by the guard. */
  readonly refused?: readonly string[]
}

export type RuleKind =
  | 'operator'
  | 'comparison'
  | 'pattern'
  | 'cast'
  | 'function'
  | 'aggregate'
  | 'window'

/** The name under which a rule is switched off and counted. */
export function ruleId(rule: Rule): string {
  return `${rule.name}(${rule.operands})`
}

interface Recording {
  readonly disabled: ReadonlySet<string>
  readonly used: Set<Rule>
}

/** Translations are made in one go, so there is one at a time. */
let recording: Recording | null = null

/** Runs a translation and says which rules it used. */
export function recordRules<T>(
  disabled: ReadonlySet<string>,
  translate: () => T,
): { readonly result: T; readonly used: ReadonlySet<Rule> } {
  const outer = recording
  const own: Recording = { disabled, used: new Set() }
  recording = own
  try {
    return { result: translate(), used: own.used }
  } finally {
    recording = outer
  }
}

/** To be called by everything that applies a rule. */
export function use<T extends Rule>(rule: T): T {
  if (recording !== null) {
    if (recording.disabled.size > 0 && recording.disabled.has(ruleId(rule))) {
      keep(`rule switched off: ${ruleId(rule)}`)
    }
    recording.used.add(rule)
  }
  return rule
}

const classes: Readonly<Record<string, readonly StaticType[]>> = {
  null: ['null'],
  bool: ['bool'],
  int: ['int', 'bool'],
  real: ['real'],
  num: ['num'],
  number: ['int', 'bool', 'real', 'num'],
  text: ['text'],
  /** What SQLite turns into a text without a doubt. */
  textual: ['text', 'int', 'bool', 'real'],
  blob: ['blob'],
  value: ['null', 'bool', 'int', 'real', 'num', 'text', 'blob'],
}

interface Signature {
  readonly fixed: readonly (readonly StaticType[])[]
  readonly optional: readonly (readonly StaticType[])[]
  readonly rest: readonly StaticType[] | null
}

const signatures = new Map<string, Signature>()

/** Whether the operands are of the classes that `operands` lists: `text, int?, any...`. */
export function takes(operands: string, values: readonly Typed[]): boolean {
  let signature = signatures.get(operands)
  if (signature === undefined) {
    signature = parseSignature(operands)
    signatures.set(operands, signature)
  }
  const { fixed, optional, rest } = signature
  const named = fixed.length + optional.length
  if (values.length < fixed.length || (values.length > named && rest === null)) {
    return false
  }
  return values.every((value, i) => {
    const wanted = fixed[i] ?? optional[i - fixed.length] ?? rest ?? []
    return wanted.includes(value.type)
  })
}

function parseSignature(operands: string): Signature {
  const words = operands === '' ? [] : operands.split(', ')
  const typesOf = (word: string) =>
    word
      .replace(/[?.]+$/, '')
      .split('|')
      .flatMap((name) => classes[name] ?? [])
  return {
    fixed: words.filter((word) => !/[?.]$/.test(word)).map(typesOf),
    optional: words.filter((word) => word.endsWith('?')).map(typesOf),
    rest: words.filter((word) => word.endsWith('...')).map(typesOf)[0] ?? null,
  }
}
