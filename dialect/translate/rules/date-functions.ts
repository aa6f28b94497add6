import { constantText, derived, type StaticType, type Typed } from '../typed.js'
import { formatted } from './date-format.js'
import { type MomentForms, ofMoment, readMoment } from './date-moment.js'
import type { FunctionRule } from './function-rule.js'

const documentation = 'https://sqlite.org/lang_datefunc.html'
const textGuard =
  'anything but YYYY-MM-DD[( |T)HH:MM[:SS[.SSS][Z]]] of an existing day; results outside the years 1 to 9999'
const secondsGuard = 'results outside the years 1 to 9999'

/** Milliseconds between the start of Julian days and 1970. */
const julianOffset = 210_866_760_000_000

interface DateFunction {
  readonly name: string
  readonly form: string
  readonly type: StaticType
  readonly known: Partial<Typed>
  readonly body: (forms: MomentForms) => string
}

const dateFunctions: readonly DateFunction[] = [
  textOf('date', '%Y-%m-%d'),
  textOf('time', '%H:%M:%S'),
  textOf('datetime', '%Y-%m-%d %H:%M:%S'),
  {
    name: 'julianday',
    form: `(epoch_ms(x) + ${julianOffset}) / 86400000.0`,
    type: 'real',
    known: { bound: 5_373_485, collated: false },
    body: ({ stamp }) =>
      `(CAST((epoch_ms(${stamp}) + ${julianOffset}) AS DOUBLE) / CAST(86400000 AS DOUBLE))`,
  },
  {
    name: 'unixepoch',
    form: 'epoch_ms(x) // 1000',
    type: 'int',
    known: { bound: 1e12, collated: false },
    body: seconds,
  },
]

function textOf(name: string, format: string): DateFunction {
  const body = formatted(format)
  if (body === null) {
    throw new Error(`format ${format}`)
  }
  const form = `strftime(x, '${format}')`
  return { name, form, type: 'text', known: { ascii: true }, body }
}

/** Seconds since 1970, rounded down before it too; the shift keeps the dividend positive. */
function seconds({ stamp }: MomentForms): string {
  return `(((epoch_ms(${stamp}) + ${julianOffset}) // 1000) - ${julianOffset / 1000})`
}

export const dateRules: readonly FunctionRule[] = [
  ...dateFunctions.flatMap(({ name, form, type, known, body }): FunctionRule[] => [
    {
      kind: 'function',
      name,
      operands: 'text, text...',
      form: `${form}, where x is the time with its modifiers`,
      guard: textGuard,
      source: documentation,
      examples: [
        `${name}(d)`,
        `${name}(m)`,
        `${name}(d, 'start of month')`,
        `${name}(d, 'start of year')`,
        `${name}(d, '+1 month', '-1 days', 'weekday 0')`,
        `${name}(d, '-90 minutes', '1 year', 'start of day')`,
      ],
      refused: [`${name}(v)`, `${name}(d, '+9000 years')`, `${name}(d, 'localtime')`],
      apply: (operands) => {
        const moment = readMoment(operands)
        return moment && ofMoment(moment, type, known, body)
      },
    },
    {
      kind: 'function',
      name,
      operands: 'int, text, text...',
      form: `${form}, where x is make_timestamp(seconds) with its modifiers`,
      guard: secondsGuard,
      source: documentation,
      examples: [
        `${name}(u, 'unixepoch')`,
        `${name}(-u, 'unixepoch', 'start of month')`,
        `${name}(u, 'unixepoch', '-1 month', 'weekday 3')`,
      ],
      refused: [
        `${name}(u - 63000000000, 'unixepoch')`,
        `${name}(u, 'auto')`,
        `${name}(u, '+1 day')`,
      ],
      apply: (operands) => {
        const moment = readMoment(operands)
        return moment && ofMoment(moment, type, known, body)
      },
    },
  ]),
  ...(['text, text', 'text, int, text'] as const).map((operands): FunctionRule => {
    const [x, from] = operands === 'text, text' ? ['d', ''] : ['u', ", 'unixepoch'"]
    const outside = operands === 'text, text' ? 'v' : 'u - 63000000000'
    return {
      kind: 'function',
      name: 'strftime',
      operands: `${operands}, text...`,
      form: 'strftime(y, x), or the parts cut from the text; %s is epoch_ms(y) // 1000',
      guard: operands === 'text, text' ? textGuard : secondsGuard,
      source: `${documentation}#strftime`,
      examples: [
        `strftime('%Y-%m', ${x}${from})`,
        `strftime('%d.%m.%Y it''s 100%%', ${x}${from})`,
        `strftime('%Y-%m-01', ${x}${from}, 'start of year')`,
        `strftime('%H:%M:%S %f %p %I %T %R', ${x}${from}, '-1 hour')`,
        `strftime('%j %w %u %U %W %G-%V %F', ${x}${from})`,
        `strftime('%s', ${x}${from}, '+1 month')`,
      ],
      refused: [
        `strftime('%Y-%m', ${outside}${from})`,
        `strftime('%e', ${x}${from})`,
        `strftime('%Y%q', ${x}${from})`,
        `strftime(s, ${x}${from})`,
      ],
      apply: strftime,
    }
  }),
]

function strftime([format, ...operands]: readonly Typed[]): Typed | null {
  const text = constantText(format)
  const moment = readMoment(operands)
  if (text === null || moment === null) {
    return null
  }
  if (text === '%s') {
    const epoch = ofMoment(moment, 'int', {}, seconds)
    return derived(`CAST(${epoch.sql} AS VARCHAR)`, 'text', [epoch], { ascii: true })
  }
  const body = formatted(text)
  return body && ofMoment(moment, 'text', { ascii: /^[\0-\x7f]*$/.test(text) }, body)
}
