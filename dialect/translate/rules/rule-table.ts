import { aggregateRules } from './aggregates.js'
import { arithmeticRules } from './arithmetic.js'
import { castRules } from './casts.js'
import { collectingRules } from './collecting-aggregates.js'
import { comparisonRules, identityRule } from './comparison.js'
import { concatenationRule } from './concatenation.js'
import { functionRules } from './functions.js'
import { jsonMemberRules } from './json-members.js'
import { patternRules } from './like.js'
import type { Rule } from './rule.js'
import { windowRules } from './windows.js'

/** Everything that an expression may contain on its way to DuckDB. What is not here stays on SQLite. */
export const ruleTable: readonly Rule[] = Object.freeze([
  ...arithmeticRules,
  concatenationRule,
  ...comparisonRules,
  identityRule,
  ...patternRules,
  ...castRules,
  ...functionRules,
  ...jsonMemberRules,
  ...aggregateRules,
  ...collectingRules,
  ...windowRules,
])
