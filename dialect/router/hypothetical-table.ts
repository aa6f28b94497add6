import { emptyColumnProfile } from '../../src/core/column-profile.js'
import type { MirrorTable } from '../../src/core/mirror-table.js'
import type { TableShape } from '../../src/core/table-shape.js'
import { chooseStorage } from '../../sync/apply/column-storage.js'
import { MirroredTable } from '../../sync/apply/mirrored-table.js'

/**
 * What the copy of a table would look like if its values were what its columns declare. Serves to
 * find out whether a query would be answered by DuckDB at all, before a copy is made for it.
 */
export function hypotheticalTable(shape: TableShape): MirrorTable {
  const storage = shape.columns.map((column) => chooseStorage(column, emptyColumnProfile))
  return new MirroredTable({
    tableId: 0,
    generation: 0,
    shape,
    storage,
    profiles: shape.columns.map(() => emptyColumnProfile),
    rowCount: 0,
  }).mirror
}
