import { constantInteger, oneOf, type Typed, typed, unify } from '../typed.js'
import type { Rule } from './rule.js'

/** How a window function depends on the order of rows that its ORDER BY leaves equal. */
export type TieRule =
  /** Not at all: it sees groups of equal rows as one. */
  | 'peers'
  /** It counts rows, so the order must be complete. */
  | 'rows'
  /** A tail would change its frame, so the window's own ORDER BY must be complete. */
  | 'complete'
  /** Only if its frame counts rows or cuts through equal ones. */
  | 'frame'

export interface WindowRule extends Rule {
  readonly kind: 'window'
  readonly ties: TieRule
  /** It has no frame in SQLite whatever is written. */
  readonly ignoresFrame: boolean
  /** The value where all rows of the query are equal; null if there is no such constant. */
  readonly alone: Typed | null
  readonly apply: (operands: readonly Typed[], over: string) => Typed | null
}

const source = 'https://sqlite.org/windowfunctions.html#built_in_window_functions'
const one = typed('CAST(1 AS BIGINT)', 'int', { bound: 1 })

export const windowRules: readonly WindowRule[] = [
  ranking('row_number', 'rows', 'int', null),
  ranking('rank', 'peers', 'int', one),
  ranking('dense_rank', 'peers', 'int', one),
  ranking('percent_rank', 'peers', 'real', typed('0e0', 'real', { bound: 0 })),
  ranking('cume_dist', 'peers', 'real', typed('1e0', 'real', { bound: 1 })),
  {
    kind: 'window',
    name: 'ntile',
    operands: 'int|real',
    form: 'ntile(x)',
    guard: 'a constant from 1 on',
    source,
    examples: ['ntile(3) over (order by n)'],
    refused: ['ntile(n) over (order by n)'],
    ties: 'rows',
    ignoresFrame: true,
    alone: null,
    apply: ([count], over) => {
      const tiles = constantInteger(count)
      return tiles === null || tiles < 1
        ? null
        : typed(`ntile(${tiles})${over}`, 'int', { bound: 2 ** 40 })
    },
  },
  neighbour('lag'),
  neighbour('lead'),
  taken('first_value'),
  taken('last_value'),
  {
    kind: 'window',
    name: 'nth_value',
    operands: 'value, int|real',
    form: 'nth_value(x, y)',
    guard: 'y is a constant from 1 on',
    source,
    examples: [
      'nth_value(s, 2) over (order by n)',
      'nth_value(j, 3) over (order by n rows between unbounded preceding and unbounded following)',
    ],
    refused: ['nth_value(s, n) over (order by n)'],
    ties: 'frame',
    ignoresFrame: false,
    alone: null,
    apply: ([value, place], over) => {
      const at = constantInteger(place)
      return value === undefined || at === null || at < 1
        ? null
        : oneOf(`nth_value(${value.sql}, ${at})${over}`, value.type, [value])
    },
  },
]

function ranking(
  name: string,
  ties: TieRule,
  type: 'int' | 'real',
  alone: Typed | null,
): WindowRule {
  const bound = type === 'int' ? 2 ** 40 : 1
  return {
    kind: 'window',
    name,
    operands: '',
    form: `${name}()`,
    source,
    examples: [
      `${name}() over (order by j, n)`,
      `${name}() over (partition by j is null order by i desc, n)`,
      ...(ties === 'peers' ? [`${name}() over (order by j)`] : []),
    ],
    ties,
    alone,
    ignoresFrame: true,
    apply: (_operands, over) => typed(`${name}()${over}`, type, { bound }),
  }
}

function neighbour(name: 'lag' | 'lead'): WindowRule {
  return {
    kind: 'window',
    name,
    operands: 'value, int|real?, value?',
    form: `${name}(x, y, z)`,
    guard: 'y is a constant from 0 on, z of the class of x',
    source,
    examples: [
      `${name}(s) over (order by n)`,
      `${name}(j, 2) over (order by n)`,
      `${name}(j, 1, 0) over (order by n)`,
      `${name}(i, 0) over (order by n)`,
    ],
    refused: [`${name}(i, j) over (order by n)`],
    ties: 'rows',
    ignoresFrame: true,
    alone: null,
    apply: ([value, distance, otherwise], over) => {
      const steps = distance === undefined ? 1 : constantInteger(distance)
      if (value === undefined || steps === null || steps < 0) {
        return null
      }
      if (otherwise === undefined) {
        return oneOf(`${name}(${value.sql}, ${steps})${over}`, value.type, [value])
      }
      const unified = unify([value, otherwise])
      const [a, b] = unified?.values ?? []
      return unified === null || a === undefined || b === undefined
        ? null
        : oneOf(`${name}(${a.sql}, ${steps}, ${b.sql})${over}`, unified.type, [a, b])
    },
  }
}

function taken(name: 'first_value' | 'last_value'): WindowRule {
  return {
    kind: 'window',
    name,
    operands: 'value',
    form: `${name}(x)`,
    source,
    examples: [
      `${name}(s) over (order by j, n)`,
      `${name}(i) over (partition by j is null order by n desc rows between 1 preceding and 1 following)`,
    ],
    ties: 'frame',
    ignoresFrame: false,
    alone: null,
    apply: ([value], over) =>
      value === undefined ? null : oneOf(`${name}(${value.sql})${over}`, value.type, [value]),
  }
}
