import { keep } from '../keep.js'
import { asValue, keepDoubtful, nullOf, type Typed } from '../typed.js'
import { choiceFunctions } from './choice-functions.js'
import { dateRules } from './date-functions.js'
import type { FunctionRule } from './function-rule.js'
import { jsonFunctions } from './json-functions.js'
import { jsonReading } from './json-reading.js'
import { numberFunctions } from './number-functions.js'
import { takes, use } from './rule.js'
import { textFunctions } from './text-functions.js'

export const functionRules: readonly FunctionRule[] = [
  ...textFunctions,
  ...numberFunctions,
  ...choiceFunctions,
  ...dateRules,
  ...jsonFunctions,
  ...jsonReading,
]

const byName = new Map<string, FunctionRule[]>()
for (const rule of functionRules) {
  byName.set(rule.name, [...(byName.get(rule.name) ?? []), rule])
}

/** A call of a scalar function whose operands are compiled already. */
export function scalarFunction(name: string, operands: readonly Typed[]): Typed {
  const rules = byName.get(name)
  if (rules === undefined) {
    return keep(`function ${name}`)
  }
  const values = operands.map(asValue)
  keepDoubtful(values)
  const nulls = values.some((value) => value.type === 'null')
  for (const rule of rules) {
    if (nulls && rule.ownNulls !== true) {
      return nullOf(values)
    }
    const result = takes(rule.operands, values) ? rule.apply(values) : null
    if (result !== null && result !== undefined) {
      use(rule)
      return result
    }
  }
  return keep(`function ${name} of ${values.map((value) => value.type).join(', ')}`)
}
