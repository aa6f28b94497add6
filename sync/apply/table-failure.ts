import { HtapError } from '../../src/core/htap-error.js'
import { messageOf } from '../../src/core/message-of.js'
import type { MirroredTable } from './mirrored-table.js'

/**
 * What failed while changes of a table were applied, as an error that names the table in
 * `facts.tableId`. Failures of the store as a whole are nobody's in particular and stay what they are.
 */
export function tableFailure(table: MirroredTable, cause: unknown): unknown {
  const isGeneral =
    cause instanceof HtapError && (cause.code === 'closed' || cause.facts['reason'] !== undefined)
  return isGeneral
    ? cause
    : new HtapError(
        'sync-failed',
        `a change of ${table.shape.name} could not be applied: ${messageOf(cause)}`,
        { cause, facts: { table: table.shape.name, tableId: table.tableId } },
      )
}
